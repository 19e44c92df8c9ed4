from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.errors import ConfigError
from cartoonize.generators.architectures import build_compact
from cartoonize.training import checkpoints
from cartoonize.training.tensor_filter import filter_batch
from cartoonize.training.whitebox.augmentation import augment
from cartoonize.training.whitebox.config import PRESETS
from cartoonize.training.whitebox.features import Maps
from cartoonize.training.whitebox.gan import Views, WhiteBoxGAN, reproducible
from cartoonize.training.whitebox.judging import Judging
from cartoonize.training.whitebox.losses import (
    feature_distance,
    hinge_generator,
    lsgan_generator,
    moment_distance,
    total_variation,
)
from cartoonize.training.whitebox.tensor_views import surface, texture

WEIGHTS = PRESETS["release"]


@pytest.fixture(scope="module", autouse=True)
def _equal_bits() -> Iterator[None]:
    with reproducible():
        yield


def features(pictures: tf.Tensor) -> Maps:
    """Stand in for VGG19: something of an eighth of the size that depends on every pixel."""
    return Maps([tf.nn.avg_pool2d(pictures, 8, 8, "SAME")], [pictures])


def flattened(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stand in for superpixels: the mean of each picture."""
    return np.broadcast_to(batch.mean((1, 2), keepdims=True), batch.shape)


def build(
    generator_optimizer: keras.optimizers.Optimizer | None = None,
    discriminator_optimizer: keras.optimizers.Optimizer | None = None,
    structure: Callable[..., Any] = flattened,
    weights: Mapping[str, float] = WEIGHTS,
    judging: Judging = Judging(),  # noqa: B008  immutable
) -> WhiteBoxGAN:
    keras.utils.set_random_seed(0)
    model = WhiteBoxGAN(build_compact(channels=8, blocks=1), seed=0)
    model.compile(
        generator_optimizer or keras.optimizers.Adam(1e-3),
        discriminator_optimizer or keras.optimizers.Adam(1e-3),
        ema=0.75,
        views=Views(features, structure, "release", weights, judging),
    )
    return model


@pytest.fixture(scope="module")
def batch() -> tuple[tf.Tensor, tf.Tensor]:
    photos, cartoons = np.random.default_rng(0).uniform(-1, 1, (2, 2, 32, 32, 3)).astype(np.float32)
    return tf.constant(photos), tf.constant(cartoons)


def step(model: WhiteBoxGAN, batch: tuple[tf.Tensor, ...]) -> dict[str, float]:
    """Take one step as `fit` does."""
    model.make_train_function()
    return {name: float(loss) for name, loss in model.train_function(iter([batch])).items()}


def same(before: list[NDArray[Any]], after: list[NDArray[Any]]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def kernels(model: WhiteBoxGAN) -> list[NDArray[Any]]:
    discriminators = (model.surface_discriminator, model.texture_discriminator)
    return [variable.numpy() for d in discriminators for variable in d.trainable_variables]


def vectors(model: WhiteBoxGAN) -> list[NDArray[Any]]:
    discriminators = (model.surface_discriminator, model.texture_discriminator)
    return [variable.numpy() for d in discriminators for variable in d.non_trainable_variables]


class Steps:
    """One model for the tests that need no optimizers of their own: its step is compiled once, as that takes seconds.

    SGD with rate 1 writes the gradient into the weights; with rate 0 it changes nothing.
    """

    def __init__(self, batch: tuple[tf.Tensor, tf.Tensor]) -> None:
        self.structure_of: list[NDArray[np.float32]] = []
        self.batch = batch
        self.model = build(keras.optimizers.SGD(1.0), keras.optimizers.SGD(1.0), structure=self._flattened)
        self._beginning = {name: variable.numpy() for name, variable in self.model.state().items()}

    def _flattened(self, drawn: NDArray[np.float32]) -> NDArray[np.float32]:
        self.structure_of.append(drawn)
        return flattened(drawn)

    def untrained(self, *, generator_rate: float = 1.0, discriminator_rate: float = 1.0) -> WhiteBoxGAN:
        """Return the model as it was at first."""
        for name, variable in self.model.state().items():
            variable.assign(self._beginning[name])
        self.model.optimizer.learning_rate = generator_rate
        self.model.discriminator_optimizer.learning_rate = discriminator_rate
        self.structure_of.clear()
        return self.model


@pytest.fixture(scope="module")
def steps(batch: tuple[tf.Tensor, tf.Tensor]) -> Steps:
    return Steps(batch)


def test_the_discriminators_step_leaves_the_generator_alone(steps: Steps) -> None:
    model = steps.untrained(generator_rate=0)
    generator, discriminators = model.generator.get_weights(), kernels(model)

    step(model, steps.batch)

    assert same(generator, model.generator.get_weights())
    assert not any(np.array_equal(a, b) for a, b in zip(discriminators, kernels(model), strict=True))


def test_the_generators_step_leaves_the_discriminators_alone(steps: Steps) -> None:
    model = steps.untrained(discriminator_rate=0)
    generator, discriminators = model.generator.get_weights(), kernels(model)

    step(model, steps.batch)

    assert same(discriminators, kernels(model))
    assert not any(np.array_equal(a, b) for a, b in zip(generator, model.generator.get_weights(), strict=True))


def test_the_power_iteration_moves_on_once_a_step(steps: Steps) -> None:
    by_hand = steps.untrained()
    by_hand.surface_discriminator(steps.batch[0], training=True)
    by_hand.texture_discriminator(steps.batch[0][..., :1], training=True)
    expected = vectors(by_hand)
    model = steps.untrained()
    assert not any(np.array_equal(a, b) for a, b in zip(vectors(model), expected, strict=True))

    step(model, steps.batch)

    for moved, once in zip(vectors(model), expected, strict=True):
        np.testing.assert_allclose(moved, once, rtol=1e-6)


def test_structure_is_taken_of_the_filtered_drawing(steps: Steps) -> None:
    model, photos = steps.untrained(), steps.batch[0]
    filtered = filter_batch(photos, model.generator(photos), 1, 1e-2)

    step(model, steps.batch)

    assert len(steps.structure_of) == 1
    np.testing.assert_allclose(steps.structure_of[0], filtered, atol=1e-5)


def test_the_average_follows_the_generator_and_steps_are_counted(steps: Steps) -> None:
    model = steps.untrained(generator_rate=1e-2)
    before = model.generator.get_weights()

    step(model, steps.batch)

    assert model.steps_done == 1
    for old, new, average in zip(before, model.generator.get_weights(), model.average.get_weights(), strict=True):
        np.testing.assert_allclose(average, 0.75 * old + 0.25 * new, atol=1e-7)


def test_the_generator_descends_all_its_losses_on_what_it_draws_filtered(steps: Steps) -> None:
    """One tape over everything says what the gradient should be."""
    twin, photos = steps.untrained(), steps.batch[0]
    # What the step sees of the discriminators is what their own step has left.
    twin.surface_discriminator(photos, training=True)
    twin.texture_discriminator(photos[..., :1], training=True)
    with tf.GradientTape() as tape:
        drawn = filter_batch(photos, twin.generator(photos), 1, 1e-2)
        (channel,) = texture([drawn], tf.constant([0, 0], tf.int64), variant="release")
        structure = tf.broadcast_to(tf.stop_gradient(tf.reduce_mean(drawn, (1, 2), keepdims=True)), drawn.shape)
        terms = {
            "surface": lsgan_generator(twin.surface_discriminator(surface(drawn))),
            "texture": lsgan_generator(twin.texture_discriminator(channel)),
            "structure": feature_distance(features(drawn).content, features(structure).content),
            "content": feature_distance(features(drawn).content, features(photos).content),
            "variation": total_variation(drawn),
        }
        expected = {name: WEIGHTS[name] * term for name, term in terms.items()}
        total = sum(expected.values())
    gradients = tape.gradient(total, twin.generator.trainable_variables)
    model = steps.untrained(discriminator_rate=0)
    before = model.generator.get_weights()

    losses = step(model, steps.batch)

    assert losses["generator"] == pytest.approx(float(total), rel=1e-5)
    assert {name: losses[name] for name in expected} == pytest.approx(
        {k: float(v) for k, v in expected.items()}, rel=1e-5
    )
    for old, new, gradient in zip(before, model.generator.get_weights(), gradients, strict=True):
        np.testing.assert_allclose(old - new, gradient, atol=2e-5 * float(tf.reduce_max(tf.abs(gradient))) + 1e-7)


@pytest.mark.slow
def test_hinge_augmentation_penalty_and_style_are_in_the_step(batch: tuple[tf.Tensor, tf.Tensor]) -> None:
    """Against the same numbers, taken one after the other."""
    judging, weights = Judging("hinge", 3.0, ("color", "translation")), WEIGHTS | {"style": 2.0}
    model = build(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), weights=weights, judging=judging)
    twin = build()
    photos, cartoons = batch
    drawn = filter_batch(photos, twin.generator(photos), 1, 1e-2)
    seed = tf.constant([0, 0], tf.int64)
    looks = [twin.surface_discriminator, twin.texture_discriminator]
    both = [
        tf.concat([surface(cartoons), surface(drawn)], 0),
        tf.concat(texture([cartoons, drawn], seed, variant="release"), 0),
    ]
    lessons, penalty = [], 0.0
    for n, (look, pictures) in enumerate(zip(looks, both, strict=True)):
        pictures = augment(pictures, folded(seed, n), judging.augment)
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            real, fake = tf.split(look(pictures, training=True), 2)
            total = tf.reduce_sum(real)
        lessons.append(tf.reduce_mean(tf.nn.relu(1 - real)) + tf.reduce_mean(tf.nn.relu(1 + fake)))
        penalty += 3.0 / 2 * float(tf.reduce_sum(tape.gradient(total, pictures) ** 2)) / real.numpy().size

    losses = step(model, batch)

    assert [losses["surface_discriminator"], losses["texture_discriminator"]] == pytest.approx(lessons, rel=1e-4)
    assert losses["r1"] == pytest.approx(penalty, rel=1e-4)
    asked = [
        hinge_generator(look(augment(pictures[2:], folded(seed, n), judging.augment)))
        for n, look, pictures in zip((2, 3), looks, both, strict=True)
    ]
    assert losses["surface"] == pytest.approx(WEIGHTS["surface"] * float(asked[0]), rel=1e-3)
    assert losses["texture"] == pytest.approx(WEIGHTS["texture"] * float(asked[1]), rel=1e-3)
    assert losses["style"] == pytest.approx(2 * float(moment_distance([drawn], [cartoons])), rel=1e-4)


@pytest.mark.slow
def test_the_penalty_flattens_discriminators_where_cartoons_are(batch: tuple[tf.Tensor, tf.Tensor]) -> None:
    found = []
    for weight in (1.0, 100.0):
        model = build(keras.optimizers.SGD(0.0), judging=Judging(r1=weight))
        found.append([step(model, batch)["r1"] / weight for _ in range(8)])
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-3)
    assert found[1][-1] < 0.7 * found[0][-1]


def folded(seed: tf.Tensor, n: int) -> tf.Tensor:
    return tf.random.experimental.stateless_fold_in(seed, n)


def test_pretraining_reconstructs_photos_and_leaves_the_discriminators_alone(
    batch: tuple[tf.Tensor, tf.Tensor],
) -> None:
    model = build()
    photos, discriminators, looked = batch[0], kernels(model), vectors(model)
    expected = np.abs(model.generator(photos).numpy() - photos.numpy()).mean()

    losses = [step(model, (photos,))["reconstruction"] for _ in range(12)]

    assert losses[0] == pytest.approx(expected, rel=1e-5)
    assert losses[-1] < 0.9 * losses[0]
    assert same(discriminators + looked, kernels(model) + vectors(model))
    assert model.steps_done == 12


@pytest.mark.slow
def test_a_checkpoint_holds_everything_that_training_changes(
    batch: tuple[tf.Tensor, tf.Tensor], tmp_path: Path
) -> None:
    straight, stopped, resumed = build(), build(), build()
    for model in (straight, stopped):
        step(model, batch)
        step(model, batch)
    checkpoints.save(stopped, tmp_path)

    checkpoints.load(resumed, tmp_path)

    assert step(resumed, batch) == step(straight, batch)
    assert same(*([v.numpy() for v in m.state().values()] for m in (straight, resumed)))
    everything = {id(v) for v in (*resumed.variables, *resumed.discriminator_optimizer.variables)}
    rates = {id(optimizer.learning_rate) for optimizer in (resumed.optimizer, resumed.discriminator_optimizer)}
    assert everything - rates <= {id(v) for v in resumed.state().values()}


@pytest.mark.slow
def test_a_checkpoint_leaves_the_rates_that_the_run_goes_on_with(
    batch: tuple[tf.Tensor, tf.Tensor], tmp_path: Path
) -> None:
    before = build()
    step(before, batch)
    checkpoints.save(before, tmp_path)
    resumed = build(keras.optimizers.Adam(2e-4), keras.optimizers.Adam(3e-4))

    checkpoints.load(resumed, tmp_path)

    assert float(resumed.optimizer.learning_rate) == pytest.approx(2e-4)
    assert float(resumed.discriminator_optimizer.learning_rate) == pytest.approx(3e-4)
    assert int(resumed.optimizer.iterations) == 1


def test_a_checkpoint_with_a_number_that_is_not_finite_is_not_written(steps: Steps, tmp_path: Path) -> None:
    model = steps.untrained()
    checkpoints.save(model, tmp_path)
    good = (tmp_path / checkpoints.NAME).read_bytes()
    model.step.assign(5)
    bias = model.generator.trainable_variables[1]
    bias.assign(np.full(bias.shape, np.nan, np.float32))

    with pytest.raises(checkpoints.DivergedError, match=r"step 5: generator/1 is not finite; the last good .* step 0"):
        checkpoints.save(model, tmp_path)

    assert (tmp_path / checkpoints.NAME).read_bytes() == good


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", None])
def test_a_damaged_checkpoint_is_an_error(steps: Steps, tmp_path: Path, content: bytes | None) -> None:
    model = steps.untrained()
    checkpoints.save(model, tmp_path)
    path = tmp_path / checkpoints.NAME
    path.write_bytes(path.read_bytes()[:-500] if content is None else content)

    with pytest.raises(ConfigError, match="damaged"):
        checkpoints.load(model, tmp_path)


def test_a_checkpoint_that_claims_more_than_its_model_holds_is_refused_unread(steps: Steps, tmp_path: Path) -> None:
    header = np.lib.format.header_data_from_array_1_0(np.zeros(1)) | {"shape": (10**12,)}
    with zipfile.ZipFile(tmp_path / checkpoints.NAME, "w") as archive, archive.open("step.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)

    with pytest.raises(ConfigError, match=r"damaged \(step of \(1000000000000,\)\)"):
        checkpoints.load(steps.untrained(), tmp_path)


def test_a_checkpoint_of_another_generator_is_an_error(steps: Steps, tmp_path: Path) -> None:
    model = steps.untrained()
    np.savez(tmp_path / checkpoints.NAME, **{"step": 0, "generator/0": np.zeros(3)})

    with pytest.raises(ConfigError, match="of another generator"):
        checkpoints.load(model, tmp_path)
