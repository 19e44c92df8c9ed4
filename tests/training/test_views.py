"""Against references written from the papers' equations, one pixel at a time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.method import views as arrays
from cartoonize.method.pixels import to_network
from cartoonize.method.superpixels import structure_view, worker_pool
from cartoonize.training.tensor_filter import filter_batch
from cartoonize.training.whitebox.tensor_views import structure, surface, texture

Floats = NDArray[np.float32]
LUMA = np.array([0.299, 0.587, 0.114])


def pictures(count: int = 2, height: int = 13, width: int = 17) -> Floats:
    return np.random.default_rng(0).uniform(-1, 1, (count, height, width, 3)).astype(np.float32)


def reference_mean(x: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    result = np.empty_like(x)
    for i, j in np.ndindex(x.shape[:2]):
        window = x[max(0, i - radius) : i + radius + 1, max(0, j - radius) : j + radius + 1]
        result[i, j] = window.mean(axis=(0, 1))
    return result


def test_surface_is_the_guided_filter_of_radius_5_and_eps_02() -> None:
    images = pictures()
    for image, result in zip(images.astype(float), surface(images).numpy(), strict=True):
        mean = reference_mean(image, 5)
        variance = reference_mean(image**2, 5) - mean**2
        A = variance / (variance + 0.2)
        expected = reference_mean(A, 5) * image + reference_mean(mean - A * mean, 5)
        np.testing.assert_allclose(result, expected, atol=1e-5)


def test_surface_has_the_slope_of_the_filter_by_another_picture() -> None:
    """Both of whose arguments are the one picture."""
    image = tf.constant(pictures())
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(image)
        once, twice = (tf.reduce_sum(view**3) for view in (surface(image), filter_batch(image, image, 5, 0.2)))
    slope = tape.gradient(once, image).numpy()
    assert np.abs(slope).max() > 0.1
    np.testing.assert_allclose(slope, tape.gradient(twice, image), atol=1e-5)


def test_structure_is_the_view_of_each_picture(coffee: NDArray[np.uint8]) -> None:
    batch = to_network(np.stack([coffee[:64, :64], coffee[100:164, 100:164]]))
    views = structure(batch, regions=5)
    assert views.dtype == np.float32
    for image, view in zip(batch, views, strict=True):
        assert np.array_equal(view, structure_view(image, regions=5))
        assert len(np.unique(view.reshape(-1, 3), axis=0)) == 5


def test_structure_in_other_processes_is_the_same_in_the_same_order(coffee: NDArray[np.uint8]) -> None:
    batch = to_network(np.stack([coffee[:64, 50 * k : 50 * k + 64] for k in range(4)]))
    with worker_pool(2) as pool:
        assert np.array_equal(structure(batch, mu=1.2, pool=pool), structure(batch, mu=1.2))


def weights_of(variant: Literal["release", "paper"], seed: int) -> NDArray[np.float64]:
    """Read a draw's weights off pictures of one pure channel each."""
    shifted = texture([tf.eye(3)[:, None, None, :]], tf.constant([seed, 0]), variant=variant)
    return shifted[0].numpy().ravel().astype(float)


def test_texture_of_the_release_is_a_weighted_mean_near_y() -> None:
    draws = np.array([weights_of("release", seed) for seed in range(400)])
    np.testing.assert_allclose(draws.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(draws.mean(axis=0), LUMA, atol=0.01)
    # β within 0.1 of Y's weights, over their sum, which is within 0.3 of 1: the least and the most of each
    least = (LUMA - 0.1) / (LUMA - 0.1 + (1 - LUMA) + 0.2)
    most = (LUMA + 0.1) / (LUMA + 0.1 + (1 - LUMA) - 0.2)
    assert (draws > least - 1e-6).all()
    assert (draws < most + 1e-6).all()
    assert (draws.max(axis=0) - draws.min(axis=0) > 0.7 * (most - least)).all()


def test_texture_of_the_paper_is_y_and_a_fifth_of_anything() -> None:
    draws = np.array([weights_of("paper", seed) for seed in range(400)])
    beta = (draws - 0.8 * LUMA) / 0.2
    assert np.abs(beta).max() <= 1 + 1e-5
    np.testing.assert_allclose(beta.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(beta.std(axis=0), 1 / np.sqrt(3), atol=0.05)


@pytest.mark.parametrize("variant", ["release", "paper"])
def test_one_draw_serves_all_images_and_another_seed_gives_another(variant: Literal["release", "paper"]) -> None:
    real, fake = pictures(), pictures()[::-1]
    seed = tf.constant([5, 6])
    shifted = texture([real, fake], seed, variant=variant)
    assert [image.shape for image in shifted] == [(2, 13, 17, 1)] * 2
    assert np.array_equal(shifted[0], shifted[1][::-1])
    (expected,) = texture([real], seed, variant=variant)
    assert np.array_equal(shifted[0], expected)
    assert not np.allclose(texture([real], tf.constant([5, 7]), variant=variant)[0], expected)
    weights = weights_of(variant, 0)
    for n, i, j in [(0, 0, 0), (1, 12, 16), (1, 3, 8)]:
        (image,) = texture([real], tf.constant([0, 0]), variant=variant)
        assert float(image[n, i, j, 0]) == pytest.approx(float(real[n, i, j] @ weights), abs=1e-6)


def test_arrays_and_tensors_get_the_same_surface(coffee: NDArray[np.uint8]) -> None:
    image = to_network(coffee)
    np.testing.assert_allclose(arrays.surface(image), surface(image[None]).numpy()[0], atol=1e-5)
    wide = arrays.surface(image, radius=9, eps=0.01)
    assert np.abs(wide - arrays.surface(image)).max() > 0.1


@pytest.mark.parametrize("variant", ["release", "paper"])
def test_arrays_and_tensors_get_the_same_texture_of_the_same_draw(
    variant: Literal["release", "paper"], coffee: NDArray[np.uint8]
) -> None:
    seed = tf.constant([3, 4])
    spread = arrays.SPREAD[variant]
    draw = tf.random.stateless_uniform([3], seed, -spread, spread).numpy()
    image = to_network(coffee)
    own = arrays.texture(image, arrays.texture_weights(draw, variant))
    (trained,) = texture([image[None]], seed, variant=variant)
    assert own.dtype == np.float32
    np.testing.assert_allclose(own, trained.numpy()[0], atol=1e-6)
