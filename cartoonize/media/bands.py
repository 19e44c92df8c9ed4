"""A decoded picture -> upright arrays, band by band: beside them there is no further picture of its size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.media.color import Converted, to_srgb
from cartoonize.media.metadata import SIDEWAYS, turned
from cartoonize.media.picture import Shown

_BAND_PIXELS = 1 << 20
_FROM_THE_END = (3, 4, 6, 7)  # orientations that make the first row the last, or the last column


class Upright(NamedTuple):
    """`pixels` uint8 (H, W, 3) sRGB, `alpha` uint8 (H, W) or None when opaque; `about` tells of colours and notes."""

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    about: Converted


def upright(shown: Shown, icc: bytes | None, hdr: tuple[int, int] | None, orientation: int) -> Upright:
    """Convert a frame to sRGB and turn it by an EXIF orientation; see `color.to_srgb`, whose errors are raised."""
    width, height = shown.image.size
    sides = (width, height) if orientation in SIDEWAYS else (height, width)
    pixels = np.empty((*sides, 3), np.uint8)
    alpha: NDArray[np.uint8] | None = None
    rows = max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        band = to_srgb(*_rows(shown, icc, top, bottom), hdr)
        place = _place(orientation, top, bottom, height)
        pixels[place] = np.asarray(turned(band.rgb, orientation))
        if band.alpha:
            if alpha is None:
                alpha = np.full(sides, 255, np.uint8)
            alpha[place] = np.asarray(turned(band.alpha, orientation))
    return Upright(pixels, alpha, band)


def _rows(
    shown: Shown, icc: bytes | None, top: int, bottom: int
) -> tuple[Image.Image, bytes | None, Image.Image | None]:
    image, alpha, _ = shown
    if bottom - top == image.height:
        return image, icc, alpha
    box = (0, top, image.width, bottom)
    band = image.crop(box)
    if hasattr(image, "tag_v2"):  # of a TIFF: what 16-bit samples mean stands there
        band.tag_v2 = image.tag_v2  # type: ignore[attr-defined]  # of TIFFs alone
    return band, icc, alpha and alpha.crop(box)


def _place(orientation: int, top: int, bottom: int, height: int) -> tuple[slice, ...]:
    """Return where rows of the stored picture are in the upright one."""
    place = slice(height - bottom, height - top) if orientation in _FROM_THE_END else slice(top, bottom)
    return (slice(None), place) if orientation in SIDEWAYS else (place,)
