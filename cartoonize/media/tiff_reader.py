"""TIFF files -> a Picture: by Pillow where it reads them right, by `tiff` elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from io import SEEK_END
from typing import IO

from PIL import Image, ImagePalette, TiffImagePlugin, UnidentifiedImageError  # noqa: F401  what Pillow is to know

from cartoonize.errors import DecodeError
from cartoonize.media.containers import tiff
from cartoonize.media.containers.tags import TagReader
from cartoonize.media.containers.tiff_layout import Layout, layout_of
from cartoonize.media.exif import GEO, read_exif
from cartoonize.media.metadata import Found
from cartoonize.media.picture import DEEP, Picture, Shown, judge_cut

_ORIENTATION, _COLOR_MAP, _XMP, _IPTC, _PHOTOSHOP, _ICC = 0x0112, 320, 700, 33723, 34377, 34675


def read_tiff(stream: IO[bytes], *, salvage: bool) -> Picture:
    """Read the first page of a TIFF."""
    layout = layout_of(stream)
    found, notes = _found(stream)
    length = stream.seek(0, SEEK_END)
    missing = layout.missing_rows(length) if layout else 0
    if layout is None and TagReader(stream).first >= length:
        raise DecodeError("cut short: the directory behind its pixels is missing: get the whole file again")
    stream.seek(0)
    is_ours = layout is not None and layout.is_general and (layout.is_beyond_pillow or missing > 0)
    try:
        picture = (
            _ours(stream, layout, found, is_cut=missing > 0)
            if layout and is_ours
            else _by_pillow(stream, layout, found)
        )
    except UnidentifiedImageError:
        if layout is None or not layout.is_general:
            raise
        picture = _ours(stream, layout, found)
    if missing:
        judge_cut(picture, missing, salvage=salvage)
        if not is_ours:
            raise DecodeError("cut short, and packed in a way that what is there cannot be taken out")
    picture.notes += notes
    return picture


def _ours(stream: IO[bytes], layout: Layout, found: Found, *, is_cut: bool = False) -> Picture:
    def frames() -> Iterator[Shown]:
        yield Shown(*tiff.picture_of(stream, layout, is_cut=is_cut))

    picture = Picture("TIFF", (layout.width, layout.height), frames, found, found.exif.orientation)
    if layout.kind == "f":
        picture.notes.append("floating-point numbers, taken as light from 0 to 1, reduced to 8 bits per channel")
    elif layout.depth == 16:
        picture.notes.append(DEEP)
    return picture


def _by_pillow(stream: IO[bytes], layout: Layout | None, found: Found) -> Picture:
    image = Image.open(stream, formats=("TIFF",))
    image.info.pop("xmp", None)  # or Pillow would turn the picture by it
    turned_by_pillow = image.getexif().get(_ORIENTATION, 1)
    orientation = found.exif.orientation
    found.dpi = image.info.get("dpi")
    size = (layout.width, layout.height) if layout else image.size  # Pillow's is that of the turned picture
    picture = Picture("TIFF", size, partial(_frames, image), found)
    if turned_by_pillow == orientation:
        picture.turned_on_decoding = orientation
    else:
        picture.orientation = orientation
    if any(";12" in str(tile[3]) for tile in image.tile):
        picture.notes.append(DEEP)
    return picture


def _frames(image: Image.Image) -> Iterator[Shown]:
    colors = image.tag_v2.get(_COLOR_MAP) if image.mode in ("P", "PA") else None  # type: ignore[attr-defined]  # of TIFFs alone
    if colors and max(colors) < 256:  # written in 8 bits instead of 16, as many programs do
        image.palette = ImagePalette.raw("RGB;L", bytes(colors))
    image.load()
    yield Shown(image)


def _found(stream: IO[bytes]) -> tuple[Found, list[str]]:
    """Return what stands in the main directory besides pixels, and notes."""
    found = Found()
    found.exif, found.damaged = read_exif(stream)
    reader = TagReader(stream)
    tags = reader.directory(reader.first) if reader.order else {}
    found.xmp, found.icc, found.iptc = (tags[tag].data if tag in tags else None for tag in (_XMP, _ICC, _IPTC))
    if any(tag in tags for tag in GEO):
        found.parts.add("GeoTIFF tags")
    return found, ["only the first of its pages is used"] if reader.following else []
