"""The student as a Keras model that `fit()` trains to draw like the teacher."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from cartoonize.method.guided_filter import EPS, RADIUS
from cartoonize.training.tensor_filter import guided_filter

TONE_SIDES = (4, 16)  # pixels
BEST_ERROR = 1e-6  # mean square; 60 dB, of which more would not be seen


class LossWeights(NamedTuple):
    """Weights beside the L1 of the filtered pictures' pixels.

    gradient: of the L1 of differences; tone: of `tone_error`; psnr: of `psnr`, which is to rise; raw: of the pictures
    before the guided filter.
    """

    gradient: float
    tone: float
    psnr: float
    raw: float


class Distiller(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """A generator whose loss is the likeness of its pictures to the teacher's, above all after the guided filter.

    Fit it with (photos, teacher's pictures, pixel weights): float32 (N, H, W, 3) in [-1, 1], the same, (N, H, W).
    """

    def compile(self, optimizer: keras.optimizers.Optimizer, loss_weights: LossWeights) -> None:
        """Set the optimizer and what the parts of the loss weigh."""
        super().compile(optimizer, jit_compile=False)
        self.weights_of_losses = loss_weights

    def compute_loss(
        self,
        x: tf.Tensor,
        y: tf.Tensor,
        y_pred: tf.Tensor,
        sample_weight: tf.Tensor,
        **_: Any,
    ) -> tf.Tensor:
        """Return the loss of a batch."""
        return distillation_loss(x, y, y_pred, sample_weight, *self.weights_of_losses)


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # five times faster than TensorFlow's kernels
def distillation_loss(
    photo: tf.Tensor,
    y: tf.Tensor,
    y_pred: tf.Tensor,
    weights: tf.Tensor,
    gradient_weight: float,
    tone_weight: float,
    psnr_weight: float,
    raw_weight: float,
) -> tf.Tensor:
    """Return `unlikeness` and weighted `tone_error` and `psnr` after the guided filter, `unlikeness` before it.

    The filter removes most of what is hard to imitate, the teacher's noise at the level of single pixels:
    without its view the loss would be mostly that. Without the raw view, what the filter removes would be
    left to chance, and it is seen again when a user asks for less filtering.
    """
    y_filtered, pred_filtered = (guided_filter(photo, picture, RADIUS, EPS) for picture in (y, y_pred))
    after = unlikeness(y_filtered, pred_filtered, weights, gradient_weight)
    after += tone_weight * tone_error(y_filtered, pred_filtered, weights)
    after -= psnr_weight * psnr(y_filtered, pred_filtered, weights)
    return after + raw_weight * unlikeness(y, y_pred, weights, gradient_weight)


def unlikeness(y: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor, gradient_weight: float) -> tf.Tensor:
    """Return the L1 of pixels plus `gradient_weight` times the L1 of horizontal and vertical differences.

    Pictures float32 (N, H, W, 3); the mean is taken over the pixels' weights, (N, H, W).
    """
    error = y_pred - y  # whose differences are the errors of the differences
    total = _weighted_mean(error, weights)
    for axis in (1, 2):
        before, after = _neighbours(error, axis)
        total += gradient_weight * _weighted_mean(after - before, tf.minimum(*_neighbours(weights, axis)))
    return total


def tone_error(y: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return the L1 of the pictures' means over squares of `TONE_SIDES`, both sizes added; shapes as in `unlikeness`.

    A surface of another tone is a small error of each pixel, little beside a line's; here it is all that is left.
    """
    total = tf.constant(0.0)
    for side in TONE_SIDES:
        weight = tf.nn.avg_pool2d(weights[..., None], side, side, "VALID")
        error = tf.nn.avg_pool2d((y_pred - y) * weights[..., None], side, side, "VALID")
        total += tf.reduce_sum(tf.reduce_mean(tf.abs(error), axis=-1)) / tf.reduce_sum(weight)
    return total


def psnr(y: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return the PSNR in dB, the mean over the pictures (as in HINet, CVPR Workshops 2021); shapes as in `unlikeness`.

    The L1 leaves rare large errors to chance; the logarithm lets every picture count alike, busy or plain.
    """
    squares = tf.reduce_sum(tf.reduce_mean(tf.square(y_pred - y), axis=-1) * weights, axis=(1, 2))
    error = squares / tf.reduce_sum(weights, axis=(1, 2)) / 4  # of values 0 to 1
    return tf.reduce_mean(-10 * tf.math.log(error + BEST_ERROR)) / tf.math.log(10.0)


def _neighbours(x: tf.Tensor, axis: int) -> tuple[tf.Tensor, tf.Tensor]:
    return (x[:, :-1], x[:, 1:]) if axis == 1 else (x[:, :, :-1], x[:, :, 1:])


def _weighted_mean(error: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.reduce_mean(tf.abs(error), axis=-1) * weights) / tf.reduce_sum(weights)
