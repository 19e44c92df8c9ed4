"""How discriminators are taught, and what they ask of a generator: the loss, the penalty, the augmentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import tensorflow as tf

from cartoonize.training.whitebox.augmentation import augment
from cartoonize.training.whitebox.losses import ADVERSARIAL

Discriminator: TypeAlias = Callable[..., tf.Tensor]


class Lesson(NamedTuple):
    """What a discriminator is to descend: its loss, and the weighted penalty."""

    loss: tf.Tensor
    penalty: tf.Tensor


@dataclass(frozen=True)
class Judging:
    """The keys of `config.Discriminators`."""

    loss: str = "lsgan"
    r1: float = 0.0
    augment: tuple[str, ...] = ()

    def lesson(self, discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, seed: tf.Tensor) -> Lesson:
        """Look at cartoons and drawings once.

        One call for both kinds, since each one moves the power iteration on.
        """
        both = augment(tf.concat([real, fake], 0), seed, self.augment)
        scores = discriminator(both, training=True)
        real_scores, fake_scores = tf.split(scores, 2)
        loss = ADVERSARIAL[self.loss].discriminator(real_scores, fake_scores)
        return Lesson(loss, self.r1 * gradient_penalty(real_scores, both) if self.r1 else tf.zeros(()))

    def demand(self, discriminator: Discriminator, fake: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Return the generator's loss."""
        return ADVERSARIAL[self.loss].generator(discriminator(augment(fake, seed, self.augment), training=False))


def gradient_penalty(scores: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
    """R1 of Mescheder et al. 2018 at a weight of 1: half of |d score / d picture|², the mean over scores (N, h, w, 1).

    pictures: what the scores, and perhaps others, were computed of. Scores of one picture look at parts that overlap
    little: their gradients are taken as one, of the sum. For use in a `tf.function`.
    """
    (slope,) = tf.gradients(tf.reduce_sum(tf.cast(scores, tf.float32)), pictures)
    return tf.reduce_sum(tf.square(slope)) / 2 / tf.cast(tf.size(scores), tf.float32)
