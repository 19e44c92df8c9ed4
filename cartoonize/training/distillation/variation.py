"""Photos turned and in other colours, so that few photos teach like many."""

from __future__ import annotations

import cv2
import numpy as np

from cartoonize.method.pixels import Image

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
CONTRAST = (0.75, 1.25)
BRIGHTNESS = (-20.0, 20.0)  # levels
SATURATION = (0.5, 1.5)
WARMTH = (0.9, 1.1)  # factor of each channel
MIDDLE_GREY = 128


def varied(photo: Image, seed: int) -> Image:
    """Turn a photo, uint8 (H, W, 3) RGB, by 0...3 quarter turns and change contrast, brightness, saturation and warmth.

    All four are one affine map of the colours, so levels are rounded once.
    """
    rng = np.random.default_rng(seed)
    turned = np.ascontiguousarray(np.rot90(photo, int(rng.integers(4))))
    contrast, brightness, saturation = (rng.uniform(*limits) for limits in (CONTRAST, BRIGHTNESS, SATURATION))
    colours = saturation * np.eye(3) + (1 - saturation) * np.array(LUMA)
    colours = contrast * np.diag(rng.uniform(*WARMTH, 3)) @ colours
    offset = np.full((3, 1), (1 - contrast) * MIDDLE_GREY + brightness)
    return cv2.transform(turned, np.hstack([colours, offset]))  # type: ignore[return-value]  # rounds and saturates
