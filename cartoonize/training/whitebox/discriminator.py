"""The patch discriminator, every convolution spectrally normalised (Miyato et al. 2018)."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import layers

from cartoonize.generators.architectures import LEAKY_SLOPE


@keras.saving.register_keras_serializable("cartoonize")
class SpectralConv2D(layers.Conv2D):  # type: ignore[misc]  # Keras ships no types
    """A convolution with its kernel divided by the kernel's largest singular value, as one power iteration has it.

    The kernel stays as the optimizer left it, and the gradient goes through the division; the vector of the
    iteration is a non-trainable weight that changes only under `training=True`. Keras' `SpectralNormalization`
    overwrites the kernel instead, with no gradient of the division.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Add the iteration's vector u, (1, filters), to the convolution's weights."""
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(1, self.filters),
            initializer="random_normal",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",  # all have the same kernel, so the same vector
        )

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Convolve; `training` also keeps the power iteration's vector."""
        return self.convolution_op(x, self.normalized_kernel(training)) + self.bias

    def normalized_kernel(self, training: bool = False) -> tf.Tensor:
        """Return the kernel that the convolution uses, largest singular value about 1."""
        kernel = tf.cast(self.kernel, tf.float32)
        matrix = tf.reshape(kernel, (-1, self.filters))
        fixed = tf.stop_gradient(matrix)
        v = tf.math.l2_normalize(tf.matmul(self.u.value, fixed, transpose_b=True))
        u = tf.math.l2_normalize(tf.matmul(v, fixed))
        if training:
            self.u.assign(u)
        sigma = tf.matmul(tf.matmul(v, matrix), u, transpose_b=True)
        return tf.cast(kernel / tf.squeeze(sigma), self.compute_dtype)


def build_discriminator(in_channels: int, channels: int = 32) -> keras.Model:
    """Build a discriminator: float (N, H, W, in_channels) in [-1, 1] to scores (N, H/8, W/8, 1), unbounded.

    Call it with `training=True` once per discriminator step and in no other place (see `SpectralConv2D`).
    """
    x = image = keras.Input((None, None, in_channels), name="image")
    for k in range(3):
        x = _conv_leaky(x, channels * 2**k, f"down_{k}", stride=2)
        x = _conv_leaky(x, channels * 2**k, f"conv_{k}")
    scores = SpectralConv2D(1, 1, name="score")(x)
    return keras.Model(image, scores, name="discriminator")


def _conv_leaky(x: keras.KerasTensor, filters: int, name: str, stride: int = 1) -> keras.KerasTensor:
    x = SpectralConv2D(filters, 3, stride, padding="same", name=name)(x)
    return layers.LeakyReLU(negative_slope=LEAKY_SLOPE)(x)
