"""The white-box GAN as a Keras model that `fit()` trains: a generator, two discriminators and frozen features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.method.constants import TRAINING_EPS
from cartoonize.method.guided_filter import RADIUS
from cartoonize.training.tensor_filter import filter_batch
from cartoonize.training.trainee import Terms, Trainee, optimizer_state
from cartoonize.training.whitebox.discriminator import build_discriminator
from cartoonize.training.whitebox.features import Network
from cartoonize.training.whitebox.judging import Judging
from cartoonize.training.whitebox.losses import feature_distance, moment_distance, total_variation
from cartoonize.training.whitebox.projected import build_projected_discriminator
from cartoonize.training.whitebox.tensor_views import surface, texture

DISCRIMINATORS = {"patch": build_discriminator, "projected": build_projected_discriminator}


@dataclass(frozen=True)
class Views:
    """What a cartoon is looked at with, none of it trained.

    features: frozen network. structure: computes that of a batch (N, H, W, 3). texture: how the random channel is
    mixed. weights: of the generator's losses by name; `style` may be absent. judging: what discriminators do.
    """

    features: Network
    structure: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    texture: Literal["release", "paper"]
    weights: Mapping[str, float]
    judging: Judging = field(default_factory=Judging)


class WhiteBoxGAN(Trainee):
    """Generator and discriminators of Wang & Yu (CVPR 2020).

    Fit it with (photos,) to pretrain, else with (photos, cartoons): (N, H, W, 3) in [-1, 1].
    """

    def __init__(
        self, generator: keras.Model, seed: int, discriminator: Literal["patch", "projected"] = "patch"
    ) -> None:
        super().__init__(generator, name="whitebox")
        build = DISCRIMINATORS[discriminator]
        self.surface_discriminator = build(in_channels=3)
        self.texture_discriminator = build(in_channels=1)
        self.seed = seed

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        *,
        ema: float,
        views: Views,
    ) -> None:
        """Set the optimizers, with their state, the momentum of the average and the views."""
        self.follow(optimizer, ema)
        self.discriminator_optimizer = discriminator_optimizer
        self.views = views
        discriminator_optimizer.build(self._discriminator_variables())

    def call(self, photos: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return the generator's cartoons after the guided filter, the form in which everything looks at them."""
        return draw(self.generator, photos, training=training)

    def train_step(self, data: tuple[tf.Tensor, ...]) -> Terms:
        """Take one step of the phase that the data are of.

        Returns every loss by name, the generator's times their weights. It is compiled and not to be called as it is.
        """
        return self._pretrain(*data) if len(data) == 1 else self._train(*data)

    def _pretrain(self, photos: tf.Tensor) -> Terms:
        """Reconstruct photos. Without the guided filter: it would restore by itself what the generator leaves out."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(tf.cast(self.generator(photos, training=True), tf.float32) - photos))
            share = self.share(loss)
        self.update_generator(tape.gradient(share, self.generator.trainable_variables))
        return {"reconstruction": loss}

    def _train(self, photos: tf.Tensor, cartoons: tf.Tensor) -> Terms:
        seed = tf.stack([tf.constant(self.seed, tf.int64), self.step.value])
        with tf.GradientTape() as tape:
            drawn = self(photos, training=True)
        # Python works at it, in other processes, while the discriminators learn.
        structure = tf.ensure_shape(tf.numpy_function(self.views.structure, [drawn], tf.float32), drawn.shape)
        smooth = surface(drawn)
        critics = self._train_discriminators(cartoons, drawn, smooth, seed)
        terms, slope = self._generator_terms((photos, cartoons), (drawn, smooth, structure), seed)
        self.update_generator(tape.gradient(drawn, self.generator.trainable_variables, output_gradients=slope))
        return terms | critics

    def _train_discriminators(self, cartoons: tf.Tensor, drawn: tf.Tensor, smooth: tf.Tensor, seed: tf.Tensor) -> Terms:
        real_texture, fake_texture = texture([cartoons, drawn], seed, variant=self.views.texture)
        real_surface = surface(cartoons)
        teach = self.views.judging.lesson
        with tf.GradientTape() as tape:
            of_surface = teach(self.surface_discriminator, real_surface, smooth, _fold(seed, 0))
            of_texture = teach(self.texture_discriminator, real_texture, fake_texture, _fold(seed, 1))
            losses = {"surface_discriminator": of_surface.loss, "texture_discriminator": of_texture.loss}
            if self.views.judging.r1:
                losses["r1"] = of_surface.penalty + of_texture.penalty
            share = self.share(tf.add_n(list(losses.values())))
        variables = self._discriminator_variables()
        self.discriminator_optimizer.apply(tape.gradient(share, variables), variables)
        return losses

    def _generator_terms(
        self,
        batch: tuple[tf.Tensor, tf.Tensor],
        views: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
        seed: tf.Tensor,
    ) -> tuple[Terms, tf.Tensor]:
        """Return the generator's losses, and the gradient of their sum with respect to what it has drawn.

        batch: photos and cartoons; views: what is drawn of the photos, its surface and its structure.
        """
        (photos, cartoons), (drawn, smooth, structure) = batch, views
        (channel,) = texture([drawn], seed, variant=self.views.texture)
        features, demand = self.views.features, self.views.judging.demand
        seen = features(drawn)
        terms = {
            "surface": demand(self.surface_discriminator, smooth, _fold(seed, 2)),
            "texture": demand(self.texture_discriminator, channel, _fold(seed, 3)),
            "structure": feature_distance(seen.content, features(structure).content),
            "content": feature_distance(seen.content, features(photos).content),
            "variation": total_variation(drawn),
        }
        if self.views.weights.get("style"):
            terms["style"] = moment_distance(seen.style, features(cartoons).style)
        terms = {name: self.views.weights[name] * term for name, term in terms.items()}
        total = tf.add_n(list(terms.values()))
        # A tape would sum these gradients by AddN, whose order is a matter of timing; of two it does not matter.
        tree = tf.AggregationMethod.EXPERIMENTAL_TREE
        (slope,) = tf.gradients(self.share(total), drawn, aggregation_method=tree)
        return {"generator": total, **terms}, slope

    def parts(self) -> dict[str, list[keras.Variable]]:
        """Return the state of the discriminators too, power iterations' vectors included."""
        return super().parts() | {
            "surface_discriminator": self.surface_discriminator.weights,
            "texture_discriminator": self.texture_discriminator.weights,
            "discriminator_optimizer": optimizer_state(self.discriminator_optimizer),
        }

    def _discriminator_variables(self) -> list[keras.Variable]:
        return [*self.surface_discriminator.trainable_variables, *self.texture_discriminator.trainable_variables]


@contextmanager
def reproducible() -> Iterator[None]:
    """Let equal steps give equal bits on a CPU: compile the model's functions in here."""
    before = tf.config.optimizer.get_experimental_options()
    # It joins additions into one AddN, which begins with whichever operand it may overwrite: a matter of timing.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True} | before)


def draw(generator: keras.Model, photos: tf.Tensor, *, training: bool = False) -> tf.Tensor:
    """Return a generator's cartoons of photos after the guided filter, both float32 (N, H, W, 3), nominally [-1, 1]."""
    return filter_batch(photos, tf.cast(generator(photos, training=training), tf.float32), RADIUS, TRAINING_EPS)


def _fold(seed: tf.Tensor, number: int) -> tf.Tensor:
    """Return another seed, of draws of their own."""
    return tf.random.experimental.stateless_fold_in(seed, number)
