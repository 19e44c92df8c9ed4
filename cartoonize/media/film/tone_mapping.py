"""HDR (BT.2100 PQ and HLG) -> SDR BT.709, by a formula that is written down here and in docs/video.md.

Light is counted in units of the reference white, 203 cd/m² (BT.2408). A pixel's largest channel m is mapped to m' and
the others in proportion, so that hues stay: m' = m up to the knee k = 0.5, and above it

    m' = k + (1 - k)·(1 - exp(-(m - k) / (1 - k))),

which goes on with the same slope and ends at 1. BT.2020 primaries become BT.709's, what lies outside is clipped, and
levels are L^(1/2.4), the inverse of BT.1886.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cartoonize.method.pixels import Array, Image

WHITE = 203.0  # cd/m²
KNEE = np.float32(0.5)
_PEAK_HLG = 1000.0  # cd/m², the nominal display of BT.2100
_GAMMA_HLG = 1.2  # its system gamma
_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)  # of BT.2020
_TO_709 = np.array(  # BT.2087
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
_ROWS = 64  # a band's temporaries stay in the processor's cache
_STEPS = 65536


def to_sdr(levels: NDArray[np.uint16], *, hlg: bool) -> Image:
    """Map full-range RGB, uint16 (H, W, 3) in PQ or HLG with BT.2020 primaries, to uint8 (H, W, 3) of BT.709."""
    result = np.empty(levels.shape, np.uint8)
    linear, encode = (_hlg_scene() if hlg else _pq_light()), _display_levels()
    for top in range(0, len(levels), _ROWS):
        light = linear[levels[top : top + _ROWS]]
        if hlg:
            light = _displayed(light)
        largest = np.maximum(light.max(axis=2, keepdims=True), np.float32(1e-6))
        mapped = (light * (compressed(largest) / largest)) @ _TO_709.T
        index = np.clip(mapped, 0, 1) * np.float32(_STEPS - 1)
        result[top : top + _ROWS] = encode[np.rint(index).astype(np.uint16)]
    return result


def compressed(light: Array) -> Array:
    """Apply the shoulder to light in units of the reference white: to [0, 1]."""
    over = np.maximum(light - KNEE, 0)
    mapped: Array = np.minimum(light, KNEE) + (1 - KNEE) * (1 - np.exp(-over / (1 - KNEE)))
    return mapped


def _displayed(scene: Array) -> Array:
    """HLG's OOTF: what a display of the nominal peak makes of the scene's light, in units of the reference white."""
    luma = np.maximum(scene @ _LUMA, np.float32(1e-6))[..., np.newaxis]
    shown: Array = scene * luma ** np.float32(_GAMMA_HLG - 1) * np.float32(_PEAK_HLG / WHITE)
    return shown


@lru_cache(maxsize=1)
def _pq_light() -> Array:
    """EOTF of SMPTE ST 2084, for 16-bit levels."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (np.arange(65536) / 65535) ** (1 / m2)
    light = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    return (light / WHITE).astype(np.float32)


@lru_cache(maxsize=1)
def _hlg_scene() -> Array:
    """Inverse OETF of HLG (ARIB STD-B67), for 16-bit levels: scene light in [0, 1]."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    level = np.arange(65536) / 65535
    return np.where(level <= 0.5, level**2 / 3, (np.exp((level - c) / a) + b) / 12).astype(np.float32)


@lru_cache(maxsize=1)
def _display_levels() -> Image:
    levels: Image = np.rint(255 * (np.arange(_STEPS) / (_STEPS - 1)) ** (1 / 2.4)).astype(np.uint8)
    return levels
