"""Discriminators that look at frozen features in place of pixels (Projected GANs, Sauer et al. 2021).

They know objects from the first step on, so that a few hundred cartoons and an hour of a processor show; pixels alone
teach a discriminator about pictures only in the long run.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from cartoonize.generators.architectures import LEAKY_SLOPE
from cartoonize.training.whitebox.discriminator import SpectralConv2D
from cartoonize.training.whitebox.lite0 import build_lite0

TAPS = (0, 2, 4, 7, 10)  # lite0's blocks at 1/2, 1/4, 1/8, 1/16 and 1/16 of the side
SIZES = (6.4, 8.2, 7.1, 6.2, 6.2)  # root mean squares of their outputs, of photos
STRIDES = ((2, 2, 2), (2, 2, 1), (2, 1, 1), (1, 1, 1), (1, 1, 1))  # of the heads: all end at a sixteenth
PROJECTED = 48  # channels


def build_projected_discriminator(in_channels: int, channels: int = 64) -> keras.Model:
    """Build a discriminator: float (N, H, W, in_channels) in [-1, 1] to scores (N, H/16, W/16, 5), unbounded.

    in_channels: 1 or 3. Each of lite0's maps is divided by its size, mixed at random once and for all, and judged by a
    small network of its own, spectrally normalised. Call it as `build_discriminator` says. Raises WeightsError.
    """
    image = keras.Input((None, None, in_channels), name="image")
    colors = layers.Concatenate()([image] * 3) if in_channels == 1 else image
    features = build_lite0(taps=TAPS)
    features.trainable = False
    scores = [
        _head(Projection(PROJECTED, size, n, name=f"projection_{n}")(found), strides, channels, n)
        for n, (found, size, strides) in enumerate(zip(features(colors), SIZES, STRIDES, strict=True))
    ]
    return keras.Model(image, layers.Concatenate()(scores), name="projected_discriminator")


@keras.saving.register_keras_serializable("cartoonize")
class Projection(layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """A fixed random mixture of channels, divided by their usual size."""

    def __init__(self, channels: int, size: float, seed: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.channels, self.size, self.seed = channels, size, seed

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Draw the mixture, (channels in, channels out), the same for equal seeds."""
        depth = input_shape[-1] or 0
        draw = np.random.default_rng(self.seed).normal(scale=depth**-0.5, size=(depth, self.channels))
        self.mixture = (draw / self.size).astype(np.float32)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Mix a map (N, h, w, c)."""
        return tf.einsum("nhwc,cd->nhwd", x, tf.cast(self.mixture, x.dtype))


def _head(x: keras.KerasTensor, strides: tuple[int, ...], channels: int, number: int) -> keras.KerasTensor:
    for k, stride in enumerate(strides):
        x = SpectralConv2D(channels, 3, stride, padding="same", name=f"head_{number}_{k}")(x)
        x = layers.LeakyReLU(negative_slope=LEAKY_SLOPE)(x)
    return SpectralConv2D(1, 1, name=f"score_{number}")(x)
