"""Exact bounded-memory inference: the picture is cut into tiles that overlap by more than the generator sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import TypeAlias

import numpy as np

from cartoonize.errors import EngineError
from cartoonize.generators.authors_release import RELEASED
from cartoonize.method.pixels import Array, Image, pad_to_multiple, to_network

Generator: TypeAlias = Callable[[Array], Array]  # (1, h, w, 3) -> (1, h, w, 3)

ALIGNMENT = 4  # the generators halve the picture twice, so tile origins must agree modulo 4
HALO = 124  # pixels around it that a pixel of the result depends on, at most: 121 in `compact_deep`, which is `quality`
_HALOS = {"fast": 64, RELEASED: 64}  # 61 in `compact`, 62 in the U-Net
# The U-Net needs 1.8 kB a pixel on LiteRT, the compact generator 0.3 kB.
WHOLE_PIXELS = 1_000_000  # up to here a picture runs in one piece (720 x 1280 does)
TILE_PIXELS = 750_000


def halo_of(weights: str | Path) -> int:
    """Return how far the generator behind weights' name sees at most, in pixels; of others the farthest there is."""
    return _HALOS.get(str(weights), HALO)


def generate(generator: Generator, photo: Image, halo: int = HALO) -> Array:
    """Run the generator over a photo of any size: uint8 (H, W, 3) to float32 (H, W, 3), not clipped.

    halo: pixels around it that a pixel of the result depends on, or more; a multiple of 4.

    All tiles of a photo have one shape, so that the engine plans once. The result is the one of the whole
    picture in one piece, whatever the number of tiles.
    Raises EngineError when the generator's output is not finite.
    """
    height, width = photo.shape[:2]
    padded = pad_to_multiple(photo, ALIGNMENT)
    tile = tile_shape(padded.shape[:2], halo)
    if tile == padded.shape[:2]:
        return _run(generator, padded)[:height, :width]
    result = np.empty((*padded.shape[:2], 0), np.float32)
    for (y, top, bottom), (x, left, right) in product(
        _spans(padded.shape[0], tile[0], halo), _spans(padded.shape[1], tile[1], halo)
    ):
        output = _run(generator, padded[y, x])
        if not result.size:  # only now is known whether ink is a fourth channel
            result = np.empty((*padded.shape[:2], output.shape[2]), np.float32)
        result[top:bottom, left:right] = output[top - y.start : bottom - y.start, left - x.start : right - x.start]
    return result[:height, :width]


def tile_shape(shape: tuple[int, int], halo: int) -> tuple[int, int]:
    """Return the tile (height, width) that covers `shape` (multiples of 4) with the fewest computed pixels.

    A picture of up to WHOLE_PIXELS is one tile; beyond, a tile has at most TILE_PIXELS.
    """
    if shape[0] * shape[1] <= WHOLE_PIXELS:
        return shape
    small_enough = (
        (rows * height * columns * width, height, width)
        for (rows, height), (columns, width) in product(_cuts(shape[0], halo), _cuts(shape[1], halo))
        if height * width <= TILE_PIXELS
    )
    return min(small_enough)[1:]


def _run(generator: Generator, photo: Image) -> Array:
    output: Array = generator(to_network(photo)[np.newaxis])[0]
    if not np.isfinite(output).all():
        raise EngineError("the generator returned numbers that are not finite: the weights are broken")
    return output


def _cuts(side: int, halo: int) -> Iterator[tuple[int, int]]:
    """Yield (number of tiles, tile length) along one side, from one tile to tiles of four halos."""
    yield 1, side
    for count in range(2, side // (2 * halo) + 1):
        core = -(-(side - 2 * halo) // (count * ALIGNMENT)) * ALIGNMENT
        yield count, core + 2 * halo


def _spans(side: int, tile: int, halo: int) -> list[tuple[slice, int, int]]:
    """Return (tile, start, stop) along one side: each tile as a slice and the part of it that is exact.

    Every tile is `tile` long; the last one ends with the picture, and true borders need no halo.
    """
    spans = []
    start = 0
    while True:
        origin = min(max(0, start - halo), side - tile)
        stop = side if origin + tile == side else origin + tile - halo
        spans.append((slice(origin, origin + tile), start, stop))
        if stop == side:
            return spans
        start = stop
