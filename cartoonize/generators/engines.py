"""Runs a generator: LiteRT on the CPU, TensorFlow on a GPU."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from cartoonize.errors import EngineError, WeightsError, first_line
from cartoonize.generators.native_logs import native_stderr_silenced
from cartoonize.method.pixels import Array

if TYPE_CHECKING:
    import keras


class LiteRTEngine:
    """A generator flatbuffer on the CPU: float32 (1, h, w, 3) RGB in nominal [-1, 1] to the same.

    h and w are multiples of 4. Thread-safe: each calling thread gets an interpreter of its own, and inference
    releases the GIL. `threads` is the number of cores one call uses.
    Raises WeightsError when the file is not a generator.
    """

    def __init__(self, flatbuffer: Path, threads: int) -> None:
        self._content = flatbuffer.read_bytes()
        self._threads = threads
        self._local = threading.local()
        with native_stderr_silenced():  # LiteRT greets once a process, and has no switch for it
            try:
                interpreter = self._interpreter()
                _check_is_generator(interpreter)
                self(np.zeros((1, 4, 4, 3), np.float32))
            except (ValueError, RuntimeError) as error:
                raise WeightsError(f"not a usable LiteRT generator ({first_line(error)})") from error

    def __call__(self, photo: Array) -> Array:
        """Run the generator; a new shape costs some ten milliseconds of planning, the same shape again nothing."""
        interpreter = self._interpreter()
        (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
        try:
            if tuple(source["shape"]) != photo.shape:
                interpreter.resize_tensor_input(source["index"], photo.shape)
                interpreter.allocate_tensors()
            interpreter.set_tensor(source["index"], photo)
            interpreter.invoke()
            result: Array = interpreter.get_tensor(target["index"])
        except RuntimeError as error:
            raise EngineError(f"LiteRT could not run the generator ({first_line(error)})") from error
        return result

    def _interpreter(self) -> Interpreter:
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = Interpreter(model_content=self._content, num_threads=self._threads)
        return self._local.interpreter


class TensorFlowEngine:
    """A generator as a Keras model under `tf.function`, batch of one, on the device TensorFlow calls `device`.

    Same contract as `LiteRTEngine`; the numbers agree to 1e-4.
    """

    def __init__(self, model: keras.Model, device: str) -> None:
        import tensorflow as tf

        self._device = device
        self._run = tf.function(model, input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32)])

    def __call__(self, photo: Array) -> Array:
        """Run the generator."""
        import tensorflow as tf

        with tf.device(self._device):
            result: Array = self._run(photo).numpy()
        return result


def gpu_name() -> str:
    """Return TensorFlow's name of the first GPU; raises EngineError when it sees none."""
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        raise EngineError("--device gpu: TensorFlow sees no GPU here; use --device cpu")
    return str(gpus[0].name)


def _check_is_generator(interpreter: Interpreter) -> None:
    details = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    shapes = [tuple(int(n) for n in d["shape_signature"]) for d in details]
    if shapes not in ([(1, -1, -1, 3)] * 2, [(1, -1, -1, 3), (1, -1, -1, 4)]) or any(
        d["dtype"] is not np.float32 for d in details
    ):
        raise WeightsError(
            f"not a generator made by this program: expected float32 [1, any, any, 3] in and out, found {shapes}"
        )
