from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cartoonize.method.steadiness import Steady, field_of, motion, moved, warping_error

Picture = NDArray[np.uint8]


def scene(right: int = 0, down: int = 0) -> Picture:
    """A window of a photo, moved by whole pixels."""
    return np.ascontiguousarray(skimage.data.coffee()[40 + down : 280 + down, 60 + right : 380 + right])


def noisy(picture: Picture, sigma: float, seed: int) -> Picture:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def flickering(count: int, sigma: float = 6) -> list[Picture]:
    return [noisy(255 - scene(), sigma, seed) for seed in range(count)]


@given(right=st.integers(-12, 12), down=st.integers(-12, 12))
@settings(max_examples=12)
def test_motion_is_found(right: int, down: int) -> None:
    flow = motion(scene(right, down), scene()) * np.array((320, 240))
    assert abs(np.median(flow[..., 0]) - right) < 0.7
    assert abs(np.median(flow[..., 1]) - down) < 0.7
    back = moved(scene(), field_of(motion(scene(right, down), scene()), (320, 240)))
    inner = np.s_[40:-40, 40:-40]
    assert np.abs(back[inner].astype(int) - scene(right, down)[inner]).mean() < 4


def test_zero_changes_nothing() -> None:
    steady = Steady(0)
    for cartoon in flickering(3):
        assert steady(scene(), cartoon) is cartoon


def test_flicker_over_a_photo_with_noise_becomes_less() -> None:
    photos = [noisy(scene(), 1, 100 + seed) for seed in range(8)]
    cartoons = flickering(8)
    steady = Steady(0.8)
    results = [steady(photo, cartoon) for photo, cartoon in zip(photos, cartoons, strict=True)]
    still = (255 - scene()).astype(int)
    assert np.abs(results[-1] - still).mean() < 0.6 * np.abs(cartoons[-1] - still).mean()


def test_an_equal_photo_gets_the_result_before() -> None:
    steady = Steady(0.5)
    first, second = flickering(2)
    before = steady(scene(), first)
    np.testing.assert_array_equal(steady(scene().copy(), second), before)


def test_nothing_comes_through_a_cut() -> None:
    """Neither where the new scene happens to resemble the old."""
    one, other = scene(), np.ascontiguousarray(skimage.data.astronaut()[:240, :320])
    steady = Steady(1)
    steady(one, 255 - one)
    np.testing.assert_array_equal(steady(other, 255 - other), 255 - other)


def test_what_moves_leaves_no_ghost() -> None:
    """A bright square jumps over a plain: where it was, and where it is, nothing of the other frame is seen."""

    def square(left: int) -> Picture:
        picture = np.full((240, 320, 3), 60, np.uint8)
        picture[100:140, left : left + 40] = 200
        return picture

    steady = Steady(1)
    steady(square(40), 255 - square(40))
    result = steady(square(220), 255 - square(220))
    assert np.abs(result.astype(int) - (255 - square(220))).max() <= 2


def test_a_smaller_result_is_steadied_too() -> None:
    steady = Steady(0.5)
    small = [cv2.resize(picture, (160, 120)) for picture in flickering(2)]
    steady(noisy(scene(), 1, 1), small[0])
    assert steady(noisy(scene(), 1, 2), small[1]).shape == (120, 160, 3)


def test_the_measure_is_zero_for_what_moves_with_the_photo_and_grows_with_flicker() -> None:
    photos = scene(), scene(3, 1)
    own = warping_error(photos, photos)
    flicker = warping_error(photos, (noisy(photos[0], 5, 1), noisy(photos[1], 5, 2)))
    assert own < 1e-3
    # Two independent noises of standard deviation 5 over three channels; moving one back averages a little.
    assert 0.5 * 3 * 2 * (5 / 255) ** 2 < flicker - own < 1.1 * 3 * 2 * (5 / 255) ** 2
    assert warping_error((scene(), scene()), (scene(), scene())) == 0


def test_strength_has_bounds() -> None:
    with pytest.raises(ValueError, match="steady must be in"):
        Steady(1.1)


def test_what_comes_into_the_picture_is_not_blended_with_its_border() -> None:
    """A smooth photo, whose repeated border would be taken for what comes in."""
    smooth = cv2.GaussianBlur(skimage.data.coffee(), (0, 0), 9)
    first, moved_on = (np.ascontiguousarray(smooth[40:280, 60 + right : 380 + right]) for right in (0, 12))
    steady = Steady(1)
    steady(first, np.full_like(first, 10))
    result = steady(moved_on, np.full_like(first, 200))
    assert np.mean(result[:, -10:] == 200) > 0.7
    assert np.median(result[:, :-40]) == 10, "what was there is blended"
