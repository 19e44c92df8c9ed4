"""The comic look: a photo in flat tones and ink, by a deterministic procedure of local steps.

Nothing in it was learnt, so whatever learns from its pictures is free of other people's weights. The steps:

1. *calm*: the photo without noise and fine texture, two passes of a bilateral filter in L*a*b* (Tomasi & Manduchi
   1998).
2. *flat*: four wider passes, as in the abstraction of Winnemöller, Olsen & Gooch (2006); what they took away comes back
   in part where it was a feature, not texture, so that eyes and mouths stay.
3. *toned*: the lightness in steps whose edges are as soft as the photo's own (their pseudo-quantization): shaded things
   get edges, skies no bands. Shadows are lifted and colours deepened, since ink darkens a picture.
4. *ink*: lines (`lines.ink_lines`) of the calm picture.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import cv2
import numpy as np

from cartoonize.method.inking import inked
from cartoonize.method.lines import THICKNESS, ink_lines
from cartoonize.method.pixels import Array, Image

VERSION = 1  # raise it when the same photo would become another picture

_CALM = (2, 4, 6.0, 2.5)  # passes, reach in pixels, sigma in L*a*b*, sigma in pixels
_FLAT_PASSES = 4
_FLAT = (7, 7.0, 5.0)
_TEXTURE_SIGMA, _TEXTURE_SIDE, _TEXTURE_BLUR = 3.0, 15, 4.0  # pixels
_SMALLEST_FEATURE = 1.5  # L*a*b*
_FEATURES = 0.75  # of them that come back on a calm ground
_FEATURES_UNTIL, _FEATURES_WIDTH = 2.6, 1.2  # L* of texture
_SLOPE_SIGMA = 1.5  # pixels
_SOFTEST, _SHARPEST, _PER_SLOPE = 0.5, 4.0, 6.0
_TONE_SIGMA = 0.6  # pixels
_LIFT, _GAMMA = 1.03, 0.86  # of L*


@dataclass(frozen=True)
class ComicLook:
    """What the procedure can be told; raises ValueError for numbers it cannot work with.

    lines: how readily a line is drawn, 0 none, 2 at half the contrast. thickness: of lines, pixels. flatness: 0 leaves
    the calm picture, 2 smooths twice as often. tones: steps of lightness from black to white. color: of the photo's
    colourfulness; 0 is grey.
    """

    lines: float = 1.0
    thickness: float = THICKNESS
    flatness: float = 1.0
    tones: float = 9.0
    color: float = 1.2

    def __post_init__(self) -> None:
        ranges = {"lines": (0, 2), "thickness": (0.5, 4), "flatness": (0, 2), "tones": (2, 64), "color": (0, 3)}
        for field in fields(self):
            low, high = ranges[field.name]
            if not low <= (value := getattr(self, field.name)) <= high:
                raise ValueError(f"{field.name}: expected {low} to {high}, got {value}")


class ComicViews(NamedTuple):
    """The steps to a comic picture, each (H, W, 3) uint8 RGB but for `ink`, float32 (H, W) in [0, 1]."""

    calm: Image
    flat: Image
    toned: Image
    ink: Array
    picture: Image


def comic(photo: Image, look: ComicLook = ComicLook()) -> Image:
    """Draw a photo, uint8 (H, W, 3) RGB at a short side of about 720, as a comic: the same shape and type."""
    return comic_views(photo, look).picture


def comic_views(photo: Image, look: ComicLook = ComicLook()) -> ComicViews:
    """Draw a photo as `comic` does and return every step."""
    calm, flat, toned, ink = _steps(photo, look)
    base = _to_image(toned)
    return ComicViews(_to_image(calm), _to_image(flat), base, ink, inked(base, ink))


def texture_everywhere(calm: Array, flat: Array) -> Array:
    """Return how much lightness the flat picture lost all around a pixel, float32 (H, W), L*.

    calm, flat: float32 (H, W, 3) L*a*b*. The minimum over a square: beside a wall of windows there is a calm spot
    somewhere, in a lawn there is none.
    """
    lost = cv2.GaussianBlur(np.abs(calm[..., 0] - flat[..., 0]), (0, 0), _TEXTURE_SIGMA)
    least = cv2.erode(lost, np.ones((_TEXTURE_SIDE, _TEXTURE_SIDE), np.uint8))
    return cv2.GaussianBlur(least, (0, 0), _TEXTURE_BLUR)  # type: ignore[return-value]  # OpenCV's stubs know no dtypes


def _steps(photo: Image, look: ComicLook) -> tuple[Array, Array, Array, Array]:
    """Return calm, flat and toned as L*a*b*, float32 (H, W, 3), and ink."""
    lab: Array = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)  # type: ignore[assignment]  # as above
    calm = _bilateral(lab, *_CALM)
    flat = _bilateral(calm, round(_FLAT_PASSES * look.flatness), *_FLAT)
    texture = texture_everywhere(calm, flat)
    flat += _features(calm - flat, texture)
    ink = ink_lines(calm, amount=look.lines, thickness=look.thickness, texture=texture) if look.lines else None
    toned = _toned(flat, look)
    return calm, flat, toned, np.zeros(texture.shape, np.float32) if ink is None else ink


def _bilateral(lab: Array, passes: int, reach: int, sigma: float, spread: float) -> Array:
    for _ in range(passes):
        lab = cv2.bilateralFilter(lab, 2 * reach + 1, sigma, spread, borderType=cv2.BORDER_REFLECT_101)  # type: ignore[assignment]  # as above
    return lab


def _features(lost: Array, texture: Array) -> Array:
    """Return what comes back of the difference that smoothing made, float32 (H, W, 3)."""
    share = np.float32(_FEATURES) * np.clip((_FEATURES_UNTIL - texture) / np.float32(_FEATURES_WIDTH), 0, 1)
    strong = np.maximum(np.abs(lost) - np.float32(_SMALLEST_FEATURE), 0)
    features: Array = np.sign(lost) * strong * share[..., None]
    return features


def _toned(flat: Array, look: ComicLook) -> Array:
    """Bring the lightness into steps, lift shadows and deepen colours: L*a*b*, float32 (H, W, 3)."""
    step = np.float32(100 / look.tones)
    light = flat[..., 0]
    smooth = cv2.GaussianBlur(light, (0, 0), _SLOPE_SIGMA)
    slope = np.hypot(*(cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0)))
    sharpness = np.clip(_SOFTEST + _PER_SLOPE * slope, _SOFTEST, _SHARPEST).astype(np.float32)
    nearest = np.round(light / step) * step
    stepped = nearest + step / 2 * np.tanh((light - nearest) / step * 2 * sharpness) / np.tanh(sharpness)
    stepped = cv2.GaussianBlur(stepped, (0, 0), _TONE_SIGMA)
    toned = flat * np.array([1, look.color, look.color], np.float32)
    toned[..., 0] = 100 * np.power(np.clip(_LIFT * stepped, 0, 100) / 100, _GAMMA)
    return toned


def _to_image(lab: Array) -> Image:
    """Convert L*a*b*, float32 (H, W, 3), to uint8 RGB; colours that sRGB does not hold are clipped."""
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
