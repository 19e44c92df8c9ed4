"""Weights in any form -> Keras model -> LiteRT flatbuffer: what CPU inference needs TensorFlow for, once per file.

The authors' checkpoint takes and returns BGR; the flip is folded into its first and last convolution here,
so that everything else is RGB.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import WeightsError
from cartoonize.native_logs import native_stderr_silenced
from cartoonize.release import cache_folder
from cartoonize.weights import Weights, fingerprint, keras_weights

if TYPE_CHECKING:
    import keras

# Part of the cache's key: raise it when the same weights would convert to another flatbuffer.
CONVERTER_VERSION = 1


def cached_flatbuffer(weights: Weights) -> Path:
    """Return the weights as a `.tflite` file, converted on first use and kept in the user's cache by content.

    Raises WeightsError when they do not fit a generator or the cache cannot be written.
    """
    target = cache_folder() / "converted" / f"{fingerprint(weights)}-{CONVERTER_VERSION}.tflite"
    if not target.is_file():
        data = flatbuffer(keras_model(weights))
        try:
            _write(target, data)
        except OSError as error:
            raise WeightsError(f"{target}: the converted weights cannot be kept ({error.strerror})") from error
    return target


def keras_model(weights: Weights) -> keras.Model:
    """Load weights into the architecture they fit; raises WeightsError when there is none."""
    weights = keras_weights(weights)
    load = _from_checkpoint if weights.kind == "checkpoint" else _from_keras
    with native_stderr_silenced():  # TensorFlow's first steps print what hardware it did not find
        return load(weights.path)


def flatbuffer(model: keras.Model, *, half: bool = False) -> bytes:
    """Convert a generator to a LiteRT flatbuffer with input [1, any, any, 3]; `half` stores weights as float16."""
    with native_stderr_silenced():
        return _flatbuffer(model, half)


def _flatbuffer(model: keras.Model, half: bool) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    run = tf.function(lambda photo: model(photo), input_signature=[tf.TensorSpec((1, None, None, 3), name="photo")])
    # Keras 3 variables are not embedded by the converter; frozen to constants beforehand they are.
    frozen = convert_variables_to_constants_v2(run.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    data: bytes = converter.convert()
    return data


def release_scope(layer_name: str) -> str:
    """Return the release's variable scope of a U-Net layer: `conv_4` -> `generator/Conv_4`."""
    if layer_name.startswith("block"):
        block, conv = layer_name.rsplit("_", 1)
        return f"generator/{block}/{conv}"
    return f"generator/{layer_name.capitalize()}"


def _from_checkpoint(prefix: Path) -> keras.Model:
    import tensorflow as tf

    from cartoonize.training.generator import build_unet

    model = build_unet()
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        for layer in (layer for layer in model.layers if layer.weights):
            scope = release_scope(layer.name)
            kernel, bias = reader.get_tensor(f"{scope}/weights"), reader.get_tensor(f"{scope}/biases")
            layer.set_weights(_bgr_to_rgb(layer.name, kernel, bias))
    except (tf.errors.OpError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise WeightsError(f"{prefix}: not the authors' generator, or damaged ({reason})") from error
    return model


def _bgr_to_rgb(name: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    if name == "conv":
        return [kernel[:, :, ::-1], bias]
    if name == "conv_9":
        return [kernel[..., ::-1], bias[::-1]]
    return [kernel, bias]


def _from_keras(path: Path) -> keras.Model:
    from cartoonize.training.generator import ARCHITECTURES

    reasons = []
    for name, build in ARCHITECTURES.items():
        model = build()
        try:
            model.load_weights(path)
        except (ValueError, OSError, KeyError, RuntimeError) as error:
            reasons.append(f"{name}: {str(error).strip().splitlines()[0]}")
        else:
            return model
    raise WeightsError(f"{path}: fits no generator, or is damaged ({'; '.join(reasons)})")


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".converting-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
