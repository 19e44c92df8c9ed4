"""What both trainings train: a generator, the count of its steps, its moving average, and all of their state."""

from __future__ import annotations

from typing import TypeAlias

import keras
import tensorflow as tf

Terms: TypeAlias = dict[str, tf.Tensor]  # loss by name, scalars


class Trainee(keras.Model):  # type: ignore[misc]  # Keras ships no types
    """A generator in training; subclasses say in `train_step` what it learns from, and take it with `update_generator`.

    `step` counts optimizer steps over all resumed runs; `average` is the generator's exponential moving average;
    `optimizer` is the generator's. Built and fitted in the scope of a `tf.distribute` strategy it shares batches out,
    and takes the same steps.
    """

    def __init__(self, generator: keras.Model, name: str) -> None:
        super().__init__(name=name, dtype="float32")  # whatever the networks compute in
        self.generator = generator
        self.average = keras.models.clone_model(generator)
        self.average.set_weights(generator.get_weights())
        self.average.trainable = False
        self.step = self.add_weight(
            name="step", dtype="int64", initializer="zeros", trainable=False, aggregation="only_first_replica"
        )
        self.built = True  # of layers that are

    def follow(self, optimizer: keras.optimizers.Optimizer, ema: float) -> None:
        """Set the generator's optimizer, with its state, and the momentum of the average."""
        super().compile(optimizer, jit_compile=False)
        self.ema = ema
        optimizer.build(self.generator.trainable_variables)

    def share(self, loss: tf.Tensor) -> tf.Tensor:
        """Return what a device's loss contributes to the batch's: optimizers add up the gradients of all devices."""
        return loss / self.distribute_strategy.num_replicas_in_sync

    def update_generator(self, gradients: list[tf.Tensor]) -> None:
        """Take the optimizer's step, let the average follow, and count."""
        self.optimizer.apply(gradients, self.generator.trainable_variables)
        tf.distribute.get_replica_context().merge_call(self._move_average)
        self.step.assign_add(1)

    def _move_average(self, strategy: tf.distribute.Strategy) -> None:
        """Move the average after the generator, on each device by itself."""

        def move(average: tf.Variable, variable: tf.Variable) -> None:
            average.assign(self.ema * average + (1 - self.ema) * variable)

        for average, variable in zip(self.average.weights, self.generator.weights, strict=True):
            strategy.extended.update(average.value, move, args=(variable.value,))

    @property
    def steps_done(self) -> int:
        """Optimizer steps taken so far."""
        return int(self.step.numpy())

    def state(self) -> dict[str, keras.Variable]:
        """Return all that training changes, by name: step, weights, optimizers' state."""
        parts = self.parts()
        return {"step": self.step} | {f"{part}/{n}": v for part, vs in parts.items() for n, v in enumerate(vs)}

    def parts(self) -> dict[str, list[keras.Variable]]:
        """Return the state but for the step, by what it belongs to; subclasses add their own."""
        return {
            "generator": self.generator.weights,
            "average": self.average.weights,
            "optimizer": optimizer_state(self.optimizer),
        }


def optimizer_state(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Return what an optimizer remembers of its steps; its rate is the configuration's, which may have changed."""
    return [variable for variable in optimizer.variables if variable is not optimizer.learning_rate]
