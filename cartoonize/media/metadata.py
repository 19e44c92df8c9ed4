"""What travels with a picture besides its pixels: EXIF, XMP, colour profile, resolution."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from math import isfinite
from typing import IO, Any

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

# Only tags that describe the photo: the rest of a first directory (strips, sizes, sub-images) describes one file's
# bytes, is wrong in any other and breaks TIFF writers.
_KEPT_TAGS = (
    *(Base.ImageDescription, Base.Make, Base.Model, Base.XResolution, Base.YResolution, Base.ResolutionUnit),
    *(Base.Software, Base.DateTime, Base.Artist, Base.HostComputer, Base.Copyright, Base.Rating, Base.RatingPercent),
    *(Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords, Base.XPSubject),
)
_STALE_TAGS = (Base.ExifImageWidth, Base.ExifImageHeight)  # of the photo before it was turned or resized
_XMP_TAG, _PREDICTOR_TAG = 700, 317
_JPEG_SEGMENT = 65_533  # most bytes in one JPEG segment
_XMP_HEADER = 29  # "http://ns.adobe.com/xap/1.0/" and its end
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


@dataclass(frozen=True)
class Metadata:
    """What a result carries over: bytes ready to embed, `dpi` in pixels per inch, `loop` as times played (0: forever).

    `exif` has its orientation reset to 1 and no thumbnail; `icc` is the profile the pixels are in (sRGB, or None, which
    means sRGB); `loop` is None for a still.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    loop: int | None = None


def read_metadata(image: Image.Image) -> tuple[Metadata, int, tuple[str, ...]]:
    """Return the EXIF, XMP and resolution of a loaded picture, its orientation (1 to 8), and notes. Never fails."""
    notes: tuple[str, ...] = ()
    exif, orientation, xmp = None, 1, image.info.get("xmp")
    if image.format == "AVIF":
        image.info.pop("xmp", None)  # an AVIF says elsewhere how it is turned, but Pillow would also obey its XMP
    try:
        found = image.getexif()
        orientation = found.get(Base.Orientation, 1)
        exif = _rewritten(found)
    except Exception:  # hostile EXIF makes Pillow raise nearly anything; the picture is worth more than its EXIF
        notes = ("its EXIF is damaged and was left out",)
    metadata = Metadata(exif, _xmp(xmp), None, _dpi(image.info.get("dpi")), None)
    return metadata, orientation if orientation in _TURN else 1, notes


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Apply an EXIF orientation (1 to 8)."""
    return image.transpose(_TURN[orientation]) if orientation in _TURN else image


def save_options(metadata: Metadata, image_format: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the arguments of Pillow's `save` that embed `metadata`, and notes about what the format cannot hold."""
    exif, xmp, notes = metadata.exif, metadata.xmp, []
    if image_format == "JPEG":
        if exif and len(exif) > _JPEG_SEGMENT:
            exif = None
            notes.append("its EXIF is larger than the 64 KB a JPEG can hold and was left out")
        if xmp and len(xmp) > _JPEG_SEGMENT - _XMP_HEADER:
            xmp = None
            notes.append("its XMP is larger than the 64 KB a JPEG can hold and was left out")
    options: dict[str, Any] = {"exif": exif, "xmp": xmp, "icc_profile": metadata.icc, "dpi": metadata.dpi}
    if image_format == "PNG" and xmp:
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    if image_format == "TIFF":
        options["tiffinfo"] = _tiff_tags(options.pop("exif"), xmp)
    return {name: value for name, value in options.items() if value}, tuple(notes)


def append_exif(tiff: bytes, exif: bytes) -> bytes:
    """Append the EXIF and GPS directories to a TIFF, which Pillow cannot write in one with compressed pixels."""
    source = Image.Exif()
    source.load(exif)
    out = bytearray(tiff)
    order = "<" if out.startswith(b"II") else ">"
    (start,) = struct.unpack_from(order + "I", out, 4)
    (count,) = struct.unpack_from(order + "H", out, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from(order + "H", out, entry)
        if tag in (IFD.Exif, IFD.GPSInfo):
            out += bytes(len(out) % 2)  # directories start on even bytes
            struct.pack_into(order + "I", out, entry + 8, len(out))
            directory = ImageFileDirectory_v2(bytes(out[:8]), group=tag)
            for key, value in _directory(source, tag).items():
                directory[key] = value
            out += directory.tobytes(len(out))
    return bytes(out)


def without_metadata(stream: IO[bytes]) -> bytes | None:
    """Return a JPEG or PNG without all that is not needed to show it; None when there is nothing to leave out.

    Any other file is not read beyond its first bytes: it may be a film of many gigabytes.
    """
    signature = stream.read(8)
    is_png = signature == b"\x89PNG\r\n\x1a\n"
    if not is_png and not signature.startswith(b"\xff\xd8"):
        return None
    data = signature + stream.read()
    bare = _bare_png(data) if is_png else _bare_jpeg(data)
    return bare if len(bare) < len(data) else None


def _rewritten(found: Image.Exif) -> bytes | None:
    exif = Image.Exif()
    exif.endian = found.endian  # bytes inside maker notes and comments follow it
    for tag in _KEPT_TAGS:
        if tag in found:
            exif[tag] = found[tag]
    for group in (IFD.Exif, IFD.GPSInfo):
        if directory := _directory(found, group):
            exif[group] = directory
    if not len(exif):
        return None
    exif[Base.Orientation] = 1
    return exif.tobytes()  # only the first directory and those named above: the thumbnail (IFD1) is gone


def _directory(exif: Image.Exif, tag: int) -> dict[int, Any]:
    directory = {key: value for key, value in exif.get_ifd(tag).items() if key not in _STALE_TAGS}
    if IFD.Interop in directory:
        directory[IFD.Interop] = exif.get_ifd(IFD.Interop)  # a number that points into the old file otherwise
    return directory


def _tiff_tags(exif: bytes | None, xmp: bytes | None) -> dict[int, Any]:
    tags: dict[int, Any] = {_PREDICTOR_TAG: 2}  # differences of neighbours: a third of the size under LZW
    if exif:
        source = Image.Exif()
        source.load(exif)
        tags |= dict(source)
        tags |= {tag: 0 for tag in (IFD.Exif, IFD.GPSInfo) if tag in source}  # filled in by append_exif
    return tags | ({_XMP_TAG: xmp} if xmp else {})


def _xmp(xmp: object) -> bytes | None:
    if not isinstance(xmp, bytes):
        return None
    xmp = re.sub(rb"""(tiff:Orientation\s{0,9}=\s{0,9}["'])\d""", rb"\g<1>1", xmp)
    xmp = re.sub(rb"(<tiff:Orientation>\s{0,9})\d", rb"\g<1>1", xmp)
    start, end = xmp.find(b"<xmp:Thumbnails>"), xmp.rfind(b"</xmp:Thumbnails>")
    if 0 <= start < end:
        xmp = xmp[:start] + xmp[end + len(b"</xmp:Thumbnails>") :]
    return xmp.rstrip(b"\0") or None


def _dpi(dpi: object) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in dpi)  # type: ignore[attr-defined]  # what is no pair fails below
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # 1 is what files say that do not know; JPEG holds 16 bits.
    return (x, y) if isfinite(x + y) and min(x, y) > 1 and max(x, y) <= 65_535 else None


def _bare_png(data: bytes) -> bytes:
    kept, at = [data[:8]], 8
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if name[:1].isupper() or name in (b"tRNS", b"acTL", b"fcTL", b"fdAT"):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _bare_jpeg(data: bytes) -> bytes:
    kept, at = [data[:2]], 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"\xda", b""):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        marker = data[at + 1]
        if not (0xE1 <= marker <= 0xED or marker in (0xEF, 0xFE)):  # APP14 says how colours are stored
            kept.append(data[at:end])
        at = end
    return b"".join((*kept, data[at:]))
