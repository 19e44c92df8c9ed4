"""ncnn on Vulkan: the engine of GPUs of any maker, in a process of its own, see `vulkan_process`."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from cartoonize.errors import EngineError, OutOfMemoryError, WeightsError
from cartoonize.generators.engines.engine import Device, Precision
from cartoonize.generators.generator import Generator
from cartoonize.generators.writers.ncnn import write_ncnn
from cartoonize.method.pixels import Array

NO_LIBRARY = "a GPU needs the library ncnn: pip install 'cartoonize[gpu]' (from a checkout: pip install '.[gpu]')"
NO_DRIVER = (
    "no GPU with a Vulkan driver was found: on Linux install your GPU's (mesa-vulkan-drivers for AMD and Intel,"
    " NVIDIA's own for NVIDIA), on Windows the maker's driver, macOS brings it; or use --device cpu"
)
_REFUSALS: dict[str, tuple[type[EngineError | WeightsError], str]] = {
    "library": (EngineError, NO_LIBRARY),
    "driver": (EngineError, NO_DRIVER),
    "device": (EngineError, "there is no {} here: the last is gpu:{}; see `cartoonize devices`"),
    "weights": (
        EngineError,
        "{} does not take the generator: out of memory, or the device is lost; or use --device cpu",
    ),
    "generator": (WeightsError, "not a generator that ncnn can run"),
}
_DIED = "the GPU's driver ended the process that asked it: out of memory, or the device is lost; or use --device cpu"


def devices() -> list[Device]:
    """Return the GPUs that Vulkan knows; raises EngineError without the library or when there is none."""
    process = _Process({})
    found = process.answer["devices"]
    process.end()
    if not found:
        raise EngineError(NO_DRIVER)
    return [Device(f"gpu:{index}", f"{name}, Vulkan", is_software) for index, (name, is_software) in enumerate(found)]


class VulkanEngine:
    """A generator on a GPU; see `registry.Engine`. One picture at a time is on the device, others wait.

    device: "gpu", the best there is, or "gpu:N". Raises EngineError when it is not there or does not work, WeightsError
    naming an operator that ncnn is not told of.
    """

    def __init__(self, generator: Generator, device: str, threads: int, precision: Precision) -> None:
        parameters, weights = write_ncnn(generator)
        parts = parameters.encode("ascii"), weights
        sizes = [len(part) for part in parts]
        self._order = {"device": device, "threads": threads, "precision": precision, "sizes": sizes}
        self._parts = parts
        self._lock = threading.Lock()
        self._failed = self._too_many = math.inf  # pixels that it could not take, and that smaller pictures prove right
        self._process: _Process | None = _Process(self._order, *parts)

    def __call__(self, photo: Array) -> Array:
        """Run the generator."""
        pixels = photo.shape[1] * photo.shape[2]
        with self._lock:
            drawn = self._drawn(photo) if pixels < self._too_many else None
            if drawn is None:
                self._failed = min(self._failed, pixels)
                raise OutOfMemoryError(
                    f"the GPU could not take {photo.shape[2]}x{photo.shape[1]} pixels: out of memory, or the device is"
                    " lost"
                )
            if pixels < self._failed < math.inf:  # it was the memory: what was too large would be so again
                self._too_many, self._failed = min(self._too_many, self._failed), math.inf
        return drawn

    def _drawn(self, photo: Array) -> Array | None:
        """Return None where the device could not, or died, in which case another process will try the next picture."""
        process = self._process or _Process(self._order, *self._parts)
        self._process = None
        try:
            result = process.draw(np.ascontiguousarray(photo[0].transpose(2, 0, 1)))
        except (OSError, ValueError, KeyError):
            process.end()
            return None
        if result.shape[1:] != photo.shape[1:3]:
            process.end()
            return None
        self._process = process
        drawn: Array = result.transpose(1, 2, 0)[np.newaxis]
        return drawn


class _Process:
    """A process that owns a GPU, and its answer to an order; raises EngineError and WeightsError where it refuses."""

    def __init__(self, order: dict[str, Any], *parts: bytes) -> None:
        command = [sys.executable, "-m", "cartoonize.generators.engines.vulkan_process"]
        package = Path(__file__).parents[3]  # the first place the process looks for modules
        try:
            self._running = subprocess.Popen(  # noqa: S603  ours
                command, cwd=package, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise EngineError(f"no process for the GPU could be started ({error.strerror or error})") from error
        self.end = weakref.finalize(self, _ended, self._running)
        self._requests, self._answers = (cast(BinaryIO, pipe) for pipe in (self._running.stdin, self._running.stdout))
        try:
            with suppress(OSError):  # it has refused without listening to the end
                self._send(order, *parts)
            self.answer: dict[str, Any] = json.loads(self._answers.readline())
        except (OSError, ValueError) as error:
            self.end()
            raise EngineError(_DIED) from error
        if "refused" in self.answer:
            self.end()
            kind, words = _REFUSALS[self.answer["refused"]]
            raise kind(words.format(*self.answer["details"]))

    def draw(self, picture: Array) -> Array:
        """Draw a picture [c, h, w]; empty where the device could not. Raises OSError or ValueError when it died."""
        self._send({"shape": picture.shape}, picture.data.cast("B"))
        shape = json.loads(self._answers.readline())["shape"]
        result = np.empty(shape, np.float32)
        buffer = result.data.cast("B")
        if result.size and self._answers.readinto(buffer) < result.nbytes:  # type: ignore[attr-defined]  # BinaryIO lacks it
            raise ValueError("the answer ends early")
        return result

    def _send(self, words: dict[str, Any], *parts: bytes | memoryview) -> None:
        for part in (json.dumps(words).encode() + b"\n", *parts):
            self._requests.write(part)
        self._requests.flush()


def _ended(running: subprocess.Popen[bytes]) -> None:
    """End a process, also where it hangs in its driver, and leave nothing behind."""
    running.kill()
    for pipe in (running.stdin, running.stdout):
        with suppress(OSError):  # of what was not read any more
            cast(BinaryIO, pipe).close()
    running.wait()
