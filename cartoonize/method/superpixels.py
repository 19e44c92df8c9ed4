"""The structure view of one picture: felzenszwalb superpixels, selective-search merging, adaptive colouring.

NumPy and scikit-image alone, so that worker processes start without TensorFlow.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from cartoonize.method.constants import MU, REGIONS

Picture: TypeAlias = NDArray[np.float32] | NDArray[np.uint8]  # (H, W, 3) RGB: nominally [-1, 1], or 0...255
Labels: TypeAlias = NDArray[np.int32]  # (H, W), 0...K-1
Integers: TypeAlias = NDArray[np.int64]

_BINS = 25  # per channel, as in Uijlings et al. 2013
_MEAN_BELOW, _MEDIAN_ABOVE = 20 / 255, 40 / 255  # the paper's standard deviations, for levels in [0, 1]


def structure_view(image: Picture, *, regions: int = REGIONS, mu: float = MU) -> NDArray[np.float32]:
    """Draw a picture as flat regions: F_st of Wang & Yu 2020, section 3.2.

    image: (H, W, 3) RGB, float32 nominally in [-1, 1] or uint8. Returns float32 (H, W, 3) in [-1, 1].
    """
    return adaptive_coloring(image, segment(image, regions=regions), mu=mu)


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """Start processes for `structure`; spawned, since TensorFlow's threads do not survive a fork.

    They leave Ctrl-C to the parent, which closes the pool, and end when it is no more, even if it was killed.
    """
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_worker)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def segment(image: Picture, *, regions: int = REGIONS) -> Labels:
    """Cut a picture into at most `regions` connected regions of similar colour.

    Felzenszwalb & Huttenlocher 2004 (the release's scale 10, sigma 0.8, at least 100 pixels) gives superpixels;
    the most similar neighbours are then merged as in selective search (Uijlings et al. 2013). Similarity is the sum
    of their colour (intersection of RGB histograms), size and fill terms; their texture term, 240 numbers a region
    to tell objects apart, says little about superpixels, which are nearly flat.

    image: (H, W, 3) RGB, float32 nominally in [-1, 1] or uint8. Returns int32 (H, W), 0...K-1, each in use.
    Small pictures stay below `regions` without a merger: 256x256 photos have about 160 superpixels.
    """
    unit = np.nan_to_num(_unit(image))  # not a number is left for the colours to show
    labels = felzenszwalb(unit, scale=10, sigma=0.8, min_size=100).astype(np.int32)
    surplus = int(labels.max()) + 1 - regions
    return _merge(unit, labels, surplus) if surplus > 0 else labels


def adaptive_coloring(image: Picture, labels: Labels, *, mu: float = MU) -> NDArray[np.float32]:
    """Fill each region with (θ1·mean + θ2·median)^μ of its colours: equation 2 of Wang & Yu 2020.

    (θ1, θ2) is (1, 0) where the region's standard deviation is below 20 of 255 levels, (0, 1) where it is above 40,
    else (0.5, 0.5). The deviation is about the region's mean colour, over its pixels and channels. The power is of
    colours in [0, 1]; the paper has μ = 1.2, which darkens; its authors advise 1.

    image: (H, W, 3) RGB, float32 nominally in [-1, 1] (clipped) or uint8; labels: int (H, W), 0...K-1, each in use.
    Returns float32 (H, W, 3) in [-1, 1].
    """
    unit = _unit(image).reshape(-1, 3)
    flat = labels.ravel()
    sizes = np.bincount(flat)
    mean = _sums(unit, flat) / sizes[:, None]
    variance = _sums(np.square(unit, dtype=np.float64), flat) / sizes[:, None] - mean**2
    sigma = np.sqrt(variance.mean(axis=1).clip(0))
    theta1 = np.select([sigma < _MEAN_BELOW, sigma > _MEDIAN_ABOVE], [1.0, 0.0], 0.5)[:, None]
    colors = (theta1 * mean + (1 - theta1) * _medians(unit, flat, sizes)) ** mu
    view: NDArray[np.float32] = (2 * colors - 1).astype(np.float32)[labels]
    return view


def _unit(image: Picture) -> NDArray[np.float32]:
    """Bring either kind of picture to float32 [0, 1]."""
    if image.dtype == np.uint8:
        return np.divide(image, 255, dtype=np.float32)
    unit: NDArray[np.float32] = np.clip((image + np.float32(1)) / 2, 0, 1)
    return unit


def _sums(values: NDArray[np.floating], flat: Labels) -> NDArray[np.float64]:
    """Sum (pixels, channels) over the regions: (K, channels)."""
    return np.stack([np.bincount(flat, channel) for channel in values.T], axis=1)


def _medians(unit: NDArray[np.float32], flat: Labels, sizes: Integers) -> NDArray[np.float64]:
    """Median of each region and channel (K, 3): one sort by region, then level."""
    ends = np.cumsum(sizes)
    lower, upper = ends - sizes + (sizes - 1) // 2, ends - sizes + sizes // 2
    region = flat.astype(np.uint64) << np.uint64(32)
    medians = []
    for channel in unit.T:
        # The bits of floats that are not negative are in the order of the floats.
        bits = np.ascontiguousarray(channel).view(np.uint32)
        levels = np.sort(region | bits).astype(np.uint32).view(np.float32).astype(np.float64)
        medians.append((levels[lower] + levels[upper]) / 2)
    return np.stack(medians, axis=1)


def _merge(unit: NDArray[np.float32], labels: Labels, mergers: int) -> Labels:
    """Unite the most similar neighbours `mergers` times; each union is a region with a number of its own."""
    count = int(labels.max()) + 1
    found = _Regions(unit, labels, room=count + mergers)
    first, second = _adjacent(labels)
    neighbours = _neighbours(first, second)
    heap = list(zip(-found.similarity(first, second), first.tolist(), second.tolist(), strict=True))
    heapq.heapify(heap)
    root = np.arange(count + mergers)
    for union in range(count, count + mergers):
        one, other = _pop_most_similar(heap, neighbours)
        root[[one, other]] = union
        found.unite(one, other, union)
        around = (neighbours.pop(one) | neighbours.pop(other)) - {one, other}
        for region in around:
            neighbours[region] = neighbours[region] - {one, other} | {union}
        neighbours[union] = around
        near = np.array(sorted(around), np.int64)
        for similarity, region in zip(found.similarity(near, union), near.tolist(), strict=True):
            heapq.heappush(heap, (-similarity, region, union))
    for region in reversed(range(len(root))):
        root[region] = root[root[region]]
    merged: Labels = np.unique(root[labels], return_inverse=True)[1].reshape(labels.shape).astype(np.int32)
    return merged


def _pop_most_similar(heap: list[tuple[float, int, int]], neighbours: dict[int, set[int]]) -> tuple[int, int]:
    """Take the best pair off the heap, and with it those above that a merger has ended."""
    while True:
        _, one, other = heapq.heappop(heap)
        if one in neighbours and other in neighbours:
            return one, other


def _adjacent(labels: Labels) -> tuple[Integers, Integers]:
    """List the pairs of regions that share an edge, smaller label first, each once."""
    across = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()])
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()])
    pairs = np.concatenate([across, down], axis=1)
    pairs = np.sort(pairs[:, pairs[0] != pairs[1]], axis=0).astype(np.int64)
    count = int(labels.max()) + 1
    first, second = np.divmod(np.unique(pairs[0] * count + pairs[1]), count)
    return first, second


def _neighbours(first: Integers, second: Integers) -> dict[int, set[int]]:
    neighbours: dict[int, set[int]] = {}
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    return neighbours


class _Regions:
    """Pixel counts, colour histograms and bounding boxes of regions, with room for unions.

    Integers throughout: the order of mergers is then the same however sums are taken.
    """

    def __init__(self, unit: NDArray[np.float32], labels: Labels, room: int) -> None:
        self._pixels = labels.size
        flat = labels.ravel()
        self._sizes = np.bincount(flat, minlength=room)
        levels = np.multiply(unit.reshape(-1, 3), _BINS, dtype=np.float64).astype(np.int64)
        bins = np.minimum(levels, _BINS - 1) + _BINS * np.arange(3)
        cells = (flat[:, None] * np.int64(3 * _BINS) + bins).ravel()
        self._histograms = np.bincount(cells, minlength=room * 3 * _BINS).reshape(room, 3 * _BINS)
        self._corners = _corners(labels, room)

    def unite(self, one: int, other: int, union: int) -> None:
        """Fill in region `union` from the two that it is made of."""
        self._sizes[union] = self._sizes[one] + self._sizes[other]
        self._histograms[union] = self._histograms[one] + self._histograms[other]
        self._corners[union] = np.minimum(self._corners[one], self._corners[other])

    def similarity(self, one: Integers, other: Integers | int) -> NDArray[np.float64]:
        """Compare pairs of regions: s_colour + s_size + s_fill of Uijlings et al. 2013, each in [0, 1]."""
        size1, size2 = self._sizes[one], self._sizes[other]
        histogram1 = self._histograms[one] * size2[..., None]
        histogram2 = self._histograms[other] * size1[..., None]
        color = np.minimum(histogram1, histogram2).sum(axis=-1) / (3 * size1 * size2)
        top, left, bottom, right = np.minimum(self._corners[one], self._corners[other]).T
        box = (1 - bottom - top) * (1 - right - left)
        similarity: NDArray[np.float64] = color + (2 - box / self._pixels)  # the sizes cancel in size + fill
        return similarity


def _corners(labels: Labels, room: int) -> Integers:
    """Return (room, 4): first row and column and, negated so that a union is a minimum, the last row and column."""
    height, width = labels.shape
    corners = np.zeros((room, 4), np.int64)
    for side, place in enumerate((np.arange(height)[:, None], np.arange(width))):
        crossed = np.zeros((room, place.size), np.bool_)
        crossed[labels, place] = True
        corners[:, side] = crossed.argmax(axis=1)
        corners[:, side + 2] = crossed[:, ::-1].argmax(axis=1) - (place.size - 1)
    return corners
