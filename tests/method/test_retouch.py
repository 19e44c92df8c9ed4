"""Identity at the defaults and known answers at the ends."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cartoonize.method.retouch import Retouch, colors_and_ink, retouched
from tests.method.test_inking import DARKEST, stroke

Picture = NDArray[np.uint8]


def pair(height: int = 140, width: int = 21) -> tuple[Picture, Picture]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), np.uint8), rng.integers(0, 256, (height, width, 3), np.uint8)


def test_nothing_asked_is_the_same_picture() -> None:
    picture, photo = pair()
    assert retouched(picture, photo, Retouch()) is picture
    assert retouched(picture, photo, Retouch(), stroke(), lines=0) is picture


@pytest.mark.parametrize("how", [Retouch(strength=0), Retouch(strength=0, keep_colors=1)])
def test_strength_0_is_the_photo(how: Retouch) -> None:
    picture, photo = pair()
    np.testing.assert_array_equal(retouched(picture, photo, how, stroke(), lines=2), photo)


@given(strength=st.floats(0, 2))
@settings(max_examples=30)
def test_strength_is_a_straight_line_through_photo_and_cartoon(strength: float) -> None:
    picture, photo = pair(5, 4)
    expected = np.clip(photo + strength * (picture.astype(float) - photo), 0, 255)
    assert np.abs(retouched(picture, photo, Retouch(strength=strength)) - expected).max() <= 0.51


def test_kept_colours_are_the_photos_under_the_cartoons_light() -> None:
    rng = np.random.default_rng(1)
    picture, photo = (rng.integers(90, 160, (130, 7, 3), np.uint8) for _ in range(2))  # nothing leaves sRGB
    result = retouched(picture, photo, Retouch(keep_colors=1))
    light, blue, red = (
        [cv2.cvtColor(p, cv2.COLOR_RGB2YCrCb)[..., c].astype(int) for p in (result, picture, photo)] for c in range(3)
    )
    assert np.abs(light[0] - light[1]).max() <= 2
    assert max(np.abs(c[0] - c[2]).max() for c in (blue, red)) <= 2


def test_ink_stays_black_over_kept_colours() -> None:
    picture = np.full((20, 20, 3), 200, np.uint8)
    red = np.zeros_like(picture)
    red[..., 0] = 255
    inked = retouched(picture, red, Retouch(keep_colors=1), np.ones((20, 20), np.float32))
    assert inked.max() <= DARKEST + 1


@pytest.mark.parametrize(
    "wrong", [{"lines": 2.1}, {"lines": -1}, {"keep_colors": 1.01}, {"strength": 3}, {"strength": float("nan")}]
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be in"):
        Retouch(**wrong)


def test_a_look_that_draws_ink_has_its_own_and_others_get_it_when_asked() -> None:
    output = np.full((40, 40, 4), 0.5, np.float32)
    output[:, 20:] = -0.5
    colors, ink, lines = colors_and_ink(output, None)
    np.testing.assert_array_equal(colors, output[..., :3])
    assert ink is not None
    np.testing.assert_array_equal(ink, output[..., 3])
    assert lines == 1
    assert colors_and_ink(output, 1.7)[2] == 1.7
    for none in (None, 0.0):
        assert colors_and_ink(output[..., :3], none)[1] is None
    _, drawn, lines = colors_and_ink(output[..., :3], 2.0)
    assert drawn is not None
    assert drawn[20, 20:23].max() > 0.9
    assert drawn[:, :18].max() < 0.05
    assert lines == 1
