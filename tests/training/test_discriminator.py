from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.training.whitebox.discriminator import SpectralConv2D, build_discriminator

Floats = NDArray[np.float32]


@pytest.fixture
def discriminator() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_discriminator(3, channels=4)


def convolutions(model: keras.Model) -> list[SpectralConv2D]:
    return [layer for layer in model.layers if isinstance(layer, SpectralConv2D)]


def largest_singular_value(kernel: tf.Tensor) -> float:
    return float(np.linalg.svd(np.reshape(kernel, (-1, kernel.shape[-1])), compute_uv=False)[0])


def batch(*shape: int) -> tf.Tensor:
    return tf.constant(np.random.default_rng(0).uniform(-1, 1, shape), tf.float32)


def reference_convolution(x: Floats, kernel: Floats, bias: Floats, stride: int) -> Floats:
    """TensorFlow's SAME convolution, a pixel of the result at a time."""
    size = kernel.shape[0]
    height, width = (-(-side // stride) for side in x.shape[:2])
    pad = [max((out - 1) * stride + size - side, 0) for out, side in zip((height, width), x.shape[:2], strict=True)]
    padded = np.pad(x, [(p // 2, p - p // 2) for p in pad] + [(0, 0)])
    result = np.empty((height, width, kernel.shape[-1]))
    for i, j in np.ndindex(height, width):
        window = padded[i * stride : i * stride + size, j * stride : j * stride + size]
        result[i, j] = np.tensordot(window, kernel, 3) + bias
    return result


def reference_kernel(kernel: Floats, u: Floats) -> Floats:
    """One power iteration from u, then the kernel over the singular value (Miyato et al. 2018, algorithm 1)."""
    W = kernel.reshape(-1, kernel.shape[-1]).T.astype(float)
    v = W.T @ u[0]
    v /= np.linalg.norm(v)
    u = W @ v
    return kernel / (u / np.linalg.norm(u) @ W @ v)


def test_scores_match_a_reference(discriminator: keras.Model) -> None:
    rng = np.random.default_rng(0)
    for layer in convolutions(discriminator):
        layer.bias.assign(rng.normal(size=layer.bias.shape))
    image = batch(1, 24, 16, 3)
    x = image.numpy()[0]
    for number, layer in enumerate(convolutions(discriminator)):
        kernel = reference_kernel(layer.kernel.numpy(), layer.u.numpy())
        x = reference_convolution(x, kernel, layer.bias.numpy(), layer.strides[0])
        if number < 6:
            x = np.where(x > 0, x, 0.2 * x)
    np.testing.assert_allclose(discriminator(image)[0], x, atol=1e-5)


def test_sizes_are_the_papers() -> None:
    model = build_discriminator(1)
    widths = [32, 32, 64, 64, 128, 128, 1]
    assert [layer.filters for layer in convolutions(model)] == widths
    weights = sum(9 * a * b + b for a, b in zip([1, *widths], widths[:6], strict=False)) + 128 + 1
    assert model.count_params() == weights + sum(widths)  # and the vectors
    assert model(batch(2, 64, 32, 1)).shape == (2, 8, 4, 1)


def test_the_convolutions_kernel_has_norm_one_after_enough_steps(discriminator: keras.Model) -> None:
    before = [layer.kernel.numpy() for layer in convolutions(discriminator)]
    for layer in convolutions(discriminator):
        for _ in range(200):
            layer.normalized_kernel(training=True)
    for layer, kernel in zip(convolutions(discriminator), before, strict=True):
        assert largest_singular_value(layer.normalized_kernel()) == pytest.approx(1, abs=2e-3)
        assert np.array_equal(layer.kernel, kernel)  # Keras' own layer overwrites it


def test_one_iteration_is_stored_per_training_call_and_none_else(discriminator: keras.Model) -> None:
    image = batch(1, 16, 16, 3)
    start = [layer.u.numpy() for layer in convolutions(discriminator)]
    discriminator(image)
    discriminator(image, training=False)
    assert all(np.array_equal(layer.u, u) for layer, u in zip(convolutions(discriminator), start, strict=True))
    discriminator(image, training=True)
    for layer, u in zip(convolutions(discriminator), start, strict=True):
        W = layer.kernel.numpy().reshape(-1, layer.filters)
        expected = u @ W.T @ W
        np.testing.assert_allclose(layer.u, expected / np.linalg.norm(expected), atol=1e-5)


def test_the_generators_half_step_changes_nothing(discriminator: keras.Model) -> None:
    image = tf.Variable(batch(1, 16, 16, 3))
    before = [weight.numpy() for weight in discriminator.weights]
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(discriminator(image, training=False) ** 2)
    assert np.abs(tape.gradient(loss, image)).max() > 0
    assert all(np.array_equal(weight, was) for weight, was in zip(discriminator.weights, before, strict=True))


def test_the_gradient_goes_through_the_division(discriminator: keras.Model) -> None:
    """The scores do not change along the kernel itself, so the gradient is across it."""
    layer = convolutions(discriminator)[2]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(discriminator(batch(1, 16, 16, 3)) ** 2)
    gradient = tape.gradient(loss, layer.kernel.value)
    assert np.linalg.norm(gradient) > 0
    along = np.sum(gradient * layer.kernel) / np.linalg.norm(gradient) / np.linalg.norm(layer.kernel)
    assert abs(along) < 1e-4


def test_the_weights_are_all_of_its_state(discriminator: keras.Model) -> None:
    image = batch(1, 16, 16, 3)
    discriminator(image, training=True)
    other = build_discriminator(3, channels=4)
    other.set_weights(discriminator.get_weights())
    assert np.array_equal(other(image), discriminator(image))


def test_half_precision_keeps_the_vectors_whole() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_discriminator(3, channels=4)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model(batch(1, 16, 16, 3), training=True).dtype == tf.bfloat16
    assert {weight.dtype for weight in model.weights} == {"float32"}
