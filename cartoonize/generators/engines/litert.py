"""LiteRT: the engine of the CPU."""

from __future__ import annotations

import platform
import threading
from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from cartoonize.errors import EngineError, OutOfMemoryError, WeightsError, first_line
from cartoonize.generators.engines.engine import Device
from cartoonize.generators.native_logs import native_stderr_silenced
from cartoonize.machine import available_cores
from cartoonize.method.pixels import Array

if TYPE_CHECKING:
    from cartoonize.generators.generator import Generator

_ERRORS = (RuntimeError, ValueError, MemoryError)  # what LiteRT's errors are in Python, std::bad_alloc among them


class LiteRTEngine:
    """A generator on the CPU; see `registry.Engine`.

    Thread-safe: each calling thread gets an interpreter of its own, and inference releases the GIL. `threads` is the
    number of cores one call uses. Raises WeightsError when LiteRT cannot run the generator.
    """

    def __init__(self, generator: Generator, threads: int) -> None:
        self._content = generator.content
        self._threads = threads
        self._local = threading.local()
        side = generator.field.alignment * -(-16 // generator.field.alignment)
        with native_stderr_silenced():  # LiteRT greets once a process, and has no switch for it
            try:
                self._run(np.zeros((1, side, side, 3), np.float32))
            except _ERRORS as error:
                raise WeightsError(f"not a usable LiteRT generator ({first_line(error)})") from error

    def __call__(self, photo: Array) -> Array:
        """Run the generator; a new shape costs some ten milliseconds of planning, the same shape again nothing."""
        try:
            return self._run(photo)
        except MemoryError as error:
            raise OutOfMemoryError(_out_of_memory(photo)) from error
        except _ERRORS as error:
            if "allocat" in str(error).lower():
                raise OutOfMemoryError(_out_of_memory(photo)) from error
            raise EngineError(f"LiteRT could not run the generator ({first_line(error)})") from error

    def _run(self, photo: Array) -> Array:
        interpreter = self._interpreter()
        (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
        if tuple(source["shape"]) != photo.shape:
            interpreter.resize_tensor_input(source["index"], photo.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], photo)
        interpreter.invoke()
        result: Array = interpreter.get_tensor(target["index"])
        return result

    def _interpreter(self) -> Interpreter:
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = Interpreter(model_content=self._content, num_threads=self._threads)
        return self._local.interpreter


def device() -> Device:
    """Return the CPU as a device."""
    return Device("cpu", f"{platform.processor() or platform.machine()}, {available_cores()} cores, LiteRT")


def _out_of_memory(photo: Array) -> str:
    return f"out of memory for a picture of {photo.shape[2]}x{photo.shape[1]}: choose a smaller --size"
