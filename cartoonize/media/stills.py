"""Formats of stills that are read and not written: by Pillow or a plugin of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from io import BytesIO

import numpy as np
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.containers import bmff, bmp
from cartoonize.media.metadata import Found
from cartoonize.media.picture import Picture, Shown, check_pixels, rows_note

JXL_MISSING = "is a JPEG XL picture, which needs a library: pip install 'cartoonize[jxl]'"
_PLUGINS = {"BMP": "Bmp", "JPEG2000": "Jpeg2K", "PPM": "Ppm", "ICO": "Ico", "CUR": "Cur", "QOI": "Qoi", "PSD": "Psd"}
_PLUGINS |= {"DDS": "Dds"}
_SIGNATURES = (
    (b"BM", "BMP"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "CUR"),
    (b"qoif", "QOI"),
    (b"8BPS\0\1", "PSD"),
    (b"DDS ", "DDS"),
    (b"\xff\x0a", "JXL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JXL"),
    *((b"P" + digit, "PPM") for digit in (b"1", b"2", b"3", b"4", b"5", b"6", b"f", b"F")),
)
_EXIF_UUID = b"JpgTiffExif->JP2"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def name_of(head: bytes) -> str | None:
    """Pillow's name of the format that a file begins as; None where it is none of these."""
    return next((name for signature, name in _SIGNATURES if head.startswith(signature)), None)


def read_still(data: bytes, name: str, *, salvage: bool) -> Picture:
    """Read a file of a format by Pillow's name; raises DecodeError, or what Pillow raises.

    `salvage` takes what is there of a BMP that is cut short.
    """
    if name == "JXL":
        return _read_jxl(data)
    import_module(f"PIL.{_PLUGINS[name]}ImagePlugin")
    missing = bmp.missing_rows(data) if name == "BMP" else 0
    masked = name == "BMP" and bmp.is_masked(data)
    if missing or masked:
        check_pixels(*bmp.size_of(data))
    notes = [rows_note(missing, bmp.size_of(data)[1], salvage=salvage)] if missing else []
    if missing:
        data = bmp.filled_up(data)
    image = bmp.masked_picture(data) if masked else Image.open(BytesIO(data), formats=(name,))
    found = Found(icc=image.info.get("icc_profile"), dpi=image.info.get("dpi"))
    if name == "PSD":
        found = _in_photoshop(image)
    elif name == "JPEG2000":
        found = _in_jpeg2000(data)
    picture = Picture(name, image.size, partial(_still, image), found, found.exif.orientation if name == "PSD" else 1)
    picture.notes += notes
    if image.mode == "F":
        picture.notes.append("reduced from floating-point numbers to 8 bits per channel")
    elif name == "PSD" and getattr(image, "is_animated", False):
        picture.notes.append("its layers as the file shows them together")
    return picture


def _still(image: Image.Image) -> Iterator[Shown]:
    image.load()
    if image.mode in ("I", "F"):  # of an anymap: 16 bits, or numbers from 0 to 1
        values = np.asarray(image)
        eight = values >> 8 if image.mode == "I" else np.nan_to_num(values, nan=0.0).clip(0, 1) * 255 + 0.5
        image = Image.fromarray(eight.astype(np.uint8))
    yield Shown(image)


def _in_photoshop(image: Image.Image) -> Found:
    """Return what stands in a Photoshop file's resource blocks."""
    resources = {number: block for number, _, block in getattr(image, "resources", [])}
    names = {"exif": 1058, "xmp": 1060, "icc": 1039, "iptc": 1028}
    found = Found.of({kind: resources[number] for kind, number in names.items() if number in resources})
    if len(resolution := resources.get(1005, b"")) >= 12:
        x, y = struct.unpack_from(">I4xI", resolution)
        found.dpi = (x / 65536, y / 65536)
    return found


def _in_jpeg2000(data: bytes) -> Found:
    """Return what stands in the boxes of a JP2; a bare codestream has none."""
    blocks: dict[str, bytes] = {}
    for name, (start, stop) in bmff.boxes(data):
        if name == b"uuid" and data[start : start + 16] in (_EXIF_UUID, bmff.XMP_UUID):
            kind = "exif" if data[start : start + 16] == _EXIF_UUID else "xmp"
            blocks.setdefault(kind, data[start + 16 : stop])
        for inner, (begin, end) in bmff.boxes(data, start, stop) if name == b"jp2h" else ():
            if inner == b"colr" and data[begin] == 2:  # 2: a profile
                blocks.setdefault("icc", data[begin + 3 : end])
    return Found.of(blocks)


def _read_jxl(data: bytes) -> Picture:
    """Read a JPEG XL: its decoder turns it upright, whatever its EXIF says."""
    try:
        import pillow_jxl  # noqa: F401  registers itself
    except ImportError:
        raise DecodeError(JXL_MISSING) from None
    check_pixels(*_size_of_jxl(data))  # before the plugin, which decodes all of it on opening
    try:
        image = Image.open(BytesIO(data), formats=("JXL",))
    except Exception as error:  # the plugin's own words are about how it was built
        raise DecodeError("is a damaged JPEG XL picture: expected a whole one") from error
    names = {"exif": "exif", "xmp": "xmp", "icc": "icc_profile"}
    found = Found.of({kind: image.info[name] for kind, name in names.items() if image.info.get(name)})
    return Picture("JXL", image.size, partial(_still, image), found)


def _size_of_jxl(data: bytes) -> tuple[int, int]:
    """Return width and height that the codestream states. ISO 18181-1, D.2."""
    stream = data
    for name, (start, stop) in bmff.boxes(data) if not data.startswith(b"\xff\x0a") else ():
        if name in (b"jxlc", b"jxlp"):
            stream = data[start + 4 * (name == b"jxlp") : stop]
            break
    bits = int.from_bytes(stream[2:14], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    is_small = take(1)

    def side() -> int:
        return (take(5) + 1) * 8 if is_small else take((9, 13, 18, 30)[take(2)]) + 1

    height = side()
    ratio = take(3)
    width = height * _RATIOS[ratio - 1][0] // _RATIOS[ratio - 1][1] if ratio else side()
    return width, height
