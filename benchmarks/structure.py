"""The structure view of a batch of 16 at 256 x 256: ours on two processes against scikit-image and plain loops.

Most of ours, nine tenths, is scikit-image's felzenszwalb, which both sides need.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import skimage.data
from measure import header, median_seconds, row, seconds
from numpy.typing import NDArray
from skimage.graph import RAG
from skimage.segmentation import felzenszwalb

from cartoonize.method.pixels import to_network
from cartoonize.method.superpixels import segment, worker_pool
from cartoonize.training.whitebox.tensor_views import structure

BATCH, SIDE, WORKERS = 16, 256, 2
BINS = 25

Floats: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.int64]
Region: TypeAlias = tuple[int, NDArray[np.int64], tuple[int, int, int, int]]  # pixels, histograms, bounding box


def patches() -> Floats:
    """Cut the batch from real photos."""
    rng = np.random.default_rng(0)
    photos = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea(), skimage.data.rocket()]
    cuts = []
    for number in range(BATCH):
        photo = photos[number % len(photos)]
        top, left = (rng.integers(side - SIDE + 1) for side in photo.shape[:2])
        cuts.append(to_network(photo[top : top + SIDE, left : left + SIDE]))
    return np.stack(cuts)


def plain_structure(image: Floats, regions: int) -> Floats:
    return plain_coloring(image, plain_segment(image, regions))


def superpixels(image: Floats) -> Labels:
    labels: Labels = felzenszwalb((image + 1) / 2, scale=10, sigma=0.8, min_size=100)
    return labels


def plain_segment(image: Floats, regions: int) -> Labels:
    unit, labels = (image + 1) / 2, superpixels(image)
    graph = RAG(labels, connectivity=1)
    found = {label: plain_region(unit, labels == label) for label in graph}
    pairs = {(min(pair), max(pair)) for pair in graph.edges}
    similarity = {(one, other): plain_similarity(found[one], found[other], labels.size) for one, other in pairs}
    for union in range(len(found), 2 * len(found) - regions):
        best = min(similarity, key=lambda pair: (-similarity[pair], pair))
        labels[np.isin(labels, best)] = union
        found[union] = plain_region(unit, labels == union)
        near = {label for pair in similarity if set(pair) & set(best) for label in pair} - set(best)
        similarity = {pair: value for pair, value in similarity.items() if not set(pair) & set(best)}
        for label in near:
            similarity[label, union] = plain_similarity(found[label], found[union], labels.size)
    return labels


def plain_region(unit: Floats, mask: NDArray[np.bool_]) -> Region:
    rows, columns = np.nonzero(mask)
    histograms = [np.histogram(channel, BINS, (0, 1))[0] for channel in unit[mask].T]
    return len(rows), np.concatenate(histograms), (rows.min(), columns.min(), rows.max(), columns.max())


def plain_similarity(one: Region, other: Region, pixels: int) -> float:
    (size1, histogram1, box1), (size2, histogram2, box2) = one, other
    color = np.minimum(histogram1 / (3 * size1), histogram2 / (3 * size2)).sum()
    height = max(box1[2], box2[2]) - min(box1[0], box2[0]) + 1
    width = max(box1[3], box2[3]) - min(box1[1], box2[1]) + 1
    size = 1 - (size1 + size2) / pixels
    fill = 1 - (height * width - size1 - size2) / pixels
    return float(color + size + fill)


def plain_coloring(image: Floats, labels: Labels) -> Floats:
    view = np.empty_like(image)
    for label in np.unique(labels):
        colors = image[labels == label].astype(np.float64)
        mean, median = colors.mean(axis=0), np.median(colors, axis=0)
        sigma = 127.5 * np.sqrt(np.mean((colors - mean) ** 2))
        theta1 = 1 if sigma < 20 else 0 if sigma > 40 else 0.5
        view[labels == label] = theta1 * mean + (1 - theta1) * median
    return view


def same(one: NDArray[np.integer], other: NDArray[np.integer]) -> bool:
    """Tell whether two labellings are one partition: each label of either goes with one label of the other."""
    pairs = len(np.unique(np.stack([one.ravel(), other.ravel()]), axis=1).T)
    return pairs == len(np.unique(one)) == len(np.unique(other))


def compare(batch: Floats, regions: int) -> None:
    counts = [superpixels(image).max() + 1 for image in batch]
    print(f"down to {regions} regions, of {min(counts)}...{max(counts)} superpixels")
    loops = partial(plain_structure, regions=regions)
    with worker_pool(WORKERS) as pool:
        ours = median_seconds(partial(structure, batch, regions=regions, pool=pool))
        plain_in_pool = seconds(lambda: list(pool.map(loops, batch)))
        views = structure(batch, regions=regions, pool=pool)
    plain, plain_cpu = clocks(lambda: [loops(image) for image in batch])
    _, ours_cpu = clocks(lambda: structure(batch, regions=regions))
    row(f"  ours, wall time on {WORKERS} processes", ours)
    row("  scikit-image and loops as they come, wall time", plain)
    row("  ratio", plain / ours, "times")
    row(f"  scikit-image and loops, wall time on {WORKERS} processes", plain_in_pool)
    row("  ratio", plain_in_pool / ours, "times")
    row("  ours, CPU time", ours_cpu)
    row("  scikit-image and loops, CPU time", plain_cpu)
    row("  ratio", plain_cpu / ours_cpu, "times")
    for image, view in zip(batch, views, strict=True):
        assert same(segment(image, regions=regions), plain_segment(image, regions))
        np.testing.assert_allclose(view, loops(image), atol=1e-5)
    print("  equal regions and equal colours (to 1e-5)")


def clocks(run: Callable[[], object]) -> tuple[float, float]:
    """Wall time, and this process' CPU time, which other work on the machine changes less."""
    start = time.process_time()
    wall = seconds(run)
    return wall, time.process_time() - start


def main() -> None:
    header()
    batch = patches()
    row("felzenszwalb alone, which both need, CPU time", clocks(lambda: [superpixels(i) for i in batch])[1])
    for regions in (200, 60):
        compare(batch, regions)


if __name__ == "__main__":
    main()
