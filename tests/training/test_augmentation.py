"""Against plain NumPy, one picture at a time."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.training.whitebox.augmentation import augment

SEED = tf.constant([3, 4], tf.int64)
ALL = ("color", "translation", "cutout")


def pictures(count: int = 64, side: int = 32, channels: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0.5, 1, (count, side, side, channels)).astype(np.float32)


def test_nothing_asked_is_nothing_done() -> None:
    x = tf.constant(pictures(2))
    assert augment(x, SEED, ()) is x


def test_translation_shifts_each_picture_by_up_to_an_eighth_and_fills_with_0() -> None:
    x = pictures()
    found = augment(x, SEED, ("translation",)).numpy()
    shifts = set()
    for before, after in zip(x, found, strict=True):
        padded = np.pad(before, [(4, 4), (4, 4), (0, 0)])
        fits = [(i, j) for i in range(9) for j in range(9) if np.array_equal(after, padded[i : i + 32, j : j + 32])]
        assert len(fits) == 1
        shifts |= set(fits)
    assert {i for i, _ in shifts} == {j for _, j in shifts} == set(range(9))


def test_cutout_clears_one_square_of_about_half_the_side_around_any_place() -> None:
    found = augment(pictures(), SEED, ("cutout",)).numpy()
    cleared = (found == 0).all(-1)
    assert np.array_equal(cleared, (found == 0).any(-1))
    areas = cleared.sum((1, 2))
    for hole in cleared:
        rows, columns = hole.any(1), hole.any(0)
        assert np.array_equal(hole, rows[:, None] & columns)
    assert areas.max() == 15 * 15
    assert areas.min() >= 8 * 8
    assert cleared.any(0).all()
    assert np.array_equal(found[~cleared], pictures()[~cleared])


def test_color_changes_brightness_saturation_and_contrast_of_each_picture() -> None:
    x = pictures(200).astype(np.float64)
    found = augment(tf.constant(x, tf.float32), SEED, ("color",)).numpy()
    grey, grey_found = x.mean(-1), found.mean(-1)
    brightness = found.mean((1, 2, 3)) - x.mean((1, 2, 3))
    contrast = grey_found.std((1, 2)) / grey.std((1, 2))
    saturation = (found - grey_found[..., None]).std((1, 2, 3)) / (x - grey[..., None]).std((1, 2, 3)) / contrast
    for draws, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (saturation, 0, 2)):
        assert low <= draws.min() < low + 0.1 * (high - low)
        assert high >= draws.max() > high - 0.1 * (high - low)
        assert np.mean(draws) == pytest.approx((low + high) / 2, abs=0.1 * (high - low))
    assert abs(np.corrcoef([brightness, contrast, saturation]) - np.eye(3)).max() < 0.25  # drawn apart


def test_equal_seeds_draw_equal_numbers_for_any_channels_and_others_differ() -> None:
    x = tf.constant(pictures(4, channels=1))
    one, other = augment(x, SEED, ALL), augment(x, SEED + 1, ALL)
    assert np.array_equal(one, augment(x, SEED, ALL))
    assert not np.array_equal(one, other)
    assert one.shape == x.shape


def test_gradients_pass_and_come_back_where_the_pixel_went() -> None:
    x = tf.Variable(pictures(8))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(augment(x, SEED, ("translation", "cutout")))
    gradient = tape.gradient(total, x).numpy()
    assert set(np.unique(gradient)) == {0, 1}
    assert np.sum(gradient * x.numpy()) == pytest.approx(float(total), rel=1e-4)
