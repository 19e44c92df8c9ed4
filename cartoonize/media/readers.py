"""One reader a family of formats: the bytes of a file -> a Picture. What a cut file lacks is said or refused.

Decoders get files without metadata: what they would do with it (encode it anew, turn by it, work on it for minutes) is
done here or not at all. Containers are imported by those who read them: most runs meet one or two of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from cartoonize.errors import CartoonizeError, DecodeError
from cartoonize.media.containers import jpeg
from cartoonize.media.formats import HEIC_MISSING, plays
from cartoonize.media.metadata import Found
from cartoonize.media.picture import Picture, Shown, check_pixels

if TYPE_CHECKING:
    from cartoonize.media.containers.animation import Part
    from cartoonize.media.containers.bmff import Bmff
    from cartoonize.media.containers.jpeg import Jpeg
    from cartoonize.media.containers.png import Png

DEEP = "reduced from 16 to 8 bits per channel"
_ORIENTATION = 0x0112
_FIRST_ONLY = "only the main one of its pictures is used"


def read_jpeg(data: bytes, *, salvage: bool) -> Picture:
    """Read a JPEG; what lies behind it, a film or further pictures, is named."""
    taken = jpeg.take_apart(data)
    is_whole = taken.behind is not None
    image = Image.open(BytesIO(taken.bare if is_whole else taken.bare + b"\xff\xd9"), formats=("JPEG",))
    found = Found.of(taken.blocks)
    found.dpi = image.info.get("dpi")
    found.parts = jpeg.parts_of(taken)
    picture = Picture("JPEG", image.size, partial(_still, image), found, found.exif.orientation)
    if is_whole:
        picture.draft = partial(_drafted, image)
        picture.frames = lambda: _checked_jpeg(picture, image, taken, salvage=salvage)
        if taken.lacks_scans:
            picture.notes.append("some of its scans are missing: it lacks fine detail")
    elif (missing := _grey_rows(image)) or "progressive" not in image.info:
        judge_cut(picture, missing, salvage=salvage)
    else:
        picture.notes.append("its end is missing: it may lack fine detail, which a progressive JPEG keeps there")
    return picture


def read_png(data: bytes, *, salvage: bool) -> Picture:
    """Read a PNG, all frames of an animated one; a picture before the animation is no frame of it."""
    from cartoonize.media.containers import png

    taken = png.take_apart(data)
    said = taken.blocks
    found = Found.of(said.kinds)
    found.texts, found.is_broken = said.texts, said.damaged > 0
    found.dpi = taken.dpi
    if said.codes:
        found.take_codes(*said.codes)
    else:
        found.icc = found.icc or said.profile_by_numbers
    picture = Picture("PNG", taken.size, lambda: _still(taken.opened()), found, found.exif.orientation)
    if not taken.is_whole and (missing := taken.missing_rows()):
        judge_cut(picture, missing, salvage=salvage)
        taken.fill_up()
    elif not taken.is_whole:
        judge_cut(picture, 0, salvage=salvage)
    else:
        picture.frames = lambda: _checked_png(picture, taken, salvage=salvage)
    picture.notes += [DEEP] * taken.is_deep
    if len(taken.parts) > 1:
        picture.animate(len(taken.parts), taken.plays or 0)
        picture.frames = lambda: _composed(taken.size, taken.composed_parts())
    return picture


def read_gif(data: bytes, *, salvage: bool) -> Picture:
    """Read a GIF with all its frames."""
    from cartoonize.media.containers import gif

    taken = gif.take_apart(data)
    found = Found(xmp=taken.xmp)
    found.texts = {"Comment": taken.comment.decode("utf-8", "replace")} if taken.comment else {}
    picture = Picture("GIF", taken.size, lambda: _composed(taken.size, taken.parts()), found)
    picture.animate(len(taken.frames), plays("GIF", taken.loop))
    check_pixels(taken.area, 1)
    if not taken.is_whole:
        if not salvage:
            raise DecodeError(f"cut short: only its first {picture.count} frames are whole (--salvage takes them)")
        picture.notes.append(f"cut short: only its first {picture.count} frames are whole")
    return picture


def read_webp(data: bytes) -> Picture:
    """Read a WebP with all its frames."""
    from PIL import WebPImagePlugin  # noqa: F401  registers itself

    image = Image.open(BytesIO(data), formats=("WEBP",))
    blocks = {kind: image.info[name] for kind, name in (("exif", "exif"), ("xmp", "xmp")) if image.info.get(name)}
    found = Found.of(blocks | ({"icc": image.info["icc_profile"]} if image.info.get("icc_profile") else {}))
    picture = Picture("WEBP", image.size, partial(_all_frames, image), found, found.exif.orientation)
    picture.animate(getattr(image, "n_frames", 1), image.info.get("loop") or 0)
    return picture


def read_bmff(data: bytes) -> Picture:
    """Read an AVIF with all its frames, or the main picture of a HEIC; both are turned as the container says."""
    from cartoonize.media.containers import bmff

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
    picture = Picture(str(image.format), image.size, partial(_all_frames, image), found)
    if image.format == "AVIF":
        picture.orientation = image.getexif().get(_ORIENTATION, 1)  # of the container: EXIF and XMP are hidden
        picture.animate(getattr(image, "n_frames", 1), 0)
    elif getattr(image, "is_animated", False):
        picture.frames = partial(_still, image)
        picture.notes.append(_FIRST_ONLY)
    return picture


def judge_cut(picture: Picture, missing: int, *, salvage: bool) -> None:
    """Note that a file is cut; raise DecodeError where rows of its pixels are missing that nobody wants left out."""
    if not missing:
        picture.notes.append("its end is missing, but none of its pixels")
        return
    text = f"cut short: {missing} of its {picture.size[1]} rows are missing or not whole"
    if not salvage:
        raise DecodeError(f"{text} (--salvage does what is there)")
    picture.notes.append(text)


def register_heif(error: type[CartoonizeError]) -> None:
    """Teach Pillow HEIC; raises `error` where the package for it is not installed."""
    try:
        import pillow_heif
    except ImportError:
        raise error(HEIC_MISSING) from None
    pillow_heif.register_heif_opener()


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
    pixels = cv2.imdecode(np.frombuffer(taken.bare, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise UnidentifiedImageError
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    image = Image.fromarray(cv2.cvtColor(pixels, order))
    if taken.nclx:
        found.take_codes(*taken.nclx)
    return Picture("AVIF", image.size, partial(_still, image), found, taken.orientation)


def _checked_jpeg(picture: Picture, image: ImageFile.ImageFile, taken: Jpeg, *, salvage: bool) -> Iterator[Shown]:
    """Decode a JPEG that has its end; where its data ends before its pixels do, decoders paint grey without a word."""
    image.load()
    corner = np.asarray(image.crop((max(0, image.width - 8), max(0, image.height - 8), image.width, image.height)))
    if ((corner == 127) | (corner == 128)).all() and not taken.is_arithmetic:
        longer = Image.open(BytesIO(taken.lengthened), formats=("JPEG",))
        unlike = np.flatnonzero((np.asarray(longer) != np.asarray(image)).reshape(image.height, -1).any(axis=1))
        if unlike.size:
            begun = (int(unlike[0]) + 1) // _block_height(image) * _block_height(image)  # colours bleed by a row
            judge_cut(picture, image.height - begun, salvage=salvage)
    yield Shown(image)


def _checked_png(picture: Picture, taken: Png, *, salvage: bool) -> Iterator[Shown]:
    """Decode a PNG that has its end; one whose pixels end before it is as good as cut, and Pillow leaves them black."""
    image = taken.opened()
    image.load()
    last = np.asarray(image.crop((0, max(0, image.height - 2), image.width, image.height)))
    if not last.any(axis=tuple(range(1, last.ndim))).all() and (missing := taken.missing_rows()):
        judge_cut(picture, missing, salvage=salvage)
    yield Shown(image)


def _still(image: Image.Image) -> Iterator[Shown]:
    image.load()
    yield Shown(image)


def _all_frames(image: Image.Image) -> Iterator[Shown]:
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        yield Shown(image, None, round(image.info.get("duration") or 0))


def _composed(size: tuple[int, int], parts: Iterator[Part]) -> Iterator[Shown]:
    from cartoonize.media.containers.animation import composed

    return (Shown(image, None, duration) for image, duration in composed(size, parts))


def _drafted(image: ImageFile.ImageFile, side: int) -> Image.Image:
    image.draft(None, (side, side))
    image.load()
    return image


def _grey_rows(image: Image.Image) -> int:
    """Count the rows of a cut JPEG from the first that is not whole: decoders paint what is missing mid-grey."""
    pixels = np.asarray(image).reshape(image.height, image.width, -1)
    grey: NDArray[np.bool_] = ((pixels == 127) | (pixels == 128)).all(axis=2)
    whole = np.flatnonzero(~grey.all(axis=1))
    rows = int(whole[-1]) + 1 if whole.size else 0
    block = grey[max(0, rows - 8) : rows, -8:]  # the last of the row of blocks that was begun
    height = _block_height(image)
    return image.height - rows + (min(height, rows) if block.size and block.all() else 0)


def _block_height(image: Image.Image) -> int:
    """Return how many rows are coded together."""
    return 8 * max((component[2] for component in getattr(image, "layer", ())), default=2)
