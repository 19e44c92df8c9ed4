"""Exact bounded-memory inference: the picture is cut into tiles that overlap by more than the generator sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import TypeAlias

import cv2
import numpy as np

from cartoonize.errors import EngineError, OutOfMemoryError
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.method.pixels import Array, Image, pad_to_multiple, to_network

Run: TypeAlias = Callable[[Array], Array]  # (1, h, w, 3) -> (1, h, w, 3)

# The U-Net needs 1.8 kB a pixel on LiteRT, the compact generator 0.3 kB.
WHOLE_PIXELS = 1_000_000  # up to here a picture runs in one piece (720 x 1280 does)
TILE_PIXELS = 750_000
MAX_TILE_BYTES = 2 * 1024**3  # of tensors: smaller tiles for generators of many channels


def generate(run: Run, photo: Image, field: ReceptiveField, progress: Callable[[float], None] | None = None) -> Array:
    """Run a generator over a photo of any size: uint8 (H, W, 3) to float32 (H, W, 3 or 4), not clipped.

    field: how the generator may be cut. All tiles of a photo have one shape, so that the engine plans once. The
    result is the one of the whole picture in one piece, whatever the number of tiles; where the device has not the
    memory they get smaller. progress: called after each tile with the share that is done.
    Raises EngineError when the generator's output is not finite, OutOfMemoryError when no tile is small enough.
    """
    height, width = photo.shape[:2]
    padded = pad_to_multiple(photo, field.alignment)
    shape = padded.shape[0], padded.shape[1]
    tile = tile_shape(shape, field)
    while True:
        try:
            return _in_tiles(run, padded, field, tile, progress)[:height, :width]
        except OutOfMemoryError:
            smaller = tile_shape(shape, field, tile[0] * tile[1] // 4)
            if math.prod(smaller) >= math.prod(tile):
                raise
            tile = smaller


def _in_tiles(
    run: Run, padded: Image, field: ReceptiveField, tile: tuple[int, int], progress: Callable[[float], None] | None
) -> Array:
    if tile == padded.shape[:2]:
        return _run(run, padded)
    result = np.empty((*padded.shape[:2], 0), np.float32)
    spans = [_spans(side, length, field.margin) for side, length in zip(padded.shape[:2], tile, strict=True)]
    count = math.prod(map(len, spans))
    for number, ((y, top, bottom), (x, left, right)) in enumerate(product(*spans), 1):
        output = _run(run, padded[y, x])
        if not result.size:  # only now is known whether ink is a fourth channel
            result = np.empty((*padded.shape[:2], output.shape[2]), np.float32)
        result[top:bottom, left:right] = output[top - y.start : bottom - y.start, left - x.start : right - x.start]
        if progress:
            progress(number / count)
    return result


def tile_shape(shape: tuple[int, int], field: ReceptiveField, most: int = WHOLE_PIXELS) -> tuple[int, int]:
    """Return the tile (height, width) that covers `shape` (multiples of the alignment) with the fewest computed pixels.

    A picture of up to WHOLE_PIXELS, or `most`, is one tile; beyond, a tile has at most TILE_PIXELS, if the halo leaves
    room.
    """
    affordable = min(most, MAX_TILE_BYTES // max(1, field.peak))
    if field.halo is None or shape[0] * shape[1] <= min(WHOLE_PIXELS, affordable):
        return shape
    cuts = list(product(*(_cuts(side, field) for side in shape)))
    tiles = [(rows * height * columns * width, height, width) for (rows, height), (columns, width) in cuts]
    small = [tile for tile in tiles if tile[1] * tile[2] <= min(TILE_PIXELS, affordable)]
    return min(small)[1:] if small else min((tile[1:] for tile in tiles), key=math.prod)


def _run(run: Run, photo: Image) -> Array:
    output: Array = run(to_network(photo)[np.newaxis])[0]
    if not math.isfinite(sum(cv2.sumElems(output))):  # in double precision, so that finite numbers stay finite
        raise EngineError("the generator returned numbers that are not finite: the weights are broken")
    return output


def _cuts(side: int, field: ReceptiveField) -> Iterator[tuple[int, int]]:
    """Yield (number of tiles, tile length) along one side, from one tile to tiles of four halos, or 128 pixels."""
    yield 1, side
    margin = max(field.margin, 32 - 32 % field.alignment, field.alignment)
    for count in range(2, side // (2 * margin) + 1):
        core = -(-(side - 2 * margin) // (count * field.alignment)) * field.alignment
        yield count, core + 2 * margin


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
