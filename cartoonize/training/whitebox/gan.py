"""The white-box GAN as a Keras model that `fit()` trains: a generator, two discriminators and frozen features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.training.tensor_filter import guided_filter
from cartoonize.training.whitebox.discriminator import build_discriminator
from cartoonize.training.whitebox.losses import feature_distance, lsgan_discriminator, lsgan_generator, total_variation
from cartoonize.training.whitebox.tensor_views import surface, texture

RADIUS, EPS = 1, 1e-2  # of the guided filter in training; inference has a smaller eps

Terms: TypeAlias = dict[str, tf.Tensor]  # loss by name, scalars


@dataclass(frozen=True)
class Views:
    """What a cartoon is looked at with, none of it trained.

    features: frozen network of pictures. structure: computes that of a batch (N, H, W, 3). texture: how the
    random channel is mixed. weights: of the generator's losses by name.
    """

    features: Callable[[tf.Tensor], tf.Tensor]
    structure: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    texture: Literal["release", "paper"]
    weights: Mapping[str, float]


class WhiteBoxGAN(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """Generator and discriminators of Wang & Yu (CVPR 2020), with the state that a checkpoint has to hold.

    `step` counts optimizer steps of both phases; `average` is the generator's exponential moving average; `optimizer`
    is the generator's. Fit it with (photos,) to pretrain, else with (photos, cartoons): (N, H, W, 3) in [-1, 1].
    Built and fitted in the scope of a `tf.distribute` strategy it shares batches out, and takes the same steps.
    """

    def __init__(self, generator: keras.Model, seed: int) -> None:
        super().__init__(name="whitebox", dtype="float32")  # whatever the networks compute in
        self.generator = generator
        self.average = keras.models.clone_model(generator)
        self.average.set_weights(generator.get_weights())
        self.average.trainable = False
        self.surface_discriminator = build_discriminator(in_channels=3)
        self.texture_discriminator = build_discriminator(in_channels=1)
        self.step = self.add_weight(
            name="step", dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica"
        )
        self.seed = seed
        self.built = True  # of layers that are

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        *,
        ema: float,
        views: Views,
    ) -> None:
        """Set the optimizers, the momentum of the average and the views; builds the optimizers' state."""
        super().compile(optimizer, jit_compile=False)
        self.discriminator_optimizer = discriminator_optimizer
        self.ema = ema
        self.views = views
        optimizer.build(self.generator.trainable_variables)
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
            share = self._share(loss)
        self._update_generator(tape.gradient(share, self.generator.trainable_variables))
        return {"reconstruction": loss}

    def _train(self, photos: tf.Tensor, cartoons: tf.Tensor) -> Terms:
        seed = tf.stack([tf.constant(self.seed, tf.int64), self.step.value])
        with tf.GradientTape() as tape:
            drawn = self(photos, training=True)
        # Python works at it, in other processes, while the discriminators learn.
        structure = tf.ensure_shape(tf.numpy_function(self.views.structure, [drawn], tf.float32), drawn.shape)
        critics = self._train_discriminators(cartoons, drawn, seed)
        terms, slope = self._generator_terms(photos, drawn, structure, seed)
        self._update_generator(tape.gradient(drawn, self.generator.trainable_variables, output_gradients=slope))
        return terms | critics

    def _train_discriminators(self, cartoons: tf.Tensor, drawn: tf.Tensor, seed: tf.Tensor) -> Terms:
        real_texture, fake_texture = texture([cartoons, drawn], seed, variant=self.views.texture)
        with tf.GradientTape() as tape:
            losses = {
                "surface_discriminator": _judge(self.surface_discriminator, surface(cartoons), surface(drawn)),
                "texture_discriminator": _judge(self.texture_discriminator, real_texture, fake_texture),
            }
            share = self._share(tf.add_n(list(losses.values())))
        variables = self._discriminator_variables()
        self.discriminator_optimizer.apply(tape.gradient(share, variables), variables)
        return losses

    def _generator_terms(
        self, photos: tf.Tensor, drawn: tf.Tensor, structure: tf.Tensor, seed: tf.Tensor
    ) -> tuple[Terms, tf.Tensor]:
        """Return the generator's losses, and the gradient of their sum with respect to what it has drawn."""
        (channel,) = texture([drawn], seed, variant=self.views.texture)
        features = self.views.features(drawn)
        terms = {
            "surface": lsgan_generator(self.surface_discriminator(surface(drawn), training=False)),
            "texture": lsgan_generator(self.texture_discriminator(channel, training=False)),
            "structure": feature_distance(features, self.views.features(structure)),
            "content": feature_distance(features, self.views.features(photos)),
            "variation": total_variation(drawn),
        }
        terms = {name: self.views.weights[name] * term for name, term in terms.items()}
        total = tf.add_n(list(terms.values()))
        # A tape would sum these gradients by AddN, whose order is a matter of timing; of two it does not matter.
        tree = tf.AggregationMethod.EXPERIMENTAL_TREE
        (slope,) = tf.gradients(self._share(total), drawn, aggregation_method=tree)
        return {"generator": total, **terms}, slope

    def _share(self, loss: tf.Tensor) -> tf.Tensor:
        """Return what a device's loss contributes to the batch's: optimizers add up the gradients of all devices."""
        return loss / self.distribute_strategy.num_replicas_in_sync

    def _update_generator(self, gradients: list[tf.Tensor]) -> None:
        self.optimizer.apply(gradients, self.generator.trainable_variables)
        tf.distribute.get_replica_context().merge_call(self._follow)
        self.step.assign_add(1)

    def _follow(self, strategy: tf.distribute.Strategy) -> None:
        """Move the average after the generator, on each device by itself."""

        def move(average: tf.Variable, variable: tf.Variable) -> None:
            average.assign(self.ema * average + (1 - self.ema) * variable)

        for average, variable in zip(self.average.weights, self.generator.weights, strict=True):
            strategy.extended.update(average.value, move, args=(variable.value,))

    @property
    def steps_done(self) -> int:
        """Optimizer steps taken so far, in both phases."""
        return int(self.step.numpy())

    def state(self) -> dict[str, keras.Variable]:
        """Return all that training changes, by name: step, weights, power iterations' vectors, optimizers' state."""
        parts = {
            "generator": self.generator.weights,
            "average": self.average.weights,
            "surface_discriminator": self.surface_discriminator.weights,
            "texture_discriminator": self.texture_discriminator.weights,
            "optimizer": _state(self.optimizer),
            "discriminator_optimizer": _state(self.discriminator_optimizer),
        }
        return {"step": self.step} | {f"{part}/{n}": v for part, vs in parts.items() for n, v in enumerate(vs)}

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
    return guided_filter(photos, tf.cast(generator(photos, training=training), tf.float32), RADIUS, EPS)


def _state(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Return what an optimizer remembers of its steps; its rate is the configuration's, which may have changed."""
    return [variable for variable in optimizer.variables if variable is not optimizer.learning_rate]


def _judge(discriminator: keras.Model, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Return a discriminator's loss; one call for both, since each one moves the power iteration on."""
    real_scores, fake_scores = tf.split(discriminator(tf.concat([real, fake], 0), training=True), 2)
    return lsgan_discriminator(real_scores, fake_scores)
