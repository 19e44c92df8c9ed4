"""One reader a family of formats: the bytes of a file -> a Picture. What a cut file lacks is said or refused.

Decoders get files without metadata: what they would do with it (encode it anew, turn by it, work on it for minutes) is
done here or not at all. Containers are imported by those who read them: most runs meet one or two of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from cartoonize.media.containers import jpeg
from cartoonize.media.formats import plays
from cartoonize.media.metadata import Found
from cartoonize.media.picture import (
    DEEP,
    Picture,
    Shown,
    all_frames,
    check_bytes,
    check_pixels,
    judge_cut,
    judge_frames,
    still,
)

if TYPE_CHECKING:
    from cartoonize.media.containers.animation import Part
    from cartoonize.media.containers.jpeg import Jpeg
    from cartoonize.media.containers.png import Png


def read_jpeg(data: bytes, *, salvage: bool) -> Picture:
    """Read a JPEG; what lies behind it, a film or further pictures, is named."""
    taken = jpeg.take_apart(data)
    is_whole = taken.behind is not None
    image = Image.open(BytesIO(taken.bare if is_whole else taken.bare + b"\xff\xd9"), formats=("JPEG",))
    found = Found.of(taken.blocks)
    found.dpi = image.info.get("dpi")
    found.parts = jpeg.parts_of(taken)
    picture = Picture("JPEG", image.size, partial(still, image), found, found.exif.orientation)
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
    picture = Picture("PNG", taken.size, lambda: still(taken.opened()), found, found.exif.orientation)
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
        judge_frames(picture, taken.whole_frames, salvage=salvage)
    return picture


def read_webp(data: bytes, *, salvage: bool) -> Picture:
    """Read a WebP with all its frames."""
    from PIL import WebPImagePlugin  # noqa: F401  registers itself

    from cartoonize.media.containers import webp

    missing = webp.missing_bytes(data)
    there, pictures = webp.whole_chunks(data) if missing else (data, 1)
    check_bytes(len(data), 0 if pictures else missing)
    image = Image.open(BytesIO(there), formats=("WEBP",))
    blocks = {kind: image.info[name] for kind, name in (("exif", "exif"), ("xmp", "xmp")) if image.info.get(name)}
    found = Found.of(blocks | ({"icc": image.info["icc_profile"]} if image.info.get("icc_profile") else {}))
    picture = Picture("WEBP", image.size, partial(all_frames, image), found, found.exif.orientation)
    picture.animate(getattr(image, "n_frames", 1), image.info.get("loop") or 0)
    if missing and webp.is_animated(data):
        judge_frames(picture, picture.count, salvage=salvage)
    elif missing:
        judge_cut(picture, 0, salvage=salvage)
    return picture


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
    try:
        image.load()
        last = np.asarray(image.crop((0, max(0, image.height - 2), image.width, image.height)))
        is_whole = bool(last.any(axis=tuple(range(1, last.ndim))).all())
    except OSError:  # its pixels end in the middle of what is packed
        is_whole = False
    if not is_whole and (missing := taken.missing_rows()):
        judge_cut(picture, missing, salvage=salvage)
        taken.fill_up()
        image = taken.opened()
    yield from still(image)


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
