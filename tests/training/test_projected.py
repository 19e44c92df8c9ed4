from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cartoonize.training.whitebox.discriminator import SpectralConv2D
from cartoonize.training.whitebox.gan import WhiteBoxGAN
from cartoonize.training.whitebox.lite0 import build_lite0
from cartoonize.training.whitebox.projected import SIZES, TAPS, Projection, build_projected_discriminator


@pytest.fixture(scope="module")
def discriminator() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_projected_discriminator(3, channels=8)


def batch(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32)


def test_every_depth_judges_every_sixteenth_pixel(discriminator: keras.Model) -> None:
    scores = discriminator(batch(2, 64, 96, 3)).numpy()
    assert scores.shape == (2, 4, 6, len(TAPS))
    assert all(np.ptp(scores[..., n]) > 0 for n in range(len(TAPS)))


def test_a_grey_picture_is_seen_as_three_equal_channels(discriminator: keras.Model) -> None:
    grey = build_projected_discriminator(1, channels=8)
    grey.set_weights(discriminator.get_weights())
    channel = batch(1, 32, 32, 1)
    np.testing.assert_allclose(grey(channel), discriminator(tf.repeat(channel, 3, -1)), atol=1e-5)


def test_heads_see_the_features_at_a_size_of_about_one() -> None:
    """Of photos; of noise, as here, within a factor of a few."""
    for found, size in zip(build_lite0(taps=TAPS)(batch(1, 64, 64, 3)), SIZES, strict=True):
        mixed = Projection(48, size, seed=1)(found)
        assert np.sqrt(np.mean(np.square(mixed))) == pytest.approx(np.sqrt(np.mean(np.square(found))) / size, rel=0.3)


def test_what_is_trained_are_the_heads_alone(discriminator: keras.Model) -> None:
    heads = [layer for layer in discriminator.layers if isinstance(layer, SpectralConv2D)]
    assert len(discriminator.trainable_variables) == 2 * len(heads)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(discriminator(batch(1, 32, 32, 3), training=True) ** 2)
    assert all(np.any(slope) for slope in tape.gradient(loss, discriminator.trainable_variables))


def test_its_weights_are_all_of_its_state(discriminator: keras.Model) -> None:
    """So that a resumed training goes on: the mixtures are drawn alike."""
    other = build_projected_discriminator(3, channels=8)
    other.set_weights(discriminator.get_weights())
    image = batch(1, 32, 32, 3)
    assert np.array_equal(other(image), discriminator(image))


def test_a_training_asks_for_it_by_name() -> None:
    generator = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 1)])
    names = [
        WhiteBoxGAN(generator, 0, kind).surface_discriminator.name  # type: ignore[arg-type]  # of literals
        for kind in ("patch", "projected")
    ]
    assert names == ["discriminator", "projected_discriminator"]
