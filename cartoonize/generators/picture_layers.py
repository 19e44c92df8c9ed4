"""What lies around a generator in a Keras model of whole cartoons: uint8 to [-1, 1], padding, filter, ink, uint8.

Imported only where Keras is: by exports, and by whoever reads a `.keras` of whole cartoons.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from cartoonize.generators import architectures  # whoever reads such a `.keras` needs its layers too
from cartoonize.generators.card import Card
from cartoonize.method.guided_filter import guided_filter
from cartoonize.method.inking import paper
from cartoonize.method.pixels import HALF_RANGE, TRUNCATION_GUARD


def picture_model(generator: keras.Model, card: Card, alignment: int) -> keras.Model:
    """Return the model of whole cartoons: uint8 (N, H, W, 3) of any size to the same.

    card: of the generator, whose guided filter it has; alignment: of the sides that the generator takes.
    """
    photo = keras.Input((None, None, 3), dtype="uint8", name="photo")
    drawn = generator(Padding(alignment, dtype="float32")(photo))
    cartoon = Finishing(card.radius, card.eps, dtype="float32")([photo, drawn])
    return keras.Model(photo, cartoon, name="cartoon")


@keras.saving.register_keras_serializable("cartoonize")
class Padding(layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """uint8 (N, H, W, 3) to float32 in [-1, 1], the last row and column repeated up to multiples of the alignment."""

    def __init__(self, alignment: int, **options: Any) -> None:
        super().__init__(**options)
        self.alignment = alignment

    def call(self, photo: tf.Tensor) -> tf.Tensor:
        """Apply the operation."""
        network = _to_network(photo)
        for axis in (1, 2):
            side = tf.shape(photo)[axis]
            padded = -(-side // self.alignment) * self.alignment
            network = tf.gather(network, tf.minimum(tf.range(padded), side - 1), axis=axis)
        return network

    def compute_output_shape(self, shape: architectures.Shape) -> architectures.Shape:
        """Return the output's shape; None stands for any size."""
        batch, *sides, channels = shape
        height, width = (side and -(-side // self.alignment) * self.alignment for side in sides)
        return (batch, height, width, channels)

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        return {**super().get_config(), "alignment": self.alignment}


@keras.saving.register_keras_serializable("cartoonize")
class Finishing(layers.Layer):  # type: ignore[misc]  # as above
    """A photo, uint8 (N, H, W, 3), and what a generator drew for it, padded, to the cartoon, uint8 (N, H, W, 3)."""

    def __init__(self, radius: int, eps: float, **options: Any) -> None:
        super().__init__(**options)
        self.radius, self.eps = radius, eps

    def call(self, pictures: list[tf.Tensor]) -> tf.Tensor:
        """Apply the operation."""
        photo, drawn = pictures
        drawn = drawn[:, : tf.shape(photo)[1], : tf.shape(photo)[2]]
        filtered = guided_filter(_to_network(photo), drawn[..., :3], self.radius, self.eps, _mean)
        levels = (filtered + np.float32(1)) * np.float32(HALF_RANGE) + np.float32(TRUNCATION_GUARD)
        picture = tf.floor(tf.clip_by_value(levels, 0, 255))
        return tf.cast(_inked(picture, drawn[..., 3:]) if drawn.shape[3] == 4 else picture, tf.uint8)

    def compute_output_shape(self, shapes: list[architectures.Shape]) -> architectures.Shape:
        """Return the output's shape."""
        return shapes[0]

    def compute_output_spec(self, pictures: list[keras.KerasTensor]) -> keras.KerasTensor:
        """Return what comes out; Keras would think it float32."""
        return keras.KerasTensor(pictures[0].shape, dtype="uint8")

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        return {**super().get_config(), "radius": self.radius, "eps": self.eps}


def _to_network(photo: tf.Tensor) -> tf.Tensor:
    return tf.cast(photo, tf.float32) / np.float32(HALF_RANGE) - np.float32(1)


def _mean(x: tf.Tensor, radius: int) -> tf.Tensor:
    return tf.nn.avg_pool2d(x, 2 * radius + 1, strides=1, padding="SAME")  # counts no padding


def _inked(picture: tf.Tensor, ink: tf.Tensor) -> tf.Tensor:
    """Lay ink on as `inking.inked` does with the look's own lines."""
    level = tf.cast(tf.round(255 * tf.clip_by_value(ink, 0, 1)), tf.int32)
    light = tf.gather(tf.constant(paper(1.0, 1.0).astype(np.float32) / np.float32(255)), level)
    return tf.round(picture * light)
