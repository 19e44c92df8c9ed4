"""Exact reuse between frames: where two pictures are equal, farther than the generator sees, so are its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cartoonize.generators import tiles
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.method.pixels import Array, Image, largest_channel, pad_to_multiple

_BLOCK = 32  # changes are looked for in blocks of this many pixels: few shapes, so the engine plans seldom
_WORTH = 0.6  # share of a picture from which on computing all of it is simpler and hardly slower


@dataclass(frozen=True)
class Box:
    """Rows top to bottom and columns left to right, the ends not included."""

    top: int
    bottom: int
    left: int
    right: int

    def grown(self, margin: int, shape: Sequence[int]) -> Box:
        """Return the box with a margin around it, as far as the picture reaches."""
        return Box(
            max(0, self.top - margin),
            min(shape[0], self.bottom + margin),
            max(0, self.left - margin),
            min(shape[1], self.right + margin),
        )

    @property
    def area(self) -> int:
        """Pixels in it."""
        return (self.bottom - self.top) * (self.right - self.left)


def changes(before: Image, now: Image, field: ReceptiveField) -> list[Box] | None:
    """Return boxes that hold all differences of two pictures, uint8 (H, W, 3); None where reuse is not worth it.

    Changes nearer to each other than the generator's halo share a box.
    """
    if before.shape != now.shape or field.halo is None:
        return None
    height, width = now.shape[:2]
    corners = np.any(before[::_BLOCK, ::_BLOCK] != now[::_BLOCK, ::_BLOCK], axis=2)  # known without looking at all
    if (np.count_nonzero(corners[:-1, :-1]) * _BLOCK**2) >= _WORTH * height * width:
        return None
    differs = largest_channel(cv2.absdiff(before, now))  # type: ignore[arg-type]  # OpenCV's stubs know no dtypes
    rows, columns = -(-height // _BLOCK), -(-width // _BLOCK)
    blocks = np.zeros((rows * _BLOCK, columns * _BLOCK), bool)
    blocks[:height, :width] = differs
    changed = np.asarray(blocks.reshape(rows, _BLOCK, columns, _BLOCK).any(axis=(1, 3)))
    reach = 2 * -(-field.halo // _BLOCK) + 1
    near = cv2.dilate(changed.astype(np.uint8), np.ones((reach, reach)))
    count, labels = cv2.connectedComponents(near)
    boxes = [_box((labels == label) & changed, (height, width)) for label in range(1, count)]
    cost = sum(box.grown(2 * field.margin, now.shape).area for box in boxes)
    return boxes if cost < _WORTH * height * width else None


def update(
    run: tiles.Run, now: Image, field: ReceptiveField, before: Array, boxes: Sequence[Box]
) -> tuple[Array, float]:
    """Return what `tiles.generate` would return for `now`, and the share of it that was computed.

    before: float32 (h, w, 3), the output for a picture that differs from `now`, uint8 (h, w, 3), in `boxes` alone.
    """
    padded = pad_to_multiple(now, field.alignment)
    result = before.copy()
    computed = 0
    for box in boxes:
        wanted = box.grown(field.margin, now.shape)
        read = box.grown(2 * field.margin, padded.shape)
        # Origins must agree modulo the alignment: the network halves the picture.
        top, left = (start - start % field.alignment for start in (read.top, read.left))
        output = tiles.generate(run, padded[top : read.bottom, left : read.right], field)
        result[wanted.top : wanted.bottom, wanted.left : wanted.right] = output[
            wanted.top - top : wanted.bottom - top, wanted.left - left : wanted.right - left
        ]
        computed += output.shape[0] * output.shape[1]
    return result, computed / (now.shape[0] * now.shape[1])


def _box(blocks: NDArray[np.bool_], shape: tuple[int, int]) -> Box:
    rows, columns = np.flatnonzero(blocks.any(axis=1)), np.flatnonzero(blocks.any(axis=0))
    return Box(
        int(rows[0]) * _BLOCK,
        min(shape[0], (int(rows[-1]) + 1) * _BLOCK),
        int(columns[0]) * _BLOCK,
        min(shape[1], (int(columns[-1]) + 1) * _BLOCK),
    )
