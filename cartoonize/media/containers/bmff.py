"""The container of HEIC and AVIF: what stands in it beside the picture. ISO 14496-12; ISO 23008-12 (HEIF)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

_MOST_BOXES = 50_000
_MOST_BYTES = 8 << 20  # of EXIF or XMP
_HEAD = 1 << 16
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""What a box of kind "uuid" begins with that holds XMP, in JPEG 2000 and CR3."""
_FILMS = (b"avis", b"msf1", b"hevc", b"hevx")
_GAIN_MAPS = ("urn:com:apple:photo:2020:aux:hdrgainmap", "urn:com:photo:aux:hdrgainmap")
_DEPTH = ("urn:mpeg:hevc:2015:auxid:2", "urn:mpeg:mpegB:cicp:systems:auxiliary:depth")
_ORIENTATIONS = ((1, 4, 2), (8, 5, 7), (3, 2, 4), (6, 7, 5))  # by quarter turns; not mirrored, by axis 0, by axis 1


@dataclass(frozen=True)
class Bmff:
    """A file taken apart.

    bare: the file with its EXIF and XMP hidden from decoders, which would apply or encode them anew. blocks: "exif",
    "xmp". nclx: primaries and transfer of the main picture by their numbers in ITU-T H.273, None where not stated.
    parts: what else is in it: "film", "gain map", "depth map". size: the largest width and height of a picture in it.
    orientation: EXIF's number for how the container says that it is turned.
    """

    bare: bytes
    blocks: dict[str, bytes] = field(default_factory=dict)
    nclx: tuple[int, int] | None = None
    parts: frozenset[str] = frozenset()
    size: tuple[int, int] = (0, 0)
    orientation: int = 1


def take_apart(data: bytes) -> Bmff:
    """Take the bytes of a file apart; what cannot be read is left as it is for the decoder to judge. Never fails."""
    try:
        outer = dict(boxes(data))
        start, end = outer[b"meta"]
        meta = dict(boxes(data, start + 4, end))
        items = _items(data, *meta[b"iinf"])
        places = _places(data, *meta[b"iloc"], meta.get(b"idat", (0, 0))[0])
    except (KeyError, struct.error, IndexError, ValueError):
        return Bmff(data)
    bare = bytearray(data)
    blocks: dict[str, bytes] = {}
    for number, (kind, at) in items.items():
        if kind in ("exif", "xmp"):
            content = b"".join(data[first:last] for first, last in places.get(number, []))[:_MOST_BYTES]
            if kind == "exif":  # begins with how far the block is behind these four bytes
                content = content[4 + int.from_bytes(content[:4], "big") :]
            blocks.setdefault(kind, content)
            bare[at : at + 4] = b"free"  # a kind of item that no decoder knows
    said = _properties(data, meta)
    parts = said.parts
    if b"mpvd" in outer:
        parts |= {"film"}
    if any(kind == "tmap" for kind, _ in items.values()):
        parts |= {"gain map"}
    orientation = _ORIENTATIONS[said.angle % 4][0 if said.axis is None else 1 + said.axis % 2]
    return Bmff(bytes(bare), blocks, said.nclx, frozenset(parts), said.size, orientation)


def size_of(stream: IO[bytes]) -> tuple[int, int, int] | None:
    """Return (height, width, frames) of a HEIC or AVIF from its header.

    None where it is none, a film, cropped, or its header is longer than usual. Rewinds.
    """
    head = stream.read(_HEAD)
    stream.seek(0)
    try:
        outer = dict(boxes(head))
        start, _ = outer[b"ftyp"]
        start, end = (0, 0) if head[start : start + 4] in _FILMS else outer[b"meta"]
        said = _properties(head, dict(boxes(head, start + 4, end)))
    except (KeyError, struct.error, IndexError):
        return None
    if said.is_cropped or not all(said.size):
        return None
    width, height = said.size[::-1] if said.angle % 2 else said.size
    return height, width, 1


def missing_bytes(data: bytes) -> int:
    """Return how many bytes of the last of a file's boxes are missing, as far as its head is there."""
    at = max((end for _, (_, end) in boxes(data)), default=0)
    if at + 16 > len(data):
        return 0
    size = int.from_bytes(data[at : at + 4], "big")
    size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
    return max(0, at + size - len(data))


def without_times(data: bytes) -> bytes:
    """Take out of a film's boxes when it was made, so that the same frames give the same bytes every time."""
    made = bytearray(data)
    places = [(0, len(data))]
    while places:
        for name, (at, stop) in boxes(data, *places.pop()):
            if name in (b"moov", b"trak", b"mdia"):
                places.append((at, stop))
            elif name in (b"mvhd", b"tkhd", b"mdhd"):
                size = 16 if data[at] else 8  # two numbers, of 8 bytes each from version 1 on
                made[at + 4 : at + 4 + size] = bytes(size)
    return bytes(made)


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Yield name and extent of the boxes between two places; the content begins at the first of its numbers."""
    end = len(data) if end is None else end
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, at)
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        stop = end if size == 0 else at + size
        if stop < begin or stop > end:
            return
        yield name, (begin, stop)
        at = stop


def _items(data: bytes, start: int, end: int) -> dict[int, tuple[str, int]]:
    """Return of every item, by number, its kind and where in the file its kind stands."""
    items = {}
    for name, (at, stop) in boxes(data, start + (6 if data[start] == 0 else 8), end):
        version = data[at]
        if name != b"infe" or version < 2:
            continue
        number = int.from_bytes(data[at + 4 : at + (6 if version == 2 else 8)], "big")
        place = at + (8 if version == 2 else 10)
        kind = data[place : place + 4].decode("latin-1").lower()
        if kind == "mime" and b"application/rdf+xml" in data[place:stop]:
            kind = "xmp"
        items[number] = (kind, place)
    return items


def _places(data: bytes, start: int, end: int, idat: int) -> dict[int, list[tuple[int, int]]]:
    """Return of every item, by number, the extents of the file that hold it."""
    version, sizes = data[start], int.from_bytes(data[start + 4 : start + 6], "big")
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    reader = _Numbers(data, start + 6)
    places: dict[int, list[tuple[int, int]]] = {}
    for _ in range(min(reader.next(4 if version == 2 else 2), _MOST_BOXES)):
        number = reader.next(4 if version == 2 else 2)
        inside = (reader.next(2) & 15) == 1 if version else False
        reader.next(2)
        base = reader.next(base_size) + (idat if inside else 0)
        extents = []
        for _ in range(min(reader.next(2), _MOST_BOXES)):
            reader.next(index_size)
            first = base + reader.next(offset_size)
            extents.append((first, first + reader.next(length_size)))
        if reader.at > end:
            raise ValueError("places beyond their box")
        places[number] = extents
    return places


class _Numbers:
    """Reads unsigned numbers of any size one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def next(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self._data[self.at - size : self.at], "big")


@dataclass
class _Properties:
    """What the properties say, whichever picture they belong to: `angle` in quarter turns to the left."""

    nclx: tuple[int, int] | None = None
    parts: set[str] = field(default_factory=set)
    size: tuple[int, int] = (0, 0)
    angle: int = 0
    axis: int | None = None
    is_cropped: bool = False


def _properties(data: bytes, meta: dict[bytes, tuple[int, int]]) -> _Properties:
    said = _Properties()
    container = dict(boxes(data, *meta.get(b"iprp", (0, 0)))).get(b"ipco", (0, 0))
    for kind, (at, stop) in boxes(data, *container):
        if kind == b"colr" and data[at : at + 4] == b"nclx" and said.nclx is None:
            said.nclx = struct.unpack_from(">HH", data, at + 4)
        elif kind == b"ispe":
            said.size = max(said.size, struct.unpack_from(">II", data, at + 4))
        elif kind == b"irot":
            said.angle = data[at]
        elif kind == b"imir":
            said.axis = data[at]
        elif kind == b"clap":
            said.is_cropped = True
        elif kind == b"auxC":
            text = data[at + 4 : stop].split(b"\0")[0].decode("latin-1")
            said.parts |= {"gain map"} if text in _GAIN_MAPS else {"depth map"} if text in _DEPTH else set()
    return said
