"""Colour profiles made of what files say about colours in numbers: codes, primaries, gamma. ICC.1:2022; ITU-T H.273."""

from __future__ import annotations

import struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Chromaticities: TypeAlias = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

PQ, HLG = 16, 18
"""Transfer characteristics of HDR."""

_D65 = (0.3127, 0.329)
_PRIMARIES: dict[int, tuple[str, Chromaticities]] = {
    1: ("sRGB", (*_D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)),
    4: ("NTSC", (0.31, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08)),
    5: ("PAL", (*_D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06)),
    6: ("SMPTE 170M", (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07)),
    9: ("BT.2020", (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046)),
    11: ("DCI-P3", (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)),
    12: ("Display P3", (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)),
}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}  # of the other transfers of SDR all that show pictures take sRGB's curve
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def from_light(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Encode light from 0 to 1 by sRGB's curve in 8 bits; what is beyond is cut."""
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)
    encoded: NDArray[np.uint8] = (curve.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return encoded


def of_codes(primaries: int, transfer: int) -> bytes | None:
    """Return the profile of a pair of codes; None where it is sRGB or not known, and for HDR."""
    name, points = _PRIMARIES.get(primaries, _PRIMARIES[1])
    gamma = _GAMMAS.get(transfer)
    if (name == "sRGB" and gamma is None) or transfer in (PQ, HLG):
        return None
    return _profile(name if gamma is None else f"{name}, gamma {gamma}", points, gamma)


def of_gamma(gamma: float | None, points: Chromaticities | None) -> bytes | None:
    """Return the profile of a PNG's gAMA (as the exponent that decodes, None for sRGB's curve) and cHRM.

    None where it is sRGB, as near as programs write it, or makes no sense.
    """
    is_srgb_curve = gamma is None or abs(gamma - 2.2) < 0.05
    srgb = _PRIMARIES[1][1]
    is_srgb = points is None or max(abs(a - b) for a, b in zip(points, srgb, strict=True)) < 0.005
    if (is_srgb_curve and is_srgb) or not 0.2 < (gamma or 1) < 10:
        return None
    try:
        return _profile(f"gamma {gamma:.3g}" if gamma else "its chromaticities", points or srgb, gamma)
    except (ValueError, ZeroDivisionError, np.linalg.LinAlgError, struct.error):
        return None


def to_xyz(points: Chromaticities) -> NDArray[np.float64]:
    """Return the matrix from linear RGB to XYZ, adapted to D50."""
    white, *colors = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in zip(points[::2], points[1::2], strict=True))
    matrix = np.stack(colors, axis=1)
    cones = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ matrix
    return adapted * np.linalg.solve(matrix, white)


def to_srgb_primaries(primaries: int) -> NDArray[np.float32]:
    """Return the matrix from linear RGB of coded primaries to that of sRGB."""
    _, points = _PRIMARIES.get(primaries, _PRIMARIES[1])
    return (np.linalg.inv(to_xyz(_PRIMARIES[1][1])) @ to_xyz(points)).astype(np.float32)


def _profile(name: str, points: Chromaticities, gamma: float | None) -> bytes:
    """Return a profile of version 4: three primaries and one curve."""
    curve = (3, _SRGB_CURVE) if gamma is None else (0, (gamma,))
    parametric = b"para" + bytes(4) + struct.pack(">HH", curve[0], 0) + _fixed(*curve[1])
    text = name.encode("utf-16-be")
    tags = {
        b"desc": b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text,
        b"wtpt": b"XYZ " + bytes(4) + _fixed(*_D50),
    }
    for letter, column in zip((b"r", b"g", b"b"), to_xyz(points).T, strict=True):
        tags[letter + b"XYZ"] = b"XYZ " + bytes(4) + _fixed(*column)
        tags[letter + b"TRC"] = parametric
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4xI4s4s4s6H4s", at + len(body), 0x04200000, b"mntr", b"RGB ", b"XYZ ", 2000, 1, 1, 0, 0, 0, b"acsp"
    )
    return head.ljust(68, b"\0") + _fixed(*_D50).ljust(60, b"\0") + table + body


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(float(value) * 65536) for value in values))
