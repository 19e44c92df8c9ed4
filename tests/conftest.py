from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from hypothesis import settings
from numpy.typing import NDArray
from PIL import Image

SHARED = Path(__file__).parents[2] / "shared"

# Made of the profile in force: Hypothesis has one of its own for CI.
settings.register_profile("busy_machine", settings(), deadline=None)
settings.load_profile("busy_machine")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the fresh seed of the fuzz tests, unless FUZZ_SEED names one; workers of pytest-xdist inherit it."""
    os.environ.setdefault("FUZZ_SEED", str(int.from_bytes(os.urandom(4), "big")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    chosen = config.getoption("markexpr")
    if "slow" in chosen and "not slow" not in chosen and "not fresh" not in chosen:
        terminalreporter.write_line(f"FUZZ_SEED={os.environ['FUZZ_SEED']} repeats the tests marked fresh")


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the released weights and samples in ../shared, which is absent")
    return SHARED


@pytest.fixture(scope="session")
def has_gpu() -> None:
    """Skips without any Vulkan driver; Mesa's in software (llvmpipe) will do."""
    from cartoonize.errors import EngineError
    from cartoonize.generators.engines import vulkan

    try:
        vulkan.devices()
    except EngineError as error:
        pytest.skip(f"needs a GPU, or Debian's mesa-vulkan-drivers for one in software ({error})")


@pytest.fixture(scope="session")
def released(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authors' checkpoint as a flatbuffer, converted once."""
    from cartoonize.generators.conversion import flatbuffer, keras_model
    from cartoonize.generators.weights import locate

    path = tmp_path_factory.mktemp("released") / "whitebox.tflite"
    path.write_bytes(flatbuffer(keras_model(locate(shared / "pretrained"))))
    return path


@pytest.fixture(scope="session")
def coffee() -> NDArray[np.uint8]:
    """A real photo, 400 x 600, that comes with scikit-image."""
    return skimage.data.coffee()


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user cache, so that no test sees or leaves anything in the real one."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *args, **kwargs: folder)
    return folder


def read(path: Path) -> NDArray[np.uint8]:
    """Read a picture as uint8 (H, W, 3) with Pillow alone."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    difference = a.astype(np.float64) - b.astype(np.float64)
    with np.errstate(divide="ignore"):  # equal pictures: infinite
        return float(10 * np.log10(255**2 / np.mean(difference**2)))
