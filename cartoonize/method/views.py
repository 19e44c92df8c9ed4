"""The white-box views of Wang & Yu 2020: surface and texture; the third, structure, is in `superpixels`.

On NumPy arrays as they stand; training runs the same formulas on tensors, with TensorFlow's filter and sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartoonize.method.constants import SURFACE_EPS, SURFACE_RADIUS
from cartoonize.method.guided_filter import guided_filter
from cartoonize.method.pixels import Array

Variant: TypeAlias = Literal["release", "paper"]

SPREAD: dict[Variant, float] = {"release": 0.1, "paper": 1.0}  # the draw of a texture's weights is uniform in ± this

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # of R, G, B in Y (ITU-R BT.601)
_ALPHA = 0.8  # the paper's share of Y


def surface(
    image: Array,
    radius: int = SURFACE_RADIUS,
    eps: float = SURFACE_EPS,
    guided: Callable[..., Any] = guided_filter,
) -> Array:
    """Smooth away texture and keep edges: F_dgf, the guided filter of an image by itself, section 3.1.

    image: float32 RGB in [-1, 1], (H, W, 3) or what the filter `guided` takes; returns the same.
    """
    view: Array = guided(image, image, radius, eps)
    return view


def texture_weights(draw: NDArray[np.float32], variant: Variant, total: Callable[..., Any] = np.sum) -> Array:
    """Return how much of R, G and B a texture holds, (3,), from three numbers uniform in ±SPREAD[variant].

    release: (Y + draw) / total(Y + draw), Y the weights of brightness. paper: 0.2·draw + 0.8·Y.
    """
    if variant == "paper":
        return (1 - _ALPHA) * draw + _ALPHA * _LUMA
    beta = draw + _LUMA
    weights: Array = beta / total(beta)
    return weights


def texture(image: Array, weights: NDArray[np.float32], total: Callable[..., Any] = np.sum) -> Array:
    """Take colour away: F_rcs, the random colour shift of section 3.3, equation 4.

    image: float32 (..., 3) RGB in [-1, 1]; weights: see `texture_weights`. Returns float32 (..., 1).
    """
    channel: Array = total(image * weights, axis=-1, keepdims=True)
    return channel
