"""The three views on batches in training: `cartoonize.method.views` on tensors, `superpixels` on processes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.method import views
from cartoonize.method.constants import MU, REGIONS
from cartoonize.method.superpixels import structure_view
from cartoonize.method.views import SPREAD, Variant
from cartoonize.training.tensor_filter import smooth_batch


def surface(image: tf.Tensor) -> tf.Tensor:
    """Smooth away texture and keep edges: F_dgf, section 3.1.

    image: float32 (N, H, W, 3) RGB in [-1, 1]; returns the same. Radius 5, eps 0.2. Differentiable.
    """
    return views.surface(image, guided=lambda _, x, radius, eps: smooth_batch(x, radius, eps))


def structure(
    batch: NDArray[np.float32], *, regions: int = REGIONS, mu: float = MU, pool: ProcessPoolExecutor | None = None
) -> NDArray[np.float32]:
    """Flatten pictures into about `regions` regions of one colour: F_st, section 3.2 with equation 2.

    batch: float32 (N, H, W, 3) RGB, nominally [-1, 1]; returns the same within [-1, 1], a constant to gradients.
    pool: where the pictures are shared out, one each (see `superpixels.worker_pool`); None is this process.
    """
    view = partial(structure_view, regions=regions, mu=mu)
    views = map(view, batch) if pool is None else pool.map(view, batch)
    return np.stack(list(views))


def texture(images: Sequence[tf.Tensor], seed: tf.Tensor, *, variant: Variant) -> list[tf.Tensor]:
    """Take colour away by random weights: F_rcs, the random colour shift of section 3.3, equation 4.

    All images get the weights of one draw, so that real and fake differ in texture alone.

    images: float32 (N, H, W, 3) RGB in [-1, 1]; seed: integers (2,), equal seeds draw equal weights.
    Returns float32 (N, H, W, 1) each.
    """
    draw = tf.random.stateless_uniform([3], seed, -SPREAD[variant], SPREAD[variant])
    weights = views.texture_weights(draw, variant, tf.reduce_sum)
    return [views.texture(image, tf.cast(weights, image.dtype), tf.reduce_sum) for image in images]
