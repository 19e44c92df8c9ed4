"""Ink lines along the edges of a picture, drawn on their dark side.

A flow-based difference of Gaussians (Kang, Lee & Chui 2007; Winnemöller 2011): the difference of two blurs of the
lightness is negative on the dark side of an edge; smoothed along the edge's direction it is a stroke instead of dots.
What is new here: the threshold follows the surroundings, so that a faint outline on a calm ground is drawn and grass is
not, and a stroke must be supported along its own direction, the more so where directions are many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cartoonize.method.pixels import Array

THICKNESS = 1.15  # pixels, the smaller blur's sigma

_RATIO = 1.6  # of the two blurs, at which their difference is nearest to a Laplacian (Marr & Hildreth 1980)
_TENSOR_SIGMA = 2.0  # pixels
_STROKE_SIGMA, _STROKE_STRIDE = 3.0, 1.5  # pixels along the stroke, done twice, so that it may bend
_SUPPORT_SIGMA, _SUPPORT_STRIDE = 3.5, 1.75
_EDGE_SIGMA = 1.5  # along the finished line, so that its edges are not stairs
_PIECE_ROWS, _REACH = 1024, 128
_BAND_ROWS = 64  # small enough for what a band needs to stay in the processor's cache
_PLACES = 1024  # in a row, of those that are looked at alone
_FLOOR = 0.6  # L* of difference that noise does not reach
_CROWD_SIGMA = 12.0  # pixels
_CLEAR, _FULL = 0.75, 0.6  # of the threshold: where ink begins, and how much more it takes to be full
_DIRECTION_SIGMA = 7.0
_NEED, _LEAST_NEED, _MOST_NEED, _NEED_WIDTH = 1.1, 0.25, 0.7, 0.15
_TEXTURE_FROM, _TEXTURE_WIDTH, _TEXTURE_NEED = 1.8, 0.6, 0.4  # L*, L*, share of support


class Flow(NamedTuple):
    """Directions along edges: unit vectors `x`, `y` and their `coherence` in [0, 1], float32 (H, W) each."""

    x: Array
    y: Array
    coherence: Array


def edge_flow(lab: Array, sigma: float = _TENSOR_SIGMA) -> Flow:
    """Return the directions along the edges of a picture: the minor eigenvectors of its smoothed structure tensor.

    lab: float32 (H, W, C), L* of 0...100. Gradients of all channels are added (Di Zenzo 1986), so edges of colour alone
    count. The coherence is 1 where there is one direction, 0 where there is none (Kyprianidis & Döllner 2008).
    """
    across, down = (cv2.Sobel(lab, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    xx, yy, xy = (np.empty(lab.shape[:2], np.float32) for _ in range(3))
    every = np.ones((1, lab.shape[2]), np.float32)
    for rows in _bands(len(lab)):
        a, d = across[rows], down[rows]
        for product, total in ((a * a, xx), (d * d, yy), (a * d, xy)):
            cv2.transform(product, every, total[rows])
    return _directions(*(_blur(total, sigma) for total in (xx, yy, xy)))


def _directions(xx: Array, yy: Array, xy: Array) -> Flow:
    flow = Flow(*(np.empty_like(xx) for _ in range(3)))
    for rows in _bands(len(xx)):
        spread, angle = cv2.cartToPolar(xx[rows] - yy[rows], 2 * xy[rows])  # of twice the gradient's angle
        cv2.polarToCart(np.ones_like(angle), angle / 2 + np.float32(np.pi / 2), flow.x[rows], flow.y[rows])
        np.divide(spread, xx[rows] + yy[rows] + np.float32(1e-3), out=flow.coherence[rows])
    return flow


def _bands(height: int) -> Iterator[slice]:
    return (slice(start, start + _BAND_ROWS) for start in range(0, height, _BAND_ROWS))


def ink_lines(lab: Array, *, amount: float = 1.0, thickness: float = THICKNESS, texture: Array | None = None) -> Array:
    """Return how much ink lies on each pixel, float32 (H, W) in [0, 1].

    lab: float32 (H, W, 3), L* of 0...100, of a picture whose finest texture has been smoothed away. amount: above 0;
    an edge of half the contrast is drawn alike at 2. thickness: of lines, pixels. texture: L* of texture that was
    removed everywhere around a pixel (`comic.texture_everywhere`); strokes there must be longer.
    Large pictures are drawn in pieces that overlap by more than a line depends on, in bounded memory.
    """
    ink = np.empty(lab.shape[:2], np.float32)
    for start in range(0, len(lab), _PIECE_ROWS):
        top, stop = max(0, start - _REACH), start + _PIECE_ROWS
        rows = slice(top, stop + _REACH)
        piece = _ink(lab[rows], amount, thickness, None if texture is None else texture[rows])
        ink[start:stop] = piece[start - top : stop - top]
    return ink


def _ink(lab: Array, amount: float, thickness: float, texture: Array | None) -> Array:
    flow = edge_flow(lab)
    light = lab[..., 0]
    difference = _blur(light, thickness) - _blur(light, _RATIO * thickness)
    for _ in range(2):
        difference = along(difference, flow, _STROKE_SIGMA, _STROKE_STRIDE)
    threshold = np.float32(_FLOOR) + _blur(np.abs(difference), _CROWD_SIGMA)
    strokes = np.clip((-difference / threshold * np.float32(amount) - np.float32(_CLEAR)) / np.float32(_FULL), 0, 1)
    ink = strokes * _kept(strokes, flow, texture)
    return along(ink * ink * (3 - 2 * ink), flow, _EDGE_SIGMA, 1.0)


def along(values: Array, flow: Flow, sigma: float, stride: float) -> Array:
    """Smooth float32 (H, W) along the flow with a Gaussian of `sigma` pixels, sampled every `stride` pixels."""
    total = np.empty_like(values)
    below, right = np.mgrid[:_BAND_ROWS, : values.shape[1]].astype(np.float32)
    for rows in _bands(len(values)):
        x, y = flow.x[rows], flow.y[rows]
        here = right[: len(x)], below[: len(x)] + np.float32(rows.start)
        total[rows] = _sampled(values, values[rows], here, (x, y), sigma, stride)
    return total


def _sampled(
    values: Array, middle: Array, here: tuple[Array, Array], way: tuple[Array, Array], sigma: float, stride: float
) -> Array:
    """Return the Gaussian mean of `values` on the way through each place `here`, where it is `middle`."""
    steps = np.arange(1, np.ceil(2 * sigma / stride) + 1) * stride
    shares = np.exp(-(steps**2) / (2 * sigma**2))
    shares /= 1 + 2 * shares.sum()
    total: Array = middle * np.float32(1 - 2 * shares.sum())
    for step, share in zip([*steps, *-steps], [*shares, *shares], strict=True):
        at = cv2.scaleAdd(way[0], step, here[0]), cv2.scaleAdd(way[1], step, here[1])
        there = cv2.remap(values, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        cv2.scaleAdd(there, share, total, dst=total)
    return total


def _kept(strokes: Array, flow: Flow, texture: Array | None) -> Array:
    """Return how much of each stroke stays: all of a long one, nothing of a dash where directions are many.

    It is looked for where there are strokes, in a fifth of a picture; elsewhere it is 0.
    """
    kept = np.zeros_like(strokes)
    places = np.flatnonzero(strokes)
    if not places.size:
        return kept
    support = along(strokes, flow, _SUPPORT_SIGMA, _SUPPORT_STRIDE)
    places = np.resize(places, (-(-places.size // _PLACES), _PLACES))  # OpenCV's pictures are no wider than 32,766
    x, y, middle = (array.ravel()[places] for array in (flow.x, flow.y, support))
    here = (places % strokes.shape[1]).astype(np.float32), (places // strokes.shape[1]).astype(np.float32)
    support = _sampled(support, middle, here, (x, y), _SUPPORT_SIGMA, _SUPPORT_STRIDE)
    crowd = _blur(flow.coherence, _DIRECTION_SIGMA).ravel()[places]
    need = np.clip(np.float32(_NEED) - crowd, _LEAST_NEED, _MOST_NEED)
    if texture is not None:
        rough = texture.ravel()[places]
        need += np.float32(_TEXTURE_NEED) * np.clip((rough - _TEXTURE_FROM) / np.float32(_TEXTURE_WIDTH), 0, 1)
    kept.ravel()[places] = np.clip((support - need) / np.float32(_NEED_WIDTH) + np.float32(0.5), 0, 1)
    return kept


def _blur(values: Array, sigma: float) -> Array:
    return cv2.GaussianBlur(values, (0, 0), sigma)  # type: ignore[return-value]  # as above
