"""The student as a Keras model that `fit()` trains to draw like the teacher."""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from cartoonize.method.guided_filter import EPS, RADIUS
from cartoonize.training.distillation.fidelity import FLAT_BELOW
from cartoonize.training.tensor_filter import filter_batch
from cartoonize.training.trainee import Terms, Trainee

TONE_SIDES = (4, 16)  # pixels
LUMA = (0.299, 0.587, 0.114)  # of R, G, B (BT.601)
FLAT = FLAT_BELOW / 127.5  # of values -1 to 1
LEAST_INK = 1e-4
BEST_ERROR = 1e-6  # mean square; 60 dB, of which more would not be seen


class LossWeights(NamedTuple):
    """Weights beside the L1 of the filtered pictures' pixels.

    gradient: of the L1 of differences; tone: of `tone_error`; psnr: of `psnr`, which is to rise; flat: of `flat_error`;
    raw: of the pictures before the guided filter; ink: of `ink_error`, where the teacher draws ink.
    """

    gradient: float
    tone: float
    psnr: float
    flat: float
    raw: float
    ink: float


class Distiller(Trainee):
    """A generator whose loss is the likeness of its pictures to the teacher's, above all after the guided filter.

    Fit it with (photos, teacher's pictures, pixel weights): float32 (N, H, W, 3) in [-1, 1], the same or with
    ink in [0, 1] as a fourth channel, (N, H, W).
    """

    def __init__(self, generator: keras.Model) -> None:
        super().__init__(generator, name="distiller")

    def compile(self, optimizer: keras.optimizers.Optimizer, *, ema: float, weights: LossWeights) -> None:
        """Set the optimizer, the momentum of the average and what the parts of the loss weigh."""
        self.follow(optimizer, ema)
        self.weights_of_losses = weights

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> Terms:
        """Take one step; returns the loss. It is compiled and not to be called as it is."""
        photos, drawn, weights = data
        with tf.GradientTape() as tape:
            pictures = self.generator(photos, training=True)
            loss = distillation_loss(photos, drawn, pictures, weights, self.weights_of_losses)
            share = self.share(loss)
        self.update_generator(tape.gradient(share, self.generator.trainable_variables))
        return {"distillation": loss}


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # five times faster than TensorFlow's kernels
def distillation_loss(
    photo: tf.Tensor, y: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor, of: LossWeights
) -> tf.Tensor:
    """Return `unlikeness`, weighted `tone_error`, `psnr`, `flat_error` after the guided filter, `unlikeness` before it.

    The filter removes most of what is hard to imitate, the teacher's noise at the level of single pixels:
    without its view the loss would be mostly that. Without the raw view, what the filter removes would be
    left to chance, and it is seen again when a user asks for less filtering. Ink is laid on after the filter, and has
    a term of its own.
    """
    inked = y.shape[-1] == 4
    ink = of.ink * ink_error(y[..., 3], y_pred[..., 3], weights) if inked else 0.0
    y, y_pred = y[..., :3], y_pred[..., :3]
    y_filtered, pred_filtered = (filter_batch(photo, picture, RADIUS, EPS) for picture in (y, y_pred))
    after = unlikeness(y_filtered, pred_filtered, weights, of.gradient)
    after += of.tone * tone_error(y_filtered, pred_filtered, weights)
    after -= of.psnr * psnr(y_filtered, pred_filtered, weights)
    after += of.flat * flat_error(y_filtered, pred_filtered, weights)
    return ink + after + of.raw * unlikeness(y, y_pred, weights, of.gradient)


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


def ink_error(y: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return the mean cross entropy of ink, float32 (N, H, W) in [0, 1], over the pixels' weights of the same shape.

    Few pixels have ink. An L1 is smallest without any where its place is doubtful; this is where the ink drawn is as
    probable as there is ink.
    """
    p = tf.clip_by_value(y_pred, LEAST_INK, 1 - LEAST_INK)
    entropy = -(y * tf.math.log(p) + (1 - y) * tf.math.log(1 - p))
    return tf.reduce_sum(entropy * weights) / tf.reduce_sum(weights)


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


def flat_error(y: tf.Tensor, y_pred: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Return how much luma differs between neighbours that the teacher draws in one tone; shapes as in `unlikeness`.

    Pairs count whose luma the teacher lets differ by less than `FLAT`, the mean is taken over all. An uncertain student
    shades softly where the teacher sets one tone beside the next: a small error of each pair, hidden by those of edges.
    """
    total = tf.constant(0.0)
    y, y_pred = (tf.linalg.matvec(picture, LUMA) for picture in (y, y_pred))
    for axis in (1, 2):
        weight = tf.minimum(*_neighbours(weights, axis))
        drawn, student = (after - before for before, after in (_neighbours(y, axis), _neighbours(y_pred, axis)))
        flat = tf.cast(tf.abs(drawn) < FLAT, tf.float32)
        total += tf.reduce_sum(tf.abs(student) * flat * weight) / tf.reduce_sum(weight)
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
