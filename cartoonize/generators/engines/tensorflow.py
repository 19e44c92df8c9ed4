"""TensorFlow: the engine of NVIDIA GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartoonize.errors import EngineError
from cartoonize.method.pixels import Array

if TYPE_CHECKING:
    import keras


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
