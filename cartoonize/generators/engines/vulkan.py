"""ncnn on Vulkan: the engine of GPUs of any maker."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np

from cartoonize.errors import EngineError, OutOfMemoryError, WeightsError
from cartoonize.generators.engines.engine import Device, Precision
from cartoonize.generators.generator import Generator
from cartoonize.generators.native_logs import native_stderr_silenced
from cartoonize.generators.writers.ncnn import write_ncnn
from cartoonize.method.pixels import Array

_SOFTWARE = 3  # VK_PHYSICAL_DEVICE_TYPE_CPU
NO_LIBRARY = "a GPU needs the library ncnn: pip install 'cartoonize[gpu]' (from a checkout: pip install '.[gpu]')"
NO_DRIVER = (
    "no GPU with a Vulkan driver was found: on Linux install your GPU's (mesa-vulkan-drivers for AMD and Intel,"
    " NVIDIA's own for NVIDIA), on Windows the maker's driver, macOS brings it; or use --device cpu"
)


def devices() -> list[Device]:
    """Return the GPUs that Vulkan knows; raises EngineError without the library or when there is none."""
    ncnn = _library()
    found = []
    if not _count():
        raise EngineError(NO_DRIVER)
    for index in range(_count()):
        info = ncnn.get_gpu_info(index)
        found.append(Device(f"gpu:{index}", f"{info.device_name()}, Vulkan", info.type() == _SOFTWARE))
    return found


class VulkanEngine:
    """A generator on a GPU; see `registry.Engine`. One picture at a time is on the device, others wait.

    device: "gpu", the best there is, or "gpu:N". Raises EngineError when it is not there, WeightsError naming an
    operator that ncnn is not told of.
    """

    def __init__(self, generator: Generator, device: str, threads: int, precision: Precision) -> None:
        parameters, weights = write_ncnn(generator.graph)
        index = _index(device)
        self._lock = threading.Lock()
        self._net = _library().Net()
        with native_stderr_silenced(), TemporaryDirectory() as folder:
            _configure(self._net.opt, threads, precision)
            self._net.set_vulkan_device(index)
            (Path(folder) / "param").write_text(parameters, encoding="ascii")
            (Path(folder) / "bin").write_bytes(weights)
            if self._net.load_param(f"{folder}/param") or self._net.load_model(f"{folder}/bin"):
                raise WeightsError("not a generator that ncnn can run")

    def __call__(self, photo: Array) -> Array:
        """Run the generator."""
        source = np.ascontiguousarray(photo[0].transpose(2, 0, 1))  # has to live as long as the run: ncnn points to it
        with self._lock:
            extractor = self._net.create_extractor()
            extractor.input("in0", _library().Mat(source))
            code, output = extractor.extract("out0")
            result = np.array(output)  # a copy: the output is ncnn's
            del extractor, output
        if code or result.shape[1:] != source.shape[1:]:
            raise OutOfMemoryError(
                f"the GPU could not take {photo.shape[2]}x{photo.shape[1]} pixels: out of memory, or the device is lost"
            )
        drawn: Array = result.transpose(1, 2, 0)[np.newaxis]
        return drawn


def _configure(option: Any, threads: int, precision: Precision) -> None:
    option.use_vulkan_compute = True
    option.num_threads = threads
    # Faster convolutions of this kind round in blocks that begin with the picture: tiles would differ from the whole.
    option.use_winograd_convolution = False
    option.use_fp16_packed = option.use_fp16_storage = precision == "float16"
    option.use_fp16_arithmetic = option.use_bf16_storage = False


def _index(device: str) -> int:
    count = _count()
    if not count:
        raise EngineError(NO_DRIVER)
    if ":" not in device:
        return int(_library().get_default_gpu_index())
    index = int(device.split(":")[1])
    if index >= count:
        raise EngineError(f"there is no {device} here: the last is gpu:{count - 1}; see `cartoonize devices`")
    return index


@cache
def _count() -> int:
    with native_stderr_silenced():  # ncnn tells of every device
        return int(_library().get_gpu_count())


@cache
def _library() -> ModuleType:
    try:
        import ncnn
    except ImportError as error:
        raise EngineError(NO_LIBRARY) from error
    library: ModuleType = ncnn
    return library
