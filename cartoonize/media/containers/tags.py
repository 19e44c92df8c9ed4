"""Directories of tags, as TIFF files and EXIF blocks have them: read with bounds, written with the same bytes.

Libraries decode values to text and numbers and encode them anew, which costs accents, types and whole blocks where one
value is damaged. Here a value is bytes that are never looked into. TIFF 6.0, section 2; BigTIFF.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import IO, TypeAlias

import numpy as np

Directory: TypeAlias = dict[int, "Value"]

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_SIZES |= dict.fromkeys((16, 17, 18), 8)  # BigTIFF alone
_UNITS = _SIZES | {5: 4, 10: 4}  # what is turned around where the order of bytes changes
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_MOST_BYTES = 8 << 20  # of all values together; cameras write up to some 100 kB
_MOST_ENTRIES = 5_000  # of a directory
_TIFF, _BIG_TIFF = 42, 43
_RAW = (0x4F52, 0x5352, 0x0055)  # of Olympus and Panasonic, TIFFs but for this number


@dataclass(frozen=True)
class Value:
    """A tag's value: TIFF `type`, how many of it, their bytes, and where those stood in the file."""

    type: int
    count: int
    data: bytes
    at: int = 0

    def integers(self, order: str) -> tuple[int, ...]:
        """Return its numbers, `order` being "<" or ">"; none where it holds something else."""
        code = _INTEGERS.get(self.type)
        return struct.unpack(f"{order}{self.count}{code}", self.data) if code else ()

    def turned(self) -> Value:
        """Return the same value in the other byte order."""
        unit = _UNITS.get(self.type, 1)
        return self if unit == 1 else replace(self, data=np.frombuffer(self.data, f"u{unit}").byteswap().tobytes())


def short(number: int, order: str) -> Value:
    """Return a value of one 16-bit number."""
    return Value(3, 1, struct.pack(order + "H", number))


class TagReader:
    """Reads directories of a file or block: work and memory are bounded whatever it says.

    `order` is "<" or ">", "" where it is none; `first` is where the main directory begins; `following` whether another
    was said to come behind the last that was read; `damaged` counts tags that could not be read.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = _MOST_BYTES
        self.damaged = 0
        self.first = 0
        self.following = False
        head = self._at(0, 16)
        self.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = self._number(head[2:4])
        self.is_big = version == _BIG_TIFF
        place = head[8:16] if self.is_big else head[4:8]
        if version not in (_TIFF, _BIG_TIFF, *_RAW) or len(place) not in (4, 8):
            self.order = ""
        self.first = self._number(place)

    def directory(self, at: int, unwanted: Set[int] = frozenset()) -> Directory:
        """Return the tags of the directory at an offset, without the unwanted; of tags that come twice the first.

        Where most are damaged there is no directory but something else, which counts as one.
        """
        found: Directory = {}
        before = self.damaged
        for tag, kind, count, place, inline in self._entries(at):
            if tag in found or tag in unwanted:
                continue
            value = self._value(kind, count, place, inline)
            if value is None:
                self.damaged += 1
            else:
                found[tag] = value
        if self.damaged - before > len(found):
            self.damaged = before + 1
            return {}
        return found

    def _entries(self, at: int) -> Iterator[tuple[int, int, int, int, bytes]]:
        layout, size, width = (self.order + "HHQ8s", 20, 8) if self.is_big else (self.order + "HHI4s", 12, 2)
        head = self._at(at, width)
        number = self._number(head) if len(head) == width else 0
        if not number or number > _MOST_ENTRIES:
            self.damaged += 1
            return
        table = self._at(at + width, number * size)
        self.damaged += len(table) < number * size
        self.following = any(self._at(at + width + number * size, 8 if self.is_big else 4))
        for tag, kind, count, inline in struct.iter_unpack(layout, table[: len(table) // size * size]):
            yield tag, kind, count, self._number(inline), inline

    def _value(self, kind: int, count: int, place: int, inline: bytes) -> Value | None:
        size = _SIZES.get(kind, 0) * count
        if not size or size > self._left:
            return None
        self._left -= size
        if size <= len(inline):
            return Value(kind, count, inline[:size])
        data = self._at(place, size)
        return Value(kind, count, data, place) if len(data) == size else None

    def _number(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self.order == "<" else "big")

    def _at(self, offset: int, size: int) -> bytes:
        if offset >= 1 << 62:  # beyond what a file can be asked for
            return b""
        self._stream.seek(offset)
        return self._stream.read(size)


def laid_out(directories: dict[int, Directory], order: str, start: int, pinned: Value | None = None) -> bytes:
    """Return directories as the bytes of a file from `start` on, in the order given.

    `directories` by the tag that points to each; such a tag's value is filled in. `pinned` keeps its place in the file.
    """
    layout = _Layout(start, pinned)
    places = {group: layout.place(2 + 12 * len(tags) + 4) for group, tags in directories.items()}
    pieces: dict[int, bytes] = {}
    for group, tags in directories.items():
        table = struct.pack(order + "H", len(tags))
        for tag, value in sorted(tags.items()):
            data = struct.pack(order + "I", places[tag]) if tag in places else value.data
            if len(data) > 4:
                at = value.at if value is pinned else layout.place(len(data))
                pieces[at] = data
                data = struct.pack(order + "I", at)
            table += struct.pack(order + "HHI", tag, value.type, value.count) + data.ljust(4, b"\0")
        pieces[places[group]] = table + bytes(4)
    out = bytearray(max(at + len(piece) for at, piece in pieces.items()) - start)
    for at, piece in pieces.items():
        out[at - start : at - start + len(piece)] = piece
    return bytes(out)


class _Layout:
    """Hands out places behind each other, even ones, around one that is taken already."""

    def __init__(self, start: int, pinned: Value | None) -> None:
        self._end = start
        self._taken = (pinned.at, pinned.at + len(pinned.data)) if pinned else (start, start)

    def place(self, size: int) -> int:
        self._end += self._end % 2
        if self._end < self._taken[1] and self._end + size > self._taken[0]:
            self._end = self._taken[1] + self._taken[1] % 2
        self._end += size
        return self._end - size
