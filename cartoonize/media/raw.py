"""RAW photos, developed by LibRaw with the camera's white balance: never the preview that is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, BinaryIO, cast

from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.containers import bmff, jpeg
from cartoonize.media.containers.tags import TagReader
from cartoonize.media.exif import Exif, read_exif
from cartoonize.media.metadata import Found
from cartoonize.media.picture import Picture, Shown

MISSING = "is a RAW photo, which needs a library: pip install 'cartoonize[raw]'; or export it as JPEG or TIFF"
_SIGNATURES = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM", b"IIII\1\0", b"MMMM\0\1")
_XMP, _SUB_DIRECTORIES, _PHOTOMETRIC, _DNG_VERSION, _COMPRESSION = 700, 330, 262, 50706, 259
_SENSOR = (32803, 34892)  # photometric interpretations: a mosaic of colour filters, linear raw
_CAMERAS = (34713, 32767, 32769, 32770, 32772, 65535)  # compressions of Nikon, Sony, Samsung, Pentax
_MOST_DIRECTORIES = 16


def is_raw(head: bytes, stream: IO[bytes]) -> bool:
    """Whether a file is a RAW photo by what is in it; many are TIFFs whose first picture is a preview. Rewinds."""
    if head.startswith(_SIGNATURES) or head[4:12] == b"ftypcrx " or (head[8:10] == b"CR" and head.startswith(b"II*\0")):
        return True
    found = head.startswith((b"II*\0", b"MM\0*")) and _holds_sensor_data(stream)
    stream.seek(0)
    return found


def read_raw(stream: IO[bytes]) -> Picture:
    """Develop a RAW photo: its white balance and orientation as the camera wrote them, sRGB, 8 bits."""
    try:
        import rawpy
    except ImportError:
        raise DecodeError(MISSING) from None
    try:
        photo = rawpy.imread(cast("BinaryIO", stream))
        size = photo.sizes.width, photo.sizes.height
    except rawpy.LibRawError as error:
        raise DecodeError(f"is a RAW photo that LibRaw cannot read ({_words(error)}): export it as TIFF") from error

    def frames() -> Iterator[Shown]:
        try:
            with photo:
                yield Shown(Image.fromarray(photo.postprocess(use_camera_wb=True)))
        except rawpy.LibRawError as error:
            raise DecodeError(f"is a RAW photo that LibRaw cannot develop ({_words(error)})") from error

    stream.seek(0)
    found = _found(stream)
    turned = 6 if photo.sizes.flip in (5, 6) else 1  # 5 and 6 are a quarter turn of the picture
    picture = Picture("RAW", size, frames, found, turned_on_decoding=turned)
    picture.notes.append("developed from RAW with the camera's white balance")
    return picture


def _holds_sensor_data(stream: IO[bytes]) -> bool:
    reader = TagReader(stream)
    places = [reader.first]
    for place in places[:_MOST_DIRECTORIES]:
        tags = reader.directory(place)
        kinds, packed = (
            tags[tag].integers(reader.order) if tag in tags else () for tag in (_PHOTOMETRIC, _COMPRESSION)
        )
        if _DNG_VERSION in tags or set(kinds) & set(_SENSOR) or set(packed) & set(_CAMERAS):
            return True
        if place == reader.first and _SUB_DIRECTORIES in tags:
            places += tags[_SUB_DIRECTORIES].integers(reader.order)
    return False


def _found(stream: IO[bytes]) -> Found:
    """Return EXIF and XMP of a RAW photo; where they are kept depends on the camera's maker."""
    head = stream.read(1 << 20)
    if head.startswith(b"FUJIFILMCCD-RAW"):  # in the preview
        at, size = (int.from_bytes(head[place : place + 4], "big") for place in (84, 88))
        stream.seek(at)
        blocks = jpeg.take_apart(stream.read(min(size, 16 << 20))).blocks
        return Found.of({kind: blocks[kind] for kind in ("exif", "xmp") if kind in blocks})
    found = Found()
    if head[4:12] == b"ftypcrx ":
        found.exif, found.damaged = _exif_of_canon(head)
        packets = (head[at:end] for name, (at, end) in bmff.boxes(head) if name == b"uuid")
        found.xmp = next((packet[16:] for packet in packets if packet.startswith(bmff.XMP_UUID)), None)
        return found
    stream.seek(0)
    found.exif, found.damaged = read_exif(stream)
    reader = TagReader(stream)
    tags = reader.directory(reader.first) if reader.order else {}
    found.xmp = tags[_XMP].data if _XMP in tags else None
    return found


def _exif_of_canon(head: bytes) -> tuple[Exif, int]:
    """Put together the directories that a CR3 keeps in boxes of their own."""
    exif, damaged = Exif(), 0
    for name, group in ((b"CMT1", -1), (b"CMT2", 0x8769), (b"CMT4", 0x8825)):
        at = head.find(name)
        size = int.from_bytes(head[at - 4 : at], "big") if at > 4 else 0
        if size > 8:
            part, lost = read_exif(head[at + 4 : at - 4 + size])
            damaged += lost
            exif = Exif(part.order, {**exif.in_order(part.order).directories, group: part.directories.get(-1, {})})
    return exif, damaged


def _words(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
