"""Steadiness from frame to frame: a motion-compensated blend with the cartoon before, and its measure E_warp.

O_t = (1 - w)·S_t + w·W(O_{t-1}) with w = strength·exp(-d²/2s²): S_t is the cartoon of frame I_t for itself, W moves the
cartoon before to where things are now, by the optical flow between the photos, and d is how much a pixel of the photo
differs from what W makes of the photo before, looked at in half the size, where noise is less. So what moved out of
sight, or was lit anew, is not blended.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np

from cartoonize.errors import ArgumentError
from cartoonize.method.pixels import Array, Image, are_equal, largest_channel

_FLOW_SIDE = 240  # pixels of the short side at which motion is looked for
_SIGMA = 6.0  # levels: the photo's noise is below, what moved is above
_CUT = 30.0  # levels by which most pixels of a new scene differ from the last, wherever they are looked for
_CUT_SHARE = 0.5


class Steady:
    """Steadies a sequence of frames; strength 0 (each for itself) to 1. Raises ArgumentError beyond.

    before: the photo and the result of the last frame, which is all that the next one's result depends on.
    """

    def __init__(self, strength: float, before: tuple[Image, Image] | None = None) -> None:
        if not 0 <= strength <= 1:
            raise ArgumentError(f"steady must be in [0, 1], got {strength}")
        self._strength = strength
        self._weights = weights_of(strength)
        self._look: _Look | None = None
        self.before = before

    def __call__(self, photo: Image, cartoon: Image) -> Image:
        """Return the steadied cartoon of the next frame, uint8 (H, W, 3); photo uint8 (H', W', 3)."""
        if self._strength == 0:
            return cartoon
        if self.before is not None and are_equal(self.before[0], photo):
            return self.before[1]
        result, look = cartoon, _Look(photo, cartoon.shape[:2])
        if self.before is not None and self.before[0].shape == photo.shape:
            photo_before, before = self.before
            result = self._blended(look, cartoon, self._look or _Look(photo_before, cartoon.shape[:2]), before)
        self.before, self._look = (photo, result), look
        return result

    def _blended(self, photo: _Look, cartoon: Image, photo_before: _Look, before: Image) -> Image:
        size = cartoon.shape[1], cartoon.shape[0]
        flow = _motion(photo, photo_before)
        differs = _difference(photo, photo_before, flow)
        if np.mean(differs > _CUT) > _CUT_SHARE:
            return cartoon
        weights: Any = cv2.resize(cv2.LUT(cv2.dilate(differs, np.ones((3, 3))), self._weights), size)
        # Cubic: a cartoon that is moved from frame to frame would become soft.
        return _mixed(cartoon, _remapped(before, field_of(flow, size), cv2.INTER_CUBIC), weights)


class _Look:
    """What is looked at of a photo: half the cartoon's size for differences, smaller and grey for motion."""

    def __init__(self, photo: Image, shape: tuple[int, int]) -> None:
        self.half = _shrunk(photo, (-(-shape[1] // 2), -(-shape[0] // 2)))
        size = _flow_size(photo)
        larger = self.half if size <= self.half_size else photo
        self.grey: Any = cv2.resize(cv2.cvtColor(larger, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)

    @property
    def half_size(self) -> tuple[int, int]:
        """Width and height of `half`."""
        return self.half.shape[1], self.half.shape[0]


def _difference(now: _Look, before: _Look, flow: Array) -> Image:
    """Return by how many levels each pixel differs from what was there before; 255 where it came into the picture."""
    field = field_of(flow, now.half_size)
    differs: Any = largest_channel(cv2.absdiff(now.half, moved(before.half, field)))  # type: ignore[arg-type]  # as below
    width, height = now.half_size
    inside = cv2.inRange(field, (-0.5, -0.5), (width - 0.5, height - 0.5))
    return cv2.max(differs, cv2.bitwise_not(inside))  # type: ignore[return-value]  # OpenCV's stubs know no dtypes


def weights_of(strength: float, sigma: float = _SIGMA) -> Image:
    """Return the share of the cartoon before, in 255ths, for differences of 0 to 255 levels."""
    levels = np.arange(256)
    weights: Image = np.rint(255 * strength * np.exp(-(levels**2) / (2 * sigma**2))).astype(np.uint8)
    return weights


def _mixed(picture: Image, other: Image, weights: Any) -> Image:
    """Return (1 - w)·picture + w·other; weights uint8 (H, W), w in 255ths."""
    share = cv2.cvtColor(weights, cv2.COLOR_GRAY2RGB)
    lighter, darker = cv2.subtract(other, picture), cv2.subtract(picture, other)  # which saturate at 0
    for change in (lighter, darker):
        cv2.multiply(change, share, change, scale=1 / 255)
    return cv2.subtract(cv2.add(picture, lighter, lighter), darker, darker)  # type: ignore[return-value]  # OpenCV's stubs know no dtypes


def motion(now: Image, before: Image) -> Array:
    """Return where each pixel of a photo was before, float32 (h, w, 2) in shares of width and height; uint8 RGB in."""
    return _motion(_Look(now, now.shape[:2]), _Look(before, before.shape[:2]))


def _motion(now: _Look, before: _Look) -> Array:
    size = now.grey.shape[1], now.grey.shape[0]
    return _shares(_flow(now.grey, before.grey, cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST), size)


def _flow_size(photo: Image) -> tuple[int, int]:
    scale = min(1.0, _FLOW_SIDE / min(photo.shape[:2]))
    return max(16, round(photo.shape[1] * scale)), max(16, round(photo.shape[0] * scale))


def _shrunk(image: Image, size: tuple[int, int]) -> Image:
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]  # as above


def _shares(flow: Array, size: tuple[int, int]) -> Array:
    return np.divide(flow, np.array(size, np.float32), dtype=np.float32)


def _flow(grey: Any, other: Any, preset: int) -> Array:
    start: Any = None  # OpenCV's stubs do not know that there need be none
    flow: Array = cv2.DISOpticalFlow.create(preset).calc(grey, other, start)
    return flow


def field_of(flow: Array, size: tuple[int, int]) -> Array:
    """Return the places to look at before, float32 (H, W, 2) in pixels of a picture of `size` (width, height)."""
    pixels = flow * np.array(size, np.float32)
    field: Array = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]  # as above
    field += _places(size)
    return field


@lru_cache(maxsize=4)
def _places(size: tuple[int, int]) -> Array:
    """Return the place of each pixel, float32 (H, W, 2)."""
    width, height = size
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)


def moved(picture: Image, field: Array) -> Image:
    """Return a picture, uint8 (H, W, 3), with its pixels taken from the places of `field`."""
    four = cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)  # four channels are moved twice as fast as three
    return cv2.cvtColor(_remapped(four, field), cv2.COLOR_RGBA2RGB)  # type: ignore[no-any-return]  # as above


def _remapped(values: Any, field: Array, interpolation: int = cv2.INTER_LINEAR) -> Any:
    nowhere: Any = None  # OpenCV's stubs do not know that the second map may be missing
    return cv2.remap(values, field, nowhere, interpolation, borderMode=cv2.BORDER_REPLICATE)


def warping_error(photos: tuple[Image, Image], results: tuple[Image, Image]) -> float:
    """Return E_warp of two frames: mean squared difference, in [0, 1] units, of a result and the next one moved back.

    Over pixels seen in both, by the flow of the photos at full size (Lai et al. 2018, with DIS for FlowNet2); blurring
    lowers it, so look at the fidelity to what was steadied, and at the photos' own, beside it. NaN where nothing is.
    """
    size = photos[0].shape[1], photos[0].shape[0]
    greys = [cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY) for photo in photos]
    forth, back = (_flow(a, b, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM) for a, b in (greys, greys[::-1]))
    field = field_of(_shares(forth, size), size)
    back_moved = _remapped(back, field)
    apart = ((forth + back_moved) ** 2).sum(axis=2)
    seen = apart <= 0.01 * ((forth**2).sum(axis=2) + (back_moved**2).sum(axis=2)) + 0.5
    differs = (results[0].astype(np.float32) - moved(results[1], field)) / np.float32(255)
    return float(np.mean((differs**2).sum(axis=2)[seen])) if seen.any() else float("nan")
