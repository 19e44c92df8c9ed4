"""Against references written from the papers' equations, one pixel at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cartoonize.method.guided_filter import (
    box_mean,
    bring_up,
    coefficients,
    detail_coefficients,
    filter_image,
    guided_filter,
)
from cartoonize.method.pixels import resize, to_image, to_network

Floats = NDArray[np.float64]


def reference_mean(x: Floats, radius: int) -> Floats:
    result = np.empty_like(x)
    for i, j in np.ndindex(x.shape[:2]):
        window = x[max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1]
        result[i, j] = window.mean(axis=(0, 1))
    return result


def reference_guided_filter(I: Floats, p: Floats, radius: int, eps: float) -> Floats:  # noqa: E741
    mean_I, mean_p = reference_mean(I, radius), reference_mean(p, radius)
    cov = reference_mean(I * p, radius) - mean_I * mean_p
    var = reference_mean(I * I, radius) - mean_I**2
    A = cov / (var + eps)
    b = mean_p - A * mean_I
    return reference_mean(A, radius) * I + reference_mean(b, radius)


def random_pair(height: int, width: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    return photo, rng.uniform(-1.2, 1.2, (height, width, 3)).astype(np.float32)


@given(height=st.integers(1, 12), width=st.integers(1, 12), radius=st.integers(1, 5))
def test_box_mean_divides_by_the_true_window(height: int, width: int, radius: int) -> None:
    x = random_pair(height, width)[1]
    np.testing.assert_allclose(box_mean(x, radius), reference_mean(x.astype(float), radius), atol=1e-6)


@given(height=st.integers(1, 12), width=st.integers(1, 12), radius=st.sampled_from([1, 2, 5]))
def test_guided_filter_matches_the_paper(height: int, width: int, radius: int) -> None:
    photo, p = random_pair(height, width)
    guide = to_network(photo)
    expected = reference_guided_filter(guide.astype(float), p.astype(float), radius, 5e-3)
    np.testing.assert_allclose(guided_filter(guide, p, radius, 5e-3), expected, atol=2e-4)


def test_a_flat_guide_leaves_the_local_mean() -> None:
    p = random_pair(9, 9)[1]
    flat = np.zeros_like(p)
    np.testing.assert_allclose(guided_filter(flat, p), box_mean(box_mean(p, 1), 1), atol=1e-6)


def test_a_picture_guided_by_itself_keeps_a_strong_edge() -> None:
    step = np.full((8, 8, 3), -1, np.float32)
    step[:, 4:] = 1
    assert np.abs(guided_filter(step, step) - step).max() < 0.02


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (47, 17), (48, 256), (49, 257), (150, 520)])
@pytest.mark.parametrize("radius", [1, 5])
def test_tiles_do_not_show(shape: tuple[int, int], radius: int) -> None:
    photo, p = random_pair(*shape)
    A, b = coefficients(to_network(photo), p, radius)
    fitted = detail_coefficients(photo, p, 1.0, radius)
    np.testing.assert_allclose(fitted, (A, b), atol=2e-5)
    whole = to_image(guided_filter(to_network(photo), p, radius)).astype(int)
    difference = np.abs(filter_image(photo, p, radius=radius) - whole)
    assert difference.max() <= 1  # a value at a whole level may be rounded to either side
    assert np.mean(difference) < 0.01


@pytest.mark.parametrize("turn", [np.rot90, np.asfortranarray, np.fliplr, lambda array: array[..., ::-1]])
def test_any_order_in_memory_will_do(turn: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> None:
    photo = turn(random_pair(60, 50)[0])
    ordered = np.ascontiguousarray(photo)
    p = to_network(ordered)
    np.testing.assert_array_equal(filter_image(photo, p), filter_image(ordered, p))
    np.testing.assert_array_equal(detail_coefficients(photo, p, 0.5), detail_coefficients(ordered, p, 0.5))
    np.testing.assert_array_equal(box_mean(np.asfortranarray(p), 1), box_mean(p, 1))


@pytest.mark.parametrize("detail", [0.0, 0.3, 1.0])
def test_detail_is_delta_of_equation_9(detail: float) -> None:
    photo, p = random_pair(20, 15)
    A, b = detail_coefficients(photo, p, detail)
    filtered = guided_filter(to_network(photo), p)
    np.testing.assert_allclose(A * to_network(photo) + b, detail * filtered + (1 - detail) * p, atol=1e-5)


def reference_bilinear(x: Floats, height: int, width: int) -> Floats:
    """Half-pixel-centre bilinear interpolation, borders repeated, a pixel at a time."""
    result = np.empty((height, width, x.shape[2]))
    for i, j in np.ndindex(height, width):
        y = np.clip((i + 0.5) * x.shape[0] / height - 0.5, 0, x.shape[0] - 1)
        z = np.clip((j + 0.5) * x.shape[1] / width - 0.5, 0, x.shape[1] - 1)
        top, left = int(y), int(z)
        bottom, right = min(top + 1, x.shape[0] - 1), min(left + 1, x.shape[1] - 1)
        fy, fx = y - top, z - left
        upper = (1 - fx) * x[top, left] + fx * x[top, right]
        lower = (1 - fx) * x[bottom, left] + fx * x[bottom, right]
        result[i, j] = (1 - fy) * upper + fy * lower
    return result


@settings(max_examples=25)
@given(
    small=st.tuples(st.integers(1, 20), st.integers(1, 9)),
    more=st.tuples(st.integers(0, 280), st.integers(0, 20)),
    seed=st.integers(0, 99),
)
def test_bring_up_applies_interpolated_coefficients(small: tuple[int, int], more: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    A, b = (rng.uniform(-1, 1, (*small, 3)).astype(np.float32) for _ in range(2))
    photo = rng.integers(0, 256, (small[0] + more[0], small[1] + more[1], 3), np.uint8)
    up_A, up_b = (reference_bilinear(c.astype(float), *photo.shape[:2]) for c in (A, b))
    expected = to_image((up_A * to_network(photo) + up_b).astype(np.float32)).astype(int)
    difference = np.abs(bring_up(photo, A, b) - expected)
    assert difference.max() <= 1
    assert np.mean(difference) < 0.02


def test_bring_up_keeps_edges_that_interpolation_would_blur() -> None:
    """The point of the fast guided filter: coefficients of a small picture, edges of the large one."""
    large = np.zeros((64, 64, 3), np.uint8)
    large[:, 30:] = 255  # between two pixels of the small picture
    small = resize(large, (16, 16))
    result = bring_up(large, *coefficients(to_network(small), to_network(small))).astype(int)
    blurred = resize(small, (64, 64)).astype(int)
    assert (result[:, 30] - result[:, 29]).min() > 200
    assert (blurred[:, 30] - blurred[:, 29]).max() < 100
