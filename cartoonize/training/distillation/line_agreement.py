"""How well the lines of two pictures agree: the F1 score of ink pixels, with a pixel's tolerance."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def line_agreement(ink: NDArray[np.bool_], reference: NDArray[np.bool_], reach: int = 1) -> float:
    """Return the F1 score of ink pixels, (H, W), that have one of the other's within `reach` pixels; 1 without ink.

    As for boundaries in Martin, Fowlkes & Malik (2004), without their one-to-one matching.
    """
    if not ink.any() and not reference.any():
        return 1.0
    precision, recall = _share_near(ink, reference, reach), _share_near(reference, ink, reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _share_near(ink: NDArray[np.bool_], other: NDArray[np.bool_], reach: int) -> float:
    """Return the share of a mask's pixels near the other's; 0 of none."""
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near = cv2.dilate(other.astype(np.uint8), window) > 0
    return float(near[ink].mean()) if ink.any() else 0.0
