"""The comic procedure on pictures whose result is known, and what must hold on any."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cartoonize.method.comic import ComicLook, comic, comic_views
from tests.conftest import psnr

Picture = NDArray[np.uint8]
REACH = 60  # pixels; what is farther away may change a result by rounding alone


def lightness(picture: Picture) -> NDArray[np.float32]:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0]


@given(color=st.tuples(*[st.integers(0, 255)] * 3))
@settings(max_examples=30)
def test_one_colour_stays_one_colour_without_ink(color: tuple[int, int, int]) -> None:
    photo = np.full((24, 30, 3), color, np.uint8)
    views = comic_views(photo)
    assert views.ink.max() == 0
    assert (views.picture == views.picture[0, 0]).all()
    np.testing.assert_array_equal(views.picture, views.toned)


def test_without_lines_the_picture_is_the_tones(coffee: Picture) -> None:
    views = comic_views(coffee[:120, :120], ComicLook(lines=0))
    np.testing.assert_array_equal(views.picture, views.toned)
    assert views.ink.max() == 0


def test_grey_stays_grey_and_colour_0_makes_it_so(coffee: Picture) -> None:
    grey = np.repeat(coffee[:100, :100, :1], 3, axis=2)
    for picture in (comic(grey), comic(coffee[:100, :100], ComicLook(color=0))):
        assert np.ptp(picture.astype(int), axis=2).max() <= 1


def test_a_sky_has_no_bands() -> None:
    """One level in four pixels comes out as a gradient: no step is larger than three levels."""
    ramp = np.repeat(np.arange(100, 200, dtype=np.uint8), 4)
    sky = np.repeat(np.tile(ramp, (60, 1))[..., None], 3, axis=2)
    assert np.abs(np.diff(comic(sky)[30, :, 0].astype(int))).max() <= 3


def test_a_shaded_ball_has_tones() -> None:
    """Steeper shading gets edges: the flattest half of the pixels is flatter than with many tones."""
    y, x = np.mgrid[-60:61, -60:61]
    ball = np.clip(230 - 1.6 * np.hypot(x, y), 40, 255)
    photo = np.repeat(ball[..., None], 3, axis=2).astype(np.uint8)
    few, many = (np.abs(np.diff(lightness(comic_views(photo, ComicLook(tones=t)).toned))) for t in (6, 64))
    assert np.quantile(few, 0.3) < 0.5 * np.quantile(many, 0.3)
    assert np.quantile(few, 0.98) > 1.3 * np.quantile(many, 0.98)


def test_shadows_do_not_drown() -> None:
    dark = np.full((40, 40, 3), 20, np.uint8)
    dark[:, 20:] = 40
    before, after = lightness(dark), lightness(comic_views(dark).toned)
    assert after[20, 5] > before[20, 5]
    assert after[20, 35] - after[20, 5] > 0.8 * (before[20, 35] - before[20, 5])


def test_noise_becomes_calm_without_speckles() -> None:
    rng = np.random.default_rng(0)
    photo = np.clip(rng.normal(128, 8, (120, 120, 3)), 0, 255).astype(np.uint8)
    views = comic_views(photo)
    assert lightness(views.flat).std() < 0.25 * lightness(photo).std()
    assert np.mean(views.ink > 0.5) < 0.005


def test_flatness_flattens(coffee: Picture) -> None:
    roughness = [
        np.abs(np.diff(lightness(comic_views(coffee[100:300, 100:300], ComicLook(flatness=f)).flat))).mean()
        for f in (0, 1, 2)
    ]
    assert roughness[0] > roughness[1] > roughness[2]


def test_it_is_local(coffee: Picture) -> None:
    """What is far away changes hardly anything, so that a small network can learn it."""
    photo = coffee[:, :400].copy()
    other = photo.copy()
    other[:, 300:] = 255 - other[:, 300:]
    difference = np.abs(comic(photo).astype(int) - comic(other))[:, : 300 - REACH]
    assert np.mean(difference > 8) < 0.002
    assert np.array_equal(comic(photo)[:, :140], comic(other)[:, :140])  # 160 pixels away: nothing at all


def test_it_does_not_depend_on_the_number_of_threads(coffee: Picture) -> None:
    before = cv2.getNumThreads()
    try:
        results = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            results.append(comic(coffee))
    finally:
        cv2.setNumThreads(before)
    np.testing.assert_array_equal(*results)


def test_a_mirrored_photo_makes_a_mirrored_picture(coffee: Picture) -> None:
    assert psnr(comic(np.ascontiguousarray(coffee[:, ::-1]))[:, ::-1], comic(coffee)) > 35


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 2), (17, 5)])
def test_any_size_will_do(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8)
    assert comic(photo).shape == photo.shape


@pytest.mark.parametrize(
    ("name", "value"),
    [("lines", -0.1), ("lines", 2.1), ("thickness", 0), ("flatness", 3), ("tones", 1), ("color", float("nan"))],
)
def test_numbers_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected"):
        ComicLook(**{name: value})
