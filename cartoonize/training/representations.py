"""The white-box views of Wang & Yu 2020: surface, structure and texture, of photos, cartoons and results alike."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.training.guided_filter import guided_filter
from cartoonize.training.superpixels import structure_view

_LUMA = (0.299, 0.587, 0.114)  # of R, G, B in Y (ITU-R BT.601)
_ALPHA = 0.8  # the paper's share of Y


def surface(image: tf.Tensor) -> tf.Tensor:
    """Smooth away texture and keep edges: F_dgf, the guided filter of an image by itself, section 3.1.

    image: float32 (N, H, W, 3) RGB in [-1, 1]; returns the same. Radius 5, eps 0.2. Differentiable.
    """
    return guided_filter(image, image, radius=5, eps=0.2)


def structure(
    batch: NDArray[np.float32], *, regions: int = 200, mu: float = 1.0, pool: ProcessPoolExecutor | None = None
) -> NDArray[np.float32]:
    """Flatten pictures into about `regions` regions of one colour: F_st, section 3.2 with equation 2.

    batch: float32 (N, H, W, 3) RGB, nominally [-1, 1]; returns the same within [-1, 1], a constant to gradients.
    pool: where the pictures are shared out, one each (see `superpixels.worker_pool`); None is this process.
    """
    view = partial(structure_view, regions=regions, mu=mu)
    views = map(view, batch) if pool is None else pool.map(view, batch)
    return np.stack(list(views))


def texture(images: Sequence[tf.Tensor], seed: tf.Tensor, *, variant: Literal["release", "paper"]) -> list[tf.Tensor]:
    """Take colour away by random weights: F_rcs, the random colour shift of section 3.3, equation 4.

    All images get the weights of one draw, so that real and fake differ in texture alone.
    release: (β1·R + β2·G + β3·B) / (β1 + β2 + β3), β uniform in ±0.1 around Y's weights.
    paper: 0.2·(β1·R + β2·G + β3·B) + 0.8·Y, β uniform in ±1.

    images: float32 (N, H, W, 3) RGB in [-1, 1]; seed: integers (2,), equal seeds draw equal weights.
    Returns float32 (N, H, W, 1) each.
    """
    luma = tf.constant(_LUMA)
    if variant == "release":
        beta = luma + tf.random.stateless_uniform([3], seed, -0.1, 0.1)
        weights = beta / tf.reduce_sum(beta)
    else:
        weights = (1 - _ALPHA) * tf.random.stateless_uniform([3], seed, -1, 1) + _ALPHA * luma
    return [tf.reduce_sum(image * tf.cast(weights, image.dtype), axis=-1, keepdims=True) for image in images]
