"""Laying ink on a picture, at whatever size: lines as crisp on 24 megapixels as where they were drawn.

Ink is kept apart from colours and enlarged as what it is, a mask, whose soft edges are then made as steep as they were
(as letters are drawn from coarse masks, Green 2007). In the colours the guided filter would turn it grey.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from cartoonize.method.pixels import Array, Image

INK = 0.92  # of the light that full ink takes away: black ink on paper is not quite black
EDGE = 0.4  # ink at which the edge of a line lies
_SMOOTH = 0.7  # pixels, before ink is enlarged
_TILE = 32  # pixels, looked through for ink at a time
STEEPNESS = 1.7  # of that edge: of what is laid on, in terms of what was drawn


def inked(picture: Image, ink: Array, lines: float = 1.0) -> Image:
    """Lay ink, float32 (H, W) in [0, 1], on a picture, uint8 (H, W, 3); returns another one. lines: see `paper`."""
    result = picture.copy()
    dim(result, inked_paper(ink, lines, (picture.shape[0], picture.shape[1])))
    return result


def inked_paper(ink: Array, lines: float, shape: tuple[int, int]) -> Image:
    """Bring ink, float32 (h, w) in [0, 1], to `shape` (height, width): the light it leaves, uint8."""
    levels: Image = np.rint(np.clip(ink, 0, 1) * 255).astype(np.uint8)
    scale = math.sqrt(shape[0] * shape[1] / levels.size)
    if levels.shape != shape:
        if scale > 1:  # the steps of its pixels would be seen in the edges
            levels = cv2.GaussianBlur(levels, (0, 0), _SMOOTH)  # type: ignore[assignment]  # OpenCV's stubs know no dtypes
        way = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
        levels = cv2.resize(levels, shape[::-1], interpolation=way)  # type: ignore[assignment]  # as above
    return cv2.LUT(levels, paper(lines, scale), levels)  # type: ignore[return-value]  # as above


def paper(lines: float, scale: float) -> Image:
    """Return the light that ink of 0, 1 ... 255 leaves: uint8 (256,).

    lines: in [0, 2]; less than 1 leaves the surest lines only, and those lighter, more takes in what is hardly ink.
    scale: how many times larger than it was drawn the ink is laid on; so much steeper the edges of lines are made.
    """
    ink = np.arange(256) / 255
    crisp = np.clip((ink - EDGE**lines) * STEEPNESS * max(1.0, scale) + 0.5, 0, 1)
    crisp[0] = 0
    light: Image = np.rint(255 * (1 - INK * min(1.0, lines) * crisp)).astype(np.uint8)
    return light


def dim(picture: Image, light: Image) -> None:
    """Multiply a picture, uint8 (H, W, 3), in place by a light, uint8 (H, W), 255 for all of it.

    Lines cover a few hundredths of a picture: tiles without any are left as they are.
    """
    for start in range(0, picture.shape[0], _TILE):
        rows = slice(start, start + _TILE)
        inked_columns = light[rows].min(axis=0) < 255
        inked_tiles = np.logical_or.reduceat(inked_columns, range(0, len(inked_columns), _TILE))
        ends = np.flatnonzero(np.diff(inked_tiles, prepend=False, append=False)) * _TILE
        for left, right in zip(ends[::2], ends[1::2], strict=True):  # of runs of such tiles
            part = picture[rows, left:right]
            cv2.multiply(part, cv2.cvtColor(light[rows, left:right], cv2.COLOR_GRAY2RGB), part, scale=1 / 255)
