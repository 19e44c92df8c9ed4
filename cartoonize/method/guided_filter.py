"""Guided filter (He et al. 2010) and fast guided filter (He & Sun 2015), per channel, in [-1, 1] units.

q = mean(A)·I + mean(b) with A = cov(I, p) / (var(I) + eps) and b = mean(p) - A·mean(I): the guide I is the
photo, p the generator's output. Fitted at one size, the coefficients can be applied at another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np

from cartoonize.method.pixels import Array, Image, bands, level_coefficients, to_network

Mean: TypeAlias = Callable[[Array, int], Array]  # (picture, radius) -> the average over the window around each pixel

RADIUS = 1  # the release's choice for inference
EPS = 5e-3


def box_mean(x: Array, radius: int) -> Array:
    """Average over the (2·radius + 1)² window around each pixel, over the part inside the picture at borders."""
    size = 2 * radius + 1
    mean: Array = cv2.boxFilter(x, -1, (size, size), normalize=True, borderType=cv2.BORDER_CONSTANT)  # type: ignore[assignment]  # OpenCV's stubs know no dtypes
    # OpenCV has divided by the whole window; the true one is smaller by a factor of the row times one of the column.
    height, width = x.shape[:2]
    for i, factor in _cut_windows(height, radius):
        mean[i] *= factor
    for i, factor in _cut_windows(width, radius):
        mean[:, i] *= factor
    return mean


@lru_cache(maxsize=64)
def _cut_windows(length: int, radius: int) -> list[tuple[int, np.float32]]:
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
    A, b = coefficients(to_network(photo), cartoon, radius, eps)
    if detail == 1:
        return A, b
    delta = np.float32(detail)
    return delta * A, delta * b + (1 - delta) * cartoon


def filter_image(photo: Image, cartoon: Array, detail: float = 1.0, radius: int = RADIUS, eps: float = EPS) -> Image:
    """Post-process at one size, band by band: uint8 (H, W, 3) and float32 (H, W, 3) to uint8 (H, W, 3)."""
    height = photo.shape[0]
    result = np.empty_like(photo)
    for band in bands(height):
        start, stop = band.start, band.stop
        # Averages of averages reach 2·radius rows beyond the band.
        top, bottom = max(0, start - 2 * radius), min(height, stop + 2 * radius)
        A, b = detail_coefficients(photo[top:bottom], cartoon[top:bottom], detail, radius, eps)
        rows = slice(start - top, stop - top)
        result[band] = _apply(photo[band], *level_coefficients(A[rows], b[rows]))
    return result


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
