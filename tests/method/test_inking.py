"""Ink that is crisp at any size, and what its knob does."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cartoonize.method.inking import INK, dim, inked, paper

DARKEST = round(255 * (1 - INK))


def stroke(size: int = 60) -> NDArray[np.float32]:
    """A vertical line three pixels wide with soft edges, as a generator draws it."""
    ink = np.zeros((size, size), np.float32)
    ink[:, size // 2 - 1 : size // 2 + 2] = 1
    return cv2.GaussianBlur(ink, (0, 0), 0.8)


def test_full_ink_is_nearly_black_and_none_changes_nothing() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (5, 6, 3), np.uint8)
    np.testing.assert_array_equal(inked(picture, np.zeros((5, 6), np.float32)), picture)
    assert inked(picture, np.ones((5, 6), np.float32)).max() <= DARKEST + 1


@pytest.mark.parametrize("scale", [1, 2, 5.5, 8])
def test_a_line_is_as_crisp_on_a_larger_picture(scale: float) -> None:
    side = round(60 * scale)
    white = np.full((side, side, 3), 255, np.uint8)
    row = inked(white, stroke())[side // 2, :, 0].astype(int)
    assert row.min() <= DARKEST + 1
    grey = np.sum((row > DARKEST + 12) & (row < 243))
    assert grey <= 6  # both edges together, at whatever size
    assert np.sum(row < 128) == pytest.approx(3.4 * scale, rel=0.35)


def test_ink_drawn_larger_than_the_result_is_averaged() -> None:
    white = np.full((30, 30, 3), 255, np.uint8)
    row = inked(white, stroke(120))[15, :, 0]
    assert 1 <= np.sum(row < 200) <= 3


def test_more_lines_are_darker_everywhere_and_none_leaves_the_light() -> None:
    papers = [paper(lines, 1.0).astype(int) for lines in (0, 0.3, 0.7, 1, 1.5, 2)]
    assert (papers[0] == 255).all()
    assert all((more <= less).all() for less, more in pairwise(papers))
    assert papers[-1][255] == DARKEST
    assert all(p[0] == 255 for p in papers)


@given(st.integers(1, 300), st.integers(1, 200), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_columns_without_ink_are_skipped_and_all_others_dimmed(height: int, width: int, lines: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    light = np.full((height, width), 255, np.uint8)
    for _ in range(lines):
        top, left = rng.integers(height), rng.integers(width)
        light[top : top + 3, left : left + 9] = rng.integers(0, 255)

    expected = np.rint(picture * (light[..., None] / 255))
    dim(picture, light)

    assert np.abs(picture - expected).max() <= 1  # a half is rounded either way
