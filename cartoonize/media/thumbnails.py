"""Photos and results -> small WebP pictures for the review page, from pixels in memory where there are any."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.media.color import flatten, to_srgb
from cartoonize.media.formats import ALPHA, BROWSERS, format_of
from cartoonize.media.metadata import turned
from cartoonize.media.opening import decode_errors, open_picture, opened
from cartoonize.media.picture import Shown
from cartoonize.method.pixels import resize

if TYPE_CHECKING:
    from pathlib import Path

    from cartoonize.media.codec import EncodeOptions, Frame, Photo

SIDE = 320
STAND_IN_SIDE = 640
"""Long side of a thumbnail, and of one that stands in for a file that browsers cannot show."""

_SETTINGS = {"quality": 60, "method": 2}
_SAMPLES = 4  # pixels a side that are averaged into one of the thumbnail: more take time and show nothing


@dataclass(frozen=True)
class Thumbnail:
    """A WebP, or None where browsers show the file itself, and the size of the whole picture in pixels."""

    data: bytes | None
    width: int
    height: int


@dataclass(frozen=True)
class Thumbnails:
    """Of a photo and of its result."""

    photo: Thumbnail
    result: Thumbnail


def of_photo(photo: Photo, *, is_file: bool = True) -> Thumbnail:
    """Return what the page needs of a decoded photo: its size, and a picture where browsers cannot show the file.

    is_file: False of one in a store, which browsers do not reach.
    """
    frame = photo.frames[0]
    height, width = frame.pixels.shape[:2]
    data = None if is_file and photo.format in BROWSERS else _webp(_small(frame, STAND_IN_SIDE))
    return Thumbnail(data, width, height)


def of_result(photo: Photo, options: EncodeOptions, *, is_file: bool = True) -> Thumbnail:
    """Return the thumbnail of a picture as a file written with `options` shows it; is_file as for `of_photo`."""
    frame = photo.frames[0]
    image = _small(frame, _side(options.format) if is_file else STAND_IN_SIDE)
    if image.mode == "RGBA" and options.format not in ALPHA:
        image = flatten(image, options.background)
    height, width = frame.pixels.shape[:2]
    return Thumbnail(_webp(image), width, height)


def of_files(source: Path, target: Path) -> Thumbnails:
    """Return the thumbnails of a photo and of a result that exists, decoding no more of them than is needed.

    Raises DecodeError when one of them cannot be read.
    """
    result = _of_file(target)
    if format_of(source) in BROWSERS:
        return Thumbnails(Thumbnail(None, result.width, result.height), result)
    return Thumbnails(_of_file(source), result)


def of_films(source: Path, target: Path) -> Thumbnails:
    """Return the thumbnails of a film and of its result, of a frame in the middle; raises DecodeError."""
    from cartoonize.media.film.still import still

    return Thumbnails(_of_still(still(source)), _of_still(still(target)))


def _of_still(pixels: NDArray[np.uint8]) -> Thumbnail:
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE))
    return Thumbnail(_webp(image), width, height)


def _of_file(path: Path) -> Thumbnail:
    with decode_errors(), opened(path) as stream:
        picture = open_picture(stream)
        side = _side(picture.format)
        # A JPEG is quickly decoded at down to an eighth of its size.
        shown = Shown(picture.draft(side * 2)) if picture.draft else next(iter(picture.frames()))
        converted = to_srgb(shown.image, picture.found.icc, shown.alpha, picture.found.hdr)
        small = converted.rgb
        if converted.alpha:
            small.putalpha(converted.alpha)
        small.thumbnail((side, side), reducing_gap=2.0)
        return Thumbnail(_webp(turned(small, picture.orientation)), *picture.upright_size)


def _side(file_format: str) -> int:
    return SIDE if file_format in BROWSERS else STAND_IN_SIDE


def _small(frame: Frame, side: int) -> Image.Image:
    """Shrink a frame to a long side, RGBA where it has transparency."""
    planes = [frame.pixels] if frame.alpha is None else [frame.pixels, frame.alpha]
    height, width = frame.pixels.shape[:2]
    scale = min(1, side / max(height, width))
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    step = max(1, int(1 / scale / _SAMPLES))
    image, *alpha = (Image.fromarray(resize(plane[::step, ::step], shape)) for plane in planes)
    if alpha:
        image.putalpha(alpha[0])
    return image


def _webp(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "WEBP", **_SETTINGS)
    return stream.getvalue()
