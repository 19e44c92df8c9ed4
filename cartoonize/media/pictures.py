"""Pictures as programs hold them (arrays, Pillow's, paths) -> pixels and alpha, and a result back in the same kind."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL.ExifTags import Base

from cartoonize.errors import ArgumentError
from cartoonize.media import codec
from cartoonize.media.color import to_srgb
from cartoonize.media.metadata import turned
from cartoonize.method.pixels import Image

Pixels: TypeAlias = NDArray[np.uint8]
Picture: TypeAlias = "Pixels | PillowImage.Image | str | os.PathLike[str]"

_GREY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L")


@dataclass(frozen=True)
class Taken:
    """A picture: `pixels` uint8 (H, W, 3) sRGB and upright, `alpha` uint8 (H, W) or None when opaque.

    give_back: makes a picture of the kind that was taken of such a pair, whatever its height and width.
    """

    pixels: Image
    alpha: Pixels | None
    give_back: Callable[[Image, Pixels | None], Pixels | PillowImage.Image]


def take(picture: Picture) -> Taken:
    """Take a picture apart.

    An array is uint8 (H, W, 3) RGB, (H, W, 4) RGBA, (H, W) or (H, W, 1) grey, and comes back as such. A Pillow picture
    is of any mode and profile, turned by its EXIF, and comes back in sRGB as L, LA, RGB or RGBA. A path is read, the
    first frame of an animation, and a Pillow picture comes back.
    Raises ArgumentError for anything else, DecodeError where a file is no picture.
    """
    if isinstance(picture, np.ndarray):
        return _array(picture)
    if isinstance(picture, PillowImage.Image):
        return _pillow(picture)
    if isinstance(picture, str | os.PathLike):
        frame = codec.decode(Path(picture)).frames[0]
        return Taken(frame.pixels, frame.alpha, _as_pillow)
    raise ArgumentError(f"expected an array, a Pillow picture or a path, got {type(picture).__name__}")


def _array(array: Pixels) -> Taken:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4) or 0 in array.shape:
        raise ArgumentError(
            "expected a uint8 array (H, W, 3), (H, W, 4) or (H, W) with at least one pixel,"
            f" got {array.dtype} {array.shape}"
        )
    if channels == 1:
        grey = array.reshape(array.shape[:2])
        return Taken(np.repeat(grey[..., np.newaxis], 3, axis=2), None, _as_grey(array.ndim))
    if channels == 4:
        return Taken(np.ascontiguousarray(array[..., :3]), np.ascontiguousarray(array[..., 3]), _as_rgba)
    return Taken(array, None, lambda pixels, _: pixels)


def _as_grey(dimensions: int) -> Callable[[Image, Pixels | None], Pixels]:
    def give_back(pixels: Image, _: Pixels | None) -> Pixels:
        grey = np.ascontiguousarray(pixels[..., 0])
        return grey if dimensions == 2 else grey[..., np.newaxis]

    return give_back


def _as_rgba(pixels: Image, alpha: Pixels | None) -> Pixels:
    assert alpha is not None  # noqa: S101  as it was taken
    return np.dstack([pixels, alpha])


def _pillow(picture: PillowImage.Image) -> Taken:
    picture.load()
    converted = to_srgb(picture, picture.info.get("icc_profile"))
    orientation = picture.getexif().get(Base.Orientation, 1)
    pixels = np.asarray(turned(converted.rgb, orientation))
    alpha = np.asarray(turned(converted.alpha, orientation)) if converted.alpha else None

    def give_back(pixels: Image, alpha: Pixels | None) -> PillowImage.Image:
        result = _as_pillow(pixels, alpha)
        if picture.mode in _GREY_MODES:
            result = result.convert("LA" if alpha is not None else "L")
        elif converted.icc:
            result.info["icc_profile"] = converted.icc
        return result

    return Taken(pixels, alpha, give_back)


def _as_pillow(pixels: Image, alpha: Pixels | None) -> PillowImage.Image:
    picture = PillowImage.fromarray(pixels)
    if alpha is not None:
        picture.putalpha(PillowImage.fromarray(alpha))
    return picture
