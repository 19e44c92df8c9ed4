"""Against loops over single values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.training.whitebox.losses import (
    feature_distance,
    hinge_discriminator,
    hinge_generator,
    lsgan_discriminator,
    lsgan_generator,
    moment_distance,
    total_variation,
)

Floats = NDArray[np.float32]


def arrays(*shape: int, count: int = 2) -> list[Floats]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(np.float32) for _ in range(count)]


def test_lsgan_pulls_real_to_one_and_fake_to_zero_for_the_discriminator() -> None:
    real, fake = arrays(2, 4, 5, 1)
    expected = sum((r - 1) ** 2 + f**2 for r, f in zip(real.ravel(), fake.ravel(), strict=True)) / real.size / 2
    assert float(lsgan_discriminator(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(lsgan_discriminator(tf.ones((2, 3)), tf.zeros((2, 3)))) == 0


def test_lsgan_pulls_fake_to_one_for_the_generator() -> None:
    (fake,) = arrays(2, 4, 5, 1, count=1)
    assert float(lsgan_generator(fake)) == pytest.approx(sum((f - 1) ** 2 for f in fake.ravel()) / fake.size, rel=1e-5)
    assert float(lsgan_generator(tf.ones((2, 3)))) == 0


def test_hinge_is_nothing_beyond_the_margin_for_the_discriminator() -> None:
    real, fake = arrays(2, 4, 5, 1)
    expected = sum(max(0, 1 - r) + max(0, 1 + f) for r, f in zip(real.ravel(), fake.ravel(), strict=True)) / real.size
    assert float(hinge_discriminator(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(hinge_discriminator(tf.fill((2, 3), 1.5), tf.fill((2, 3), -2.0))) == 0
    assert float(hinge_generator(fake)) == pytest.approx(-sum(fake.ravel()) / fake.size, rel=1e-4)


def test_moment_distance_is_of_means_and_deviations_over_the_deviations_of_the_goal() -> None:
    a, b = arrays(3, 4, 5, 6)
    a, c = 3 * a + 1, np.float32([1.0, 3.0]).reshape(2, 1, 1, 1)
    apart = sum(
        abs(a[..., n].mean() - b[..., n].mean()) + abs(a[..., n].std() - b[..., n].std()) for n in range(6)
    ) / sum(b[..., n].std() for n in range(6))
    assert float(moment_distance([a], [b])) == pytest.approx(apart, rel=1e-4)
    assert float(moment_distance([100 * a, c], [100 * b, c + 5])) == pytest.approx(apart + 5, rel=1e-4)
    assert float(moment_distance([a], [a[::-1, ::-1]])) == pytest.approx(0, abs=1e-5)  # wherever things are


def test_feature_distance_is_a_mean_divided_by_the_map_summed_over_maps() -> None:
    a, b = arrays(3, 4, 5, 6)
    total = sum(abs(x - y) for x, y in zip(a.ravel(), b.ravel(), strict=True))
    expected = total / (3 * 4 * 5 * 6) / (4 * 5 * 6)
    assert float(feature_distance([a], [b])) == pytest.approx(expected, rel=1e-5)
    small = np.float32(0.5)[None, None, None, None]
    assert float(feature_distance([a, small], [b, -small])) == pytest.approx(expected + 1, rel=1e-5)


def test_total_variation_is_squared_forward_differences_divided_by_3hw() -> None:
    (x,) = arrays(2, 4, 6, 3, count=1)
    down, across = [], []
    for n, i, j, c in np.ndindex(x.shape):
        if i + 1 < 4:
            down.append((x[n, i + 1, j, c] - x[n, i, j, c]) ** 2)
        if j + 1 < 6:
            across.append((x[n, i, j + 1, c] - x[n, i, j, c]) ** 2)
    expected = (sum(down) / len(down) + sum(across) / len(across)) / (3 * 4 * 6)
    assert float(total_variation(x)) == pytest.approx(expected, rel=1e-5)


def test_total_variation_of_a_ramp() -> None:
    ramp = np.broadcast_to(np.arange(8.0)[:, None, None], (1, 8, 8, 3))
    assert float(total_variation(ramp)) == pytest.approx(1 / (3 * 8 * 8))


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: lsgan_discriminator(x, x),
        lsgan_generator,
        lambda x: feature_distance([x], [x + 1]),
        total_variation,
        lambda x: hinge_discriminator(x, x),
        lambda x: -hinge_generator(x + 1),
        lambda x: moment_distance([x], [x + 1]),
    ],
)
def test_half_precision_is_computed_in_float32(loss: Callable[[tf.Tensor], tf.Tensor]) -> None:
    (x,) = arrays(1, 32, 32, 64, count=1)
    half = tf.cast(x, tf.float16)
    assert loss(half).dtype == tf.float32
    assert float(loss(half)) == pytest.approx(float(loss(tf.cast(half, tf.float32))), rel=1e-3)
    assert float(loss(half)) > 0  # no underflow


def test_every_loss_has_a_gradient() -> None:
    (x,) = arrays(1, 8, 8, 3, count=1)
    variable = tf.Variable(x)
    with tf.GradientTape(persistent=True) as tape:
        losses = [
            lsgan_discriminator(variable, x),
            lsgan_generator(variable),
            feature_distance([variable], [x + 1]),
            total_variation(variable),
            hinge_discriminator(variable, x),
            hinge_generator(variable),
            moment_distance([variable], [x * 2]),
        ]
    for loss in losses:
        assert np.abs(tape.gradient(loss, variable)).max() > 0


def test_the_slope_of_moments_is_finite_where_a_map_is_flat() -> None:
    (x,) = arrays(1, 8, 8, 3, count=1)
    flat = tf.Variable(tf.ones_like(x))
    with tf.GradientTape() as tape:
        loss = moment_distance([flat], [x])
    assert np.isfinite(tape.gradient(loss, flat)).all()
