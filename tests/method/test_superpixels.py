"""Against the definitions written as loops over regions, with masks."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import felzenszwalb

from cartoonize.method.pixels import to_network
from cartoonize.method.superpixels import adaptive_coloring, segment, structure_view

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]


@pytest.fixture(scope="module")
def patch(coffee: NDArray[np.uint8]) -> Floats:
    """The photo in 96 x 144: about 60 superpixels."""
    return to_network(np.asarray(Image.fromarray(coffee).resize((144, 96))))


def reference_similarity(unit: Floats, one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    histograms = [
        np.concatenate([np.histogram(unit[mask][:, c], 25, (0, 1))[0] for c in range(3)]) / (3 * mask.sum())
        for mask in (one, other)
    ]
    rows, columns = np.nonzero(one | other)
    box = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
    sizes = one.sum() + other.sum()
    return float(np.minimum(*histograms).sum() + (1 - sizes / one.size) + (1 - (box - sizes) / one.size))


def touch(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    grown = one.copy()
    grown[1:] |= one[:-1]
    grown[:-1] |= one[1:]
    grown[:, 1:] |= one[:, :-1]
    grown[:, :-1] |= one[:, 1:]
    return bool((grown & other).any())


def reference_merge(unit: Floats, labels: Labels, regions: int) -> list[NDArray[np.bool_]]:
    """Start from the superpixels' masks and unite the most similar neighbours, comparing all pairs each time."""
    masks = [labels == label for label in range(labels.max() + 1)]
    left = list(range(len(masks)))

    @cache
    def score(i: int, j: int) -> float:
        return reference_similarity(unit, masks[i], masks[j]) if touch(masks[i], masks[j]) else -1

    while len(left) > regions:
        one, other = max(combinations(left, 2), key=lambda pair: score(*pair))
        left = [number for number in left if number not in (one, other)] + [len(masks)]
        masks.append(masks[one] | masks[other])
    return [masks[number] for number in left]


def reference_coloring(image: Floats, labels: Labels, mu: float) -> Floats:
    levels = np.clip((image.astype(float) + 1) * 127.5, 0, 255)
    result = np.empty(image.shape, np.float32)
    for label in np.unique(labels):
        region = levels[labels == label]
        sigma = np.sqrt(np.mean((region - region.mean(axis=0)) ** 2))
        theta = (1, 0) if sigma < 20 else (0, 1) if sigma > 40 else (0.5, 0.5)
        color = theta[0] * region.mean(axis=0) + theta[1] * np.median(region, axis=0)
        result[labels == label] = 2 * (color / 255) ** mu - 1
    return result


@pytest.mark.parametrize("turned", [False, True])
def test_merging_takes_the_most_similar_neighbours_first(turned: bool, patch: Floats) -> None:
    image = patch.swapaxes(0, 1) if turned else patch
    unit = (image + 1) / 2
    superpixels = felzenszwalb(unit, scale=10, sigma=0.8, min_size=100)
    for regions in (superpixels.max(), 25, 5):
        labels = segment(image, regions=regions)
        for mask in reference_merge(unit, superpixels, regions):
            (label,) = np.unique(labels[mask])
            assert np.array_equal(labels == label, mask)


@pytest.mark.parametrize("turned", [False, True])
def test_the_box_that_fits_tightest_wins_among_equals(turned: bool) -> None:
    """No two of these flat regions share a histogram bin: boxes of 20 x 128 against 51 x 51 pixels decide."""
    levels = np.full((128, 128), 240, np.uint8)
    levels[:10], levels[10:20] = 0, 120
    levels[50:101, 30:56], levels[50:101, 56:81] = 60, 180
    image = np.repeat((levels.T if turned else levels)[..., None], 3, axis=-1)
    labels = segment(image, regions=4)
    found = {level: np.unique(labels[image[..., 0] == level]).tolist() for level in (0, 60, 120, 180, 240)}
    assert found[0] == found[120]
    assert len({tuple(numbers) for numbers in found.values()}) == 4


@pytest.mark.parametrize("regions", [1, 7, 30])
def test_segment_gives_as_many_regions_as_asked_each_in_one_piece(patch: Floats, regions: int) -> None:
    labels = segment(patch, regions=regions)
    assert labels.dtype == np.int32
    assert np.array_equal(np.unique(labels), np.arange(regions))
    for label in range(regions):
        mask = labels == label
        reached = np.zeros_like(mask)
        reached[tuple(np.argwhere(mask)[0])] = True
        while (grown := mask & dilated(reached)).sum() > reached.sum():
            reached = grown
        assert np.array_equal(reached, mask)


def dilated(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Grow by one pixel all round, corners too: felzenszwalb connects along diagonals."""
    padded = np.pad(mask, 1)
    height, width = mask.shape
    return np.logical_or.reduce([padded[i : i + height, j : j + width] for i in range(3) for j in range(3)])


def test_few_superpixels_stay_as_scikit_image_has_them(patch: Floats) -> None:
    expected = felzenszwalb((patch + 1) / 2, scale=10, sigma=0.8, min_size=100)
    assert np.array_equal(segment(patch, regions=int(expected.max()) + 1), expected)


def test_four_flat_quarters_are_four_regions() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:32, 32:], image[32:, :32], image[32:, 32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    labels = segment(image)
    corners = [labels[i, j] for i in (0, 63) for j in (0, 63)]
    assert sorted(corners) == [0, 1, 2, 3]
    assert np.array_equal(adaptive_coloring(image, labels), to_network(image))


def test_uint8_and_network_pictures_give_the_same(coffee: NDArray[np.uint8]) -> None:
    image = coffee[:128, :128]
    np.testing.assert_allclose(structure_view(image), structure_view(to_network(image)), atol=1e-6)


@settings(max_examples=40)
@given(
    side=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    regions=st.integers(1, 9),
    spread=st.sampled_from([0.05, 0.2, 0.4, 1.2]),  # mean, mixed and median; beyond [-1, 1]
    mu=st.sampled_from([1.0, 1.2]),
    seed=st.integers(0, 999),
)
def test_adaptive_coloring_follows_equation_2(
    side: tuple[int, int], regions: int, spread: float, mu: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = np.unique(rng.integers(0, regions, side), return_inverse=True)[1].reshape(side).astype(np.int32)
    image = (rng.uniform(-1, 1, 3) + spread * rng.standard_normal((*side, 3))).astype(np.float32)
    np.testing.assert_allclose(
        adaptive_coloring(image, labels, mu=mu), reference_coloring(image, labels, mu), atol=1e-5
    )


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([100, 100, 100, 130], 107.5),  # sigma 13: the mean
        ([100, 100, 100, 170], (117.5 + 100) / 2),  # sigma 30: half and half
        ([100, 100, 100, 200], 100),  # sigma 43: the median
    ],
)
def test_the_deviation_is_in_levels(levels: list[int], expected: float) -> None:
    """The release compares it in [-1, 1], so that every region gets its mean."""
    image = np.repeat(np.array([levels], np.uint8)[..., None], 3, axis=-1)
    colors = adaptive_coloring(image, np.zeros((1, 4), np.int32))
    np.testing.assert_allclose((colors + 1) * 127.5, expected, atol=1e-3)


def test_a_saturated_flat_region_has_no_deviation() -> None:
    """Channels differ, pixels do not: 13 levels about the mean colour, not 120 about grey."""
    image = np.full((1, 4, 3), (250, 10, 10), np.uint8)
    image[0, 3] -= 9
    colors = adaptive_coloring(image, np.zeros((1, 4), np.int32))
    np.testing.assert_allclose((colors[0, 0] + 1) * 127.5, image[0].mean(axis=0), atol=1e-3)


def test_mu_above_one_neither_overflows_nor_leaves_the_range() -> None:
    image = np.linspace(-3, 3, 300, dtype=np.float32).reshape(10, 10, 3)
    view = adaptive_coloring(image, np.arange(100, dtype=np.int32).reshape(10, 10), mu=1.2)
    assert view.min() == -1
    assert view.max() == 1


def test_not_a_number_shows_instead_of_crashing(patch: Floats) -> None:
    broken = patch.copy()
    broken[40, 40, 1] = np.nan
    view = structure_view(broken, regions=10)
    assert np.isnan(view[40, 40, 1])
    assert np.isfinite(view).any()


def test_workers_start_without_tensorflow() -> None:
    script = (
        "import sys, cartoonize.method.superpixels; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


KILLED = """
import os, signal, sys, time
import numpy as np
from cartoonize.method.superpixels import structure_view, worker_pool
if __name__ == "__main__":
    pool = worker_pool(2)
    jobs = [pool.submit(structure_view, np.zeros((16, 16, 3), np.uint8)) for _ in range(8)]
    [job.result() for job in jobs]
    print(*pool._processes, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    # The workers hold its end of the pipe: there is no end of file before they are gone.
    said = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True, timeout=200).stdout
    assert len(said.split()) == 2
