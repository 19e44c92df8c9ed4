"""Guided filter (He et al. 2010) and fast guided filter (He & Sun 2015), per channel, in [-1, 1] units.

q = mean(A)·I + mean(b) with A = cov(I, p) / (var(I) + eps) and b = mean(p) - A·mean(I): the guide I is the
photo, p the generator's output. Fitted at one size, the coefficients can be applied at another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np

from cartoonize.method.pixels import (
    Array,
    Image,
    bands,
    level_coefficients,
    sum_to_image,
    to_network,
)

_Cut: TypeAlias = "list[tuple[int, np.float32]]"  # places along a side, and what windows cut by its end lack
Mean: TypeAlias = Callable[[Array, int], Array]  # (picture, radius) -> the average over the window around each pixel

RADIUS = 1  # the release's choice for inference
EPS = 5e-3
_TILE = 48, 256  # rows and columns: the arrays of a tile stay in a core's own cache, its calls are not too many
_LARGE = 4  # radius from which on running sums are faster than adding up each window


def box_mean(x: Array, radius: int) -> Array:
    """Average over the (2·radius + 1)² window around each pixel, over the part inside the picture at borders."""
    cut = _cut_windows(x.shape[0], radius), _cut_windows(x.shape[1], radius)
    return _box_mean(x, radius, cut, np.empty(x.shape, np.float32))


def _box_mean(x: Array, radius: int, cut: tuple[_Cut, _Cut], out: Array) -> Array:
    """Average as `box_mean` does, into `out`; cut: the rows and columns whose windows the picture's border cuts."""
    size = 2 * radius + 1
    if radius < _LARGE:
        share = np.full(size, 1 / size, np.float32)
        cv2.sepFilter2D(x, -1, share, share, out, borderType=cv2.BORDER_CONSTANT)
    else:
        cv2.boxFilter(x, -1, (size, size), out, normalize=True, borderType=cv2.BORDER_CONSTANT)
    # OpenCV has divided by the whole window; the true one is smaller by a factor of the row times one of the column.
    for i, factor in cut[0]:
        out[i] *= factor
    for i, factor in cut[1]:
        out[:, i] *= factor
    return out


@lru_cache(maxsize=64)
def _cut_windows(length: int, radius: int) -> _Cut:
    """Return the places along a side whose window reaches over an end, and how many times a whole window's it is."""
    index = np.arange(length)
    size = 2 * radius + 1
    inside = np.minimum(index + radius, length - 1) - np.maximum(index - radius, 0) + 1
    return [(int(i), np.float32(size / inside[i])) for i in np.flatnonzero(inside != size)]


def coefficients(
    I: Array,  # noqa: E741  the paper's name
    p: Array,
    radius: int = RADIUS,
    eps: float = EPS,
    mean: Mean = box_mean,
) -> tuple[Array, Array]:
    """Return the averaged A and b of the linear model q = A·I + b, each of the shape of p.

    I, p: float32 in [-1, 1], guide and filter input: NumPy arrays (H, W, C), or whatever `mean` takes with the same
    operators (see `training.guided_filter`). He et al. 2010, equations 5, 6 and 8.
    """
    mean_I, mean_p = mean(I, radius), mean(p, radius)
    # In place where arrays can: at this size a picture's worth of new memory costs more than the arithmetic.
    cov_Ip = mean(I * p, radius)
    cov_Ip -= mean_I * mean_p
    var_I = mean(I * I, radius)
    var_I -= mean_I * mean_I
    var_I += np.float32(eps)
    A = cov_Ip
    A /= var_I
    b = mean_p
    b -= A * mean_I
    return mean(A, radius), mean(b, radius)


def guided_filter(
    I: Array,  # noqa: E741  the paper's name
    p: Array,
    radius: int = RADIUS,
    eps: float = EPS,
    mean: Mean = box_mean,
) -> Array:
    """Filter p by the guide I; shapes as for `coefficients`, the result is not clipped."""
    A, b = coefficients(I, p, radius, eps, mean)
    return A * I + b


def detail_coefficients(
    photo: Image, cartoon: Array, detail: float, radius: int = RADIUS, eps: float = EPS
) -> tuple[Array, Array]:
    """Fit A and b such that A·photo + b = detail·guided(photo, cartoon) + (1 - detail)·cartoon.

    photo uint8 (H, W, 3); cartoon float32 (H, W, 3), the generator's output; detail in [0, 1], δ of the paper's eq. 9.
    """
    A, b = np.empty((2, *cartoon.shape), np.float32)
    for tile, fit in _fits(photo, cartoon, detail, radius, eps):
        A[tile.goal], b[tile.goal] = fit.A[tile.inner], fit.b[tile.inner]
    return A, b


def filter_image(photo: Image, cartoon: Array, detail: float = 1.0, radius: int = RADIUS, eps: float = EPS) -> Image:
    """Post-process at one size: uint8 (H, W, 3) and float32 (H, W, 3) to uint8 (H, W, 3)."""
    result = np.empty(photo.shape, np.uint8)  # in C's order, whatever the photo's
    for tile, fit in _fits(photo, cartoon, detail, radius, eps):
        cv2.multiply(fit.A, fit.I, fit.A)
        sum_to_image(fit.A[tile.inner], fit.b[tile.inner], result[tile.goal])
    return result


class _Tile(NamedTuple):
    """A part of a picture: what is read of it, where its result goes, and where that is in what was read."""

    read: tuple[slice, slice]
    goal: tuple[slice, slice]
    inner: tuple[slice, slice]


class _Fit(NamedTuple):
    """The guide of what a tile reads, in [-1, 1], and the averaged coefficients of it: float32 (h, w, 3)."""

    I: Array  # noqa: E741  the paper's name
    A: Array
    b: Array


def _fits(photo: Image, cartoon: Array, detail: float, radius: int, eps: float) -> Iterator[tuple[_Tile, _Fit]]:
    """Yield what `detail_coefficients` returns tile by tile; a fit is there until the next one is asked for."""
    shape = photo.shape[0], photo.shape[1]
    halo = 2 * radius  # averages of averages reach so far
    tile_shape = max(_TILE[0], 4 * halo), max(_TILE[1], 4 * halo)  # or most of the work would be on the halo
    spare = [np.empty((tile_shape[0] + 2 * halo) * (tile_shape[1] + 2 * halo) * 3, np.float32) for _ in range(6)]
    for tile in _tiles(shape, tile_shape, halo):
        own = photo[tile.read]
        arrays = [array[: own.size].reshape(own.shape) for array in spare]
        I, p = to_network(own, arrays.pop()), cartoon[tile.read]  # noqa: E741  the paper's name
        rows, columns = (_cut_of(part, side, radius) for part, side in zip(tile.read, shape, strict=True))
        A, b = _fit_tile(I, p, radius, eps, (rows, columns), arrays)
        if detail != 1:
            A *= np.float32(detail)
            cv2.addWeighted(b, detail, p, 1 - detail, 0, b)
        yield tile, _Fit(I, A, b)


def _tiles(shape: tuple[int, int], tile_shape: tuple[int, int], halo: int) -> Iterator[_Tile]:
    rows, columns = (
        [
            (slice(max(0, start - halo), min(side, start + most + halo)), start, min(side, start + most))
            for start in range(0, side, most)
        ]
        for side, most in zip(shape, tile_shape, strict=True)
    )
    for (y, top, bottom), (x, left, right) in product(rows, columns):
        inner = slice(top - y.start, bottom - y.start), slice(left - x.start, right - x.start)
        yield _Tile((y, x), (slice(top, bottom), slice(left, right)), inner)


def _cut_of(part: slice, side: int, radius: int) -> _Cut:
    """Return of a part of a side the places, counted from its start, whose windows the picture's border cuts."""
    return [(i - part.start, factor) for i, factor in _cut_windows(side, radius) if part.start <= i < part.stop]


def _fit_tile(
    I: Array,  # noqa: E741  the paper's name
    p: Array,
    radius: int,
    eps: float,
    cut: tuple[_Cut, _Cut],
    spare: list[Array],
) -> tuple[Array, Array]:
    """Return what `coefficients` does, in two of the five `spare` arrays: no new memory, which costs more than sums."""
    mean_I, mean_p, cov, var, product = spare
    _box_mean(I, radius, cut, mean_I)
    _box_mean(p, radius, cut, mean_p)
    cv2.multiply(I, p, product)
    _box_mean(product, radius, cut, cov)
    cv2.multiply(I, I, product)
    _box_mean(product, radius, cut, var)
    cv2.subtract(cov, cv2.multiply(mean_I, mean_p, product), cov)
    cv2.subtract(var, cv2.multiply(mean_I, mean_I, product), var)
    var += np.float32(eps)
    A, b = cov, mean_p
    cv2.divide(cov, var, A)
    cv2.subtract(mean_p, cv2.multiply(A, mean_I, product), b)
    return _box_mean(A, radius, cut, var), _box_mean(b, radius, cut, product)


def bring_up(photo: Image, A: Array, b: Array, out: Image | None = None) -> Image:
    """Apply coefficients fitted at a smaller size to the full-size photo (fast guided filter), band by band.

    photo uint8 (H, W, 3); A, b float32 (h, w, 3). They are interpolated bilinearly at half-pixel centres. out: where
    the result is put, which may be the photo itself.
    """
    height, width = photo.shape[:2]
    A, b = level_coefficients(A, b)
    result = np.empty_like(photo) if out is None else out
    for band in bands(height):
        taps = _row_taps(band.start, band.stop, A.shape[0] / height, A.shape[0])
        up_A, up_b = (_interpolate(c, taps, width) for c in (A, b))
        result[band] = _apply(photo[band], up_A, up_b)
    return result


def _apply(photo: Image, A: Array, b: Array) -> Image:
    scaled = cv2.multiply(photo, A, dtype=cv2.CV_32F)
    return cv2.add(scaled, b, dtype=cv2.CV_8U)  # type: ignore[return-value]  # rounds and saturates


def _row_taps(start: int, stop: int, scale: float, rows: int) -> list[tuple[int, int, float]]:
    """Return of vertical bilinear interpolation each row's two source rows and the second one's share."""
    centre = np.clip((np.arange(start, stop) + 0.5) * scale - 0.5, 0, rows - 1)
    upper = np.floor(centre).astype(int)
    lower = np.minimum(upper + 1, rows - 1)
    return list(zip(upper.tolist(), lower.tolist(), (centre - upper).tolist(), strict=True))


def _interpolate(picture: Array, taps: list[tuple[int, int, float]], width: int) -> Array:
    """Interpolate a band of rows at full width.

    Row by row, which the processor's cache holds: faster than a product of matrices, and no library of linear algebra
    is asked, whose sums depend on its threads.
    """
    first, last = taps[0][0], taps[-1][1] + 1
    wide = cv2.resize(picture[first:last], (width, last - first), interpolation=cv2.INTER_LINEAR)
    wide = wide.reshape(last - first, -1)
    band = np.empty((len(taps), wide.shape[1]), np.float32)
    for row, (upper, lower, share) in zip(band, taps, strict=True):
        cv2.addWeighted(wide[upper - first], 1 - share, wide[lower - first], share, 0, dst=row)
    return band.reshape(len(taps), width, picture.shape[2])
