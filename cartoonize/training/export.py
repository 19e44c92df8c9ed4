"""Weights out of a training, in the forms that `cartoonize --weights` takes."""

from __future__ import annotations

from pathlib import Path

import keras

from cartoonize.generators.card import Card
from cartoonize.generators.conversion import flatbuffer, keras_model
from cartoonize.generators.weights import locate
from cartoonize.media.files import replacing, write_atomically


def write_weights(generator: keras.Model, path: Path) -> None:
    """Write a generator's `.weights.h5` whole or not at all, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        generator.save_weights(partial, overwrite=True)


def export(generator: keras.Model, folder: Path, name: str, card: Card, *, half: bool = False) -> Path:
    """Write a generator as `NAME.weights.h5` and `NAME.tflite`, and return the path of the latter.

    card: what the flatbuffer says of itself. half: it holds float16.
    """
    weights, target = folder / f"{name}.weights.h5", folder / f"{name}.tflite"
    write_weights(generator, weights)
    # Read back, it is in float32 whatever it was trained in.
    write_atomically(target, flatbuffer(keras_model(locate(weights)), half=half, card=card), overwrite=True)
    return target
