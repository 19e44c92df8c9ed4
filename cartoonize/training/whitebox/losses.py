"""The terms of the training's loss as pure functions of tensors to a float32 scalar, unweighted.

The adversarial terms of Wang & Yu 2020 (surface, equation 1, and texture, equation 5) are a pair of least-squares
losses here, as in the release.

They are computed in float32 whatever comes in: normalised as they are, half precision has no room for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

NAMES = (
    "reconstruction",
    "generator",
    "surface",
    "texture",
    "structure",
    "content",
    "variation",
    "style",
    "surface_discriminator",
    "texture_discriminator",
    "r1",
)
"""Of the losses, as steps return them: the sum of the generator's, `generator`, before its terms."""


def lsgan_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Least-squares GAN, the discriminator's side: half of mean (real - 1)² + mean fake², of scores of any shape."""
    real, fake = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
    return (tf.reduce_mean(tf.square(real - 1)) + tf.reduce_mean(tf.square(fake))) / 2


def lsgan_generator(fake: tf.Tensor) -> tf.Tensor:
    """Least-squares GAN, the generator's side: mean (fake - 1)², of scores of any shape."""
    return tf.reduce_mean(tf.square(tf.cast(fake, tf.float32) - 1))


def hinge_discriminator(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Hinge loss, the discriminator's side: mean max(0, 1 - real) + mean max(0, 1 + fake), of scores of any shape."""
    real, fake = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
    return tf.reduce_mean(tf.nn.relu(1 - real)) + tf.reduce_mean(tf.nn.relu(1 + fake))


def hinge_generator(fake: tf.Tensor) -> tf.Tensor:
    """Hinge loss, the generator's side: -mean fake, of scores of any shape."""
    return -tf.reduce_mean(tf.cast(fake, tf.float32))


class Adversarial(NamedTuple):
    """Both sides of an adversarial loss, of scores: (real, fake) and (fake,)."""

    discriminator: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    generator: Callable[[tf.Tensor], tf.Tensor]


ADVERSARIAL = {
    "lsgan": Adversarial(lsgan_discriminator, lsgan_generator),
    "hinge": Adversarial(hinge_discriminator, hinge_generator),
}


def feature_distance(a: Sequence[tf.Tensor], b: Sequence[tf.Tensor]) -> tf.Tensor:
    """Sum over feature maps (N, h, w, c) of mean |a - b| divided by h·w·c.

    Structure loss (equation 3): a picture and its structure view. Content loss: a result and its photo. By the
    division, which is the release's, the same difference weighs a quarter in patches of twice the side.
    """
    return tf.add_n([_map_distance(*pair) for pair in zip(a, b, strict=True)])


def _map_distance(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    height_width_channels = tf.cast(tf.reduce_prod(tf.shape(a)[1:]), tf.float32)
    return tf.reduce_mean(tf.abs(tf.cast(a, tf.float32) - tf.cast(b, tf.float32))) / height_width_channels


def moment_distance(a: Sequence[tf.Tensor], b: Sequence[tf.Tensor]) -> tf.Tensor:
    """Sum over feature maps (N, h, w, c) of how far apart their channels' means and standard deviations are.

    Those of a whole batch, as Huang & Belongie 2017 match those of single pictures. A map's differences are summed
    over channels and divided by the sum of b's deviations: whatever unit the features have, 1 is far.
    """
    return tf.add_n([_map_moments(*pair) for pair in zip(a, b, strict=True)])


def _map_moments(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    (mean_a, deviation_a), (mean_b, deviation_b) = (_moments(tf.cast(x, tf.float32)) for x in (a, b))
    apart = tf.abs(mean_a - mean_b) + tf.abs(deviation_a - deviation_b)
    return tf.reduce_sum(apart) / tf.reduce_sum(deviation_b)


def _moments(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    mean, variance = tf.nn.moments(x, (0, 1, 2))
    return mean, tf.sqrt(variance + 1e-8)  # whose slope at 0 has no end


def total_variation(x: tf.Tensor) -> tf.Tensor:
    """Mean squared forward differences down plus those across, divided by 3·H·W; x is (N, H, W, 3), H and W ≥ 2.

    By that division, which is the release's, the same picture weighs a quarter in patches of twice the side.
    """
    x = tf.cast(x, tf.float32)
    down = tf.reduce_mean(tf.square(x[:, 1:] - x[:, :-1]))
    across = tf.reduce_mean(tf.square(x[:, :, 1:] - x[:, :, :-1]))
    height_width = tf.cast(tf.reduce_prod(tf.shape(x)[1:3]), tf.float32)
    return (down + across) / (3 * height_width)
