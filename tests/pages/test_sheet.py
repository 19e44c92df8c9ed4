from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cartoonize.pages.sheet import GAP, Tile, sheet, shrink

Pixels = NDArray[np.uint8]
COLORS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200)]


def plain(n: int, height: int, width: int, *label: str) -> Tile:
    return Tile(np.full((height, width, 3), COLORS[n], np.uint8), *label)


def box(page: Pixels, n: int) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right of the pixels in one of the colours, and check that they fill that box."""
    rows, columns = np.nonzero((page == COLORS[n]).all(axis=-1))
    top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    assert len(rows) == (bottom - top) * (right - left)
    return int(top), int(left), int(bottom), int(right)


def ink(page: Pixels) -> Pixels:
    """Return where text is: grey, and darker than the paper."""
    grey = page.max(axis=-1) - page.min(axis=-1) < 8
    return np.asarray(grey & (page.max(axis=-1) < 200))


def test_tiles_stand_whole_in_rows_and_columns_below_their_labels() -> None:
    page = sheet(
        [
            [plain(0, 150, 200, "one", "made so"), plain(1, 100, 160, "two")],
            [None, plain(2, 60, 300, "three"), plain(3, 20, 20, "four")],
        ]
    )
    boxes = [box(page, n) for n in range(4)]
    assert [(bottom - top, right - left) for top, left, bottom, right in boxes] == [
        (150, 200),
        (100, 160),
        (60, 300),
        (20, 20),
    ]
    (top0, left0, bottom0, _), (top1, left1, *_), (top2, left2, *_), (top3, left3, *_) = boxes
    assert (top0, top2) == (top1, top3)
    assert top2 > bottom0
    assert [left0, left1, left2, left3] == [GAP, 2 * GAP + 300, 2 * GAP + 300, 3 * GAP + 600]
    assert page.shape == (top2 + 60 + GAP, 4 * GAP + 900, 3)
    text = ink(page)
    for top, left, _, _ in boxes:
        assert text[max(0, top - 50) : top, left : left + 300].any(), "a label above its picture"
    assert not text[bottom0:, : left1 - GAP].any(), "nothing in the free place"


def test_titles_are_not_needed_and_take_no_room() -> None:
    page = sheet([[plain(0, 200, 200)], [plain(1, 200, 200)]])
    assert page.shape == (400 + 3 * GAP, 200 + 2 * GAP, 3)
    assert not ink(page).any()


def test_large_pictures_are_shrunk_and_small_ones_never_enlarged() -> None:
    page = sheet([[plain(0, 900, 300), plain(1, 30, 90)]], longest=300)
    top, left, bottom, right = box(page, 0)
    assert (bottom - top, right - left) == (300, 100)
    top, left, bottom, right = box(page, 1)
    assert (bottom - top, right - left) == (30, 90)
    assert shrink(np.zeros((2, 5000, 3), np.uint8), 640).shape == (1, 640, 3)


def test_shrinking_averages() -> None:
    checks = np.indices((8, 8)).sum(axis=0)[..., None].repeat(3, axis=-1).astype(np.uint8) % 2 * 100
    assert (shrink(checks, 4) == 50).all()


LONG = "runs/first/exports/step_" + 40 * "W" + ".tflite " + 12 * "and more of it "


@pytest.mark.parametrize("width", [8, 128, 640])
@pytest.mark.parametrize("label", [("generator's raw output", "a word or two"), (LONG, LONG)])
def test_labels_stay_within_their_column(width: int, label: tuple[str, str]) -> None:
    page = sheet([[plain(0, 8, width, *label), plain(1, 8, width, "b")]])
    (_, left, _, _), (top, right, _, _) = box(page, 0), box(page, 1)
    text = ink(page)
    assert not text[:, right - GAP : right].any(), "nothing between the columns"
    assert not text[:, :left].any()
    assert text[GAP:top, left : right - GAP].any()


def test_letters_grow_with_the_pictures() -> None:
    heights = []
    for width in (128, 360, 640):
        rows = np.nonzero(ink(sheet([[plain(0, 8, width, "structure")]])).any(axis=1))[0]
        heights.append(rows.max() - rows.min())
    assert heights[0] < heights[1] < heights[2]


def test_what_the_font_lacks_is_a_question_mark() -> None:
    def page(title: str) -> Pixels:
        return sheet([[plain(0, 8, 300, title)]])

    assert np.array_equal(page("стиль 日本é\n\x1b☕"), page("????? ??????"))
    assert not np.array_equal(page("a"), page("?"))
