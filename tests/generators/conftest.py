"""Generators with random weights; a GPU that fails, by a Vulkan layer between ncnn and the real driver."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cartoonize.generators.generator import Generator, described

LAYER = "VK_LAYER_CARTOONIZE_failing"

FailingGpu = Callable[..., dict[str, str]]


def command(*args: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("cartoonize")
    return subprocess.run([script, *args], capture_output=True, text=True, env=os.environ | environment, timeout=250)


@pytest.fixture(scope="session")
def failing_gpu(has_gpu: None, tmp_path_factory: pytest.TempPathFactory) -> FailingGpu:
    """The environment in which the real driver has so many `bytes`, or is lost after so many `submits`."""
    folder = tmp_path_factory.mktemp("layer")
    library, source = folder / "libfailing.so", Path(__file__).with_name("failing_gpu.c")
    try:
        subprocess.run(
            ["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, source],
            check=True,
            capture_output=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs a C compiler and Vulkan's headers, Debian's libvulkan-dev ({error})")
    layer = {
        "name": LAYER,
        "type": "GLOBAL",
        "library_path": str(library),
        "api_version": "1.3.0",
        "implementation_version": "1",
        "description": "a GPU that fails",
    }
    (folder / "failing.json").write_text(json.dumps({"file_format_version": "1.0.0", "layer": layer}))

    def environment(**limits: int) -> dict[str, str]:
        asked = {f"FAILING_GPU_{name.upper()}": str(value) for name, value in limits.items()}
        return {"VK_LAYER_PATH": str(folder), "VK_INSTANCE_LAYERS": LAYER, **asked}

    return environment


@pytest.fixture(scope="session")
def untrained() -> Callable[[str], Generator]:
    """Gives the generator of an architecture's name with random weights in float16, converted once."""
    from cartoonize.generators.architectures import ARCHITECTURES
    from cartoonize.generators.conversion import flatbuffer

    return cache(lambda name: described(flatbuffer(ARCHITECTURES[name](), half=True)))
