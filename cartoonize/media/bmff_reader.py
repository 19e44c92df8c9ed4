"""AVIF and HEIC files -> a Picture: by libavif and libheif behind Pillow, by OpenCV where those are too strict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from cartoonize.errors import CartoonizeError, DecodeError
from cartoonize.media import native_words
from cartoonize.media.containers import bmff
from cartoonize.media.containers.bmff import Bmff
from cartoonize.media.formats import HEIC_MISSING
from cartoonize.media.metadata import Found
from cartoonize.media.picture import Picture, Shown, all_frames, check_bytes, check_pixels, judge_cut, still

_ORIENTATION = 0x0112
_FIRST_ONLY = "only the main one of its pictures is used"


def read_bmff(data: bytes) -> Picture:
    """Read an AVIF with all its frames, or the main picture of a HEIC; both are turned as the container says."""
    missing = bmff.missing_bytes(data)
    with _explained(len(data), missing):
        picture = _read(data)
    if missing:
        decoded = picture.frames
        picture.frames = partial(_explained_frames, decoded, len(data), missing)
        judge_cut(picture, 0, salvage=False)
    return picture


def _read(data: bytes) -> Picture:
    taken = bmff.take_apart(data)
    found = Found.of(taken.blocks)
    found.parts = set(taken.parts)
    try:
        image = _avif_or_heic(taken.bare, data[8:12])
    except UnidentifiedImageError:
        return _lenient_avif(taken, found)
    found.icc = image.info.get("icc_profile")
    if taken.nclx and not found.icc:
        found.take_codes(*taken.nclx)
    picture = Picture(str(image.format), image.size, partial(all_frames, image), found)
    if image.format == "AVIF":
        picture.orientation = image.getexif().get(_ORIENTATION, 1)  # of the container: EXIF and XMP are hidden
        picture.animate(getattr(image, "n_frames", 1), 0)
    elif getattr(image, "is_animated", False):
        picture.frames = partial(still, image)
        picture.notes.append(_FIRST_ONLY)
    return picture


def register_heif(error: type[CartoonizeError]) -> None:
    """Teach Pillow HEIC; raises `error` where the package for it is not installed."""
    try:
        import pillow_heif
    except ImportError:
        raise error(HEIC_MISSING) from None
    pillow_heif.register_heif_opener()


@contextmanager
def _explained(length: int, missing: int) -> Iterator[None]:
    """Say of a file that cannot be read how much of it is missing, where that is so."""
    try:
        yield
    except Exception:  # each decoder has its own kinds
        check_bytes(length, missing)
        raise


def _explained_frames(frames: Callable[[], Iterator[Shown]], length: int, missing: int) -> Iterator[Shown]:
    with _explained(length, missing):
        yield from frames()


def _avif_or_heic(data: bytes, brand: bytes) -> Image.Image:
    from PIL import AvifImagePlugin  # noqa: F401  registers itself

    if not brand.startswith((b"he", b"hv")):
        try:
            return Image.open(BytesIO(data), formats=("AVIF",))
        except UnidentifiedImageError:
            if brand.startswith(b"avi"):
                raise
    register_heif(DecodeError)
    return Image.open(BytesIO(data), formats=("HEIF",))


def _lenient_avif(taken: Bmff, found: Found) -> Picture:
    """Read an AVIF that Pillow's strict reader refuses, as those whose transparency states no size: its first frame.

    OpenCV reads with the leniency of browsers. Raises UnidentifiedImageError where that fails too.
    """
    check_pixels(*taken.size)
    with native_words.opencv_silenced():
        pixels = cv2.imdecode(np.frombuffer(taken.bare, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise UnidentifiedImageError
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    image = Image.fromarray(cv2.cvtColor(pixels, order))
    if taken.nclx:
        found.take_codes(*taken.nclx)
    return Picture("AVIF", image.size, partial(still, image), found, taken.orientation)
