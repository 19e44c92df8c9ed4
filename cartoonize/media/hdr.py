"""HDR pictures (PQ, HLG) -> sRGB: highlights are pressed together above a knee, all below stays. ITU-R BT.2100."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.media.profiles import PQ, from_light, to_srgb_primaries

_WHITE = 203.0  # cd/m2 of diffuse white, ITU-R BT.2408
_PEAK = 1_000.0  # of the display HLG is made for
_KNEE = 0.75
_BAND_ROWS = 256


def tone_mapped(image: Image.Image, primaries: int, transfer: int) -> Image.Image:
    """Bring a picture of mode RGB to sRGB; the codes are those of ITU-T H.273, transfer PQ or HLG."""
    pixels = np.asarray(image)
    light = _light(transfer)
    matrix = to_srgb_primaries(primaries)
    result = np.empty_like(pixels)
    for top in range(0, len(pixels), _BAND_ROWS):
        band = light[pixels[top : top + _BAND_ROWS]]
        if transfer != PQ:  # HLG is light of the scene: the display raises it by its luminance
            luminance = band @ np.array([0.2627, 0.678, 0.0593], np.float32)
            band = band * np.maximum(luminance, 1e-6)[..., None] ** np.float32(0.2) * np.float32(_PEAK / _WHITE)
        result[top : top + _BAND_ROWS] = from_light(_pressed(np.maximum(band @ matrix.T, 0)))
    return Image.fromarray(result)


def _light(transfer: int) -> NDArray[np.float32]:
    """Return the light of every level of 8 bits: of PQ in diffuse whites, of HLG from 0 to 1."""
    levels = np.arange(256) / 255
    if transfer == PQ:
        power = levels ** (1 / 78.84375)
        nits = 10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
        return (nits / _WHITE).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(levels <= 0.5, levels**2 / 3, (np.exp((levels - c) / a) + b) / 12).astype(np.float32)


def _pressed(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Press what is brighter than the knee below 1, by the brightest channel, so that hues stay."""
    brightest = light.max(axis=-1, keepdims=True)
    above = np.maximum(brightest - _KNEE, 0) / (1 - _KNEE)
    pressed = _KNEE + (1 - _KNEE) * above / (1 + above)
    scale: NDArray[np.float32] = np.where(brightest > _KNEE, pressed / np.maximum(brightest, _KNEE), 1)
    return light * scale
