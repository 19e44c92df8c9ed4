from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the released weights and samples in ../shared, which is absent")
    return SHARED


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
