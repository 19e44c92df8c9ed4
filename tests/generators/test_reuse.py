"""Reuse between frames is exact: bit for bit what computing the whole frame gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cartoonize.cartoonizer import Cartoonizer
from cartoonize.generators import reuse, tiles
from cartoonize.generators.receptive_field import ReceptiveField

SHAPE = (398, 598)


@pytest.fixture(scope="module", params=["fast", "quality"])
def cartoonizer(request: pytest.FixtureRequest) -> Cartoonizer:
    return Cartoonizer(request.param, threads=1)


@pytest.fixture(scope="module")
def old(cartoonizer: Cartoonizer, coffee: NDArray[np.uint8]) -> NDArray[np.float32]:
    return tiles.generate(cartoonizer.engine, coffee[: SHAPE[0], : SHAPE[1]], cartoonizer.field)


def changed(picture: NDArray[np.uint8], places: list[tuple[int, int, int, int]]) -> NDArray[np.uint8]:
    """The picture with noise in rectangles (top, left, height, width)."""
    rng = np.random.default_rng(5)
    other = picture.copy()
    for top, left, height, width in places:
        part = other[top : top + height, left : left + width]
        part[:] = rng.integers(0, 256, part.shape)
    return other


@pytest.mark.parametrize(
    "places",
    [
        [(0, 0, 5, 9)],
        [(390, 590, 8, 8)],
        [(200, 300, 1, 1)],
        [(0, 0, 3, 3), (390, 590, 3, 3)],
        [(10, 590, 3, 8), (300, 5, 20, 3)],
    ],
)
def test_an_update_equals_the_whole(
    cartoonizer: Cartoonizer,
    old: NDArray[np.float32],
    coffee: NDArray[np.uint8],
    places: list[tuple[int, int, int, int]],
) -> None:
    before = coffee[: SHAPE[0], : SHAPE[1]]
    now = changed(before, places)
    whole = tiles.generate(cartoonizer.engine, now, cartoonizer.field)
    boxes = reuse.changes(before, now, cartoonizer.field)
    if boxes is None:  # the halo of `quality` is a third of this picture
        boxes = [reuse.Box(top, top + height, left, left + width) for top, left, height, width in places]
    updated, share = reuse.update(cartoonizer.engine, now, cartoonizer.field, old, boxes)
    np.testing.assert_array_equal(updated, whole)
    assert not np.array_equal(old, whole)
    assert share < 1.5


def test_equal_pictures_have_no_changes(coffee: NDArray[np.uint8]) -> None:
    assert reuse.changes(coffee, coffee.copy(), ReceptiveField(4, 64)) == []


def test_changes_hold_every_difference(coffee: NDArray[np.uint8]) -> None:
    places = [(0, 0, 5, 9), (390, 590, 8, 8)]
    now = changed(coffee, places)
    boxes = reuse.changes(coffee, now, ReceptiveField(4, 16))
    assert boxes is not None
    assert len(boxes) == 2
    outside = np.ones(coffee.shape[:2], bool)
    for box in boxes:
        outside[box.top : box.bottom, box.left : box.right] = False
    np.testing.assert_array_equal(coffee[outside], now[outside])


def test_a_new_scene_or_another_size_is_not_worth_reusing(coffee: NDArray[np.uint8]) -> None:
    assert reuse.changes(coffee, 255 - coffee, ReceptiveField(4, 16)) is None
    assert reuse.changes(coffee, coffee[:-4], ReceptiveField(4, 16)) is None
    assert reuse.changes(coffee, coffee.copy(), ReceptiveField(4, None)) is None
