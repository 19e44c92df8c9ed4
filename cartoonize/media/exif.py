"""What cameras say about a photo: EXIF from any file, kept byte for byte, and into any file. EXIF 3.0, section 4.6."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import IO

from cartoonize.media.containers.tags import Directory, TagReader, Value, laid_out, short

MAIN, DETAILS, GPS, INTEROP = -1, 0x8769, 0x8825, 0xA005
"""The directories, named by the tag that points to them; to a picture's main one none does."""

GEO = frozenset({33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113})
"""Tags of GeoTIFF, which tie pixels of one size to places."""

PREFIX = b"Exif\0\0"
"""What stands before the block in a JPEG."""

_ORIENTATION, _MAKER_NOTE, _COLOR_SPACE, _INTEROP_INDEX = 0x0112, 0x927C, 0xA001, 0x0001
_FURTHEST_NOTE = 1 << 16  # a maker note farther behind would need more padding than a JPEG holds

# How one file keeps its pixels, wrong in any other; XMP, IPTC, Photoshop's block and the profile travel apart.
_STRUCTURE = frozenset(
    {*(254, 255), *range(256, 260), *range(262, 267), 273, *range(277, 282), 284, *range(288, 294), 297, 301, 317, 318}
    | {319, 320, *range(321, 329), 330, *range(332, 348), *range(512, 533), 559, 700, 32781, *range(32994, 32999)}
    | {33421, 33422, 33723, 34377, 34675, 37439, 37724, *range(50706, 51200)}
)
_UNWANTED = {
    MAIN: _STRUCTURE | GEO,
    DETAILS: frozenset({0xA002, 0xA003}),  # sizes of the photo before it was turned or resized
    INTEROP: frozenset({0x1001, 0x1002}),
}


@dataclass(frozen=True)
class Exif:
    """Directories of a picture: their values are in byte order `order`, "<" or ">"."""

    order: str = "<"
    directories: dict[int, Directory] = field(default_factory=dict)

    @property
    def orientation(self) -> int:
        """The EXIF orientation, 1 to 8; 1 where there is none or an unknown one."""
        value = self.directories.get(MAIN, {}).get(_ORIENTATION)
        (number, *_) = (value.integers(self.order) if value else ()) or (1,)
        return number if 1 <= number <= 8 else 1

    def upright(self) -> Exif:
        """Return it with the orientation said to be 1."""
        return self._with(MAIN, _ORIENTATION, short(1, self.order))

    def without_orientation(self) -> Exif:
        """Return it without a word about orientation, which means upright."""
        main = {tag: value for tag, value in self.directories.get(MAIN, {}).items() if tag != _ORIENTATION}
        groups = {**self.directories, MAIN: main}
        return replace(self, directories={group: tags for group, tags in groups.items() if tags})

    def in_srgb(self) -> Exif:
        """Return it with its word about colours changed to sRGB, where it has one."""
        found = self
        if _COLOR_SPACE in self.directories.get(DETAILS, {}):
            found = found._with(DETAILS, _COLOR_SPACE, short(1, self.order))
        if _INTEROP_INDEX in self.directories.get(INTEROP, {}):
            found = found._with(INTEROP, _INTEROP_INDEX, Value(2, 4, b"R98\0"))
        return found

    def to_bytes(self) -> bytes:
        """Return a block to embed, with its prefix; empty where there are no tags.

        A maker note keeps its place in the block: many hold offsets that count from the block's beginning.
        """
        if not self.directories:
            return b""
        note = self.directories.get(DETAILS, {}).get(_MAKER_NOTE)
        pinned = note if note and len(note.data) > 4 and 8 <= note.at < _FURTHEST_NOTE else None
        mark = b"II*\0" if self.order == "<" else b"MM\0*"
        block = laid_out(_linked(self.directories), self.order, 8, pinned)
        return PREFIX + mark + struct.pack(self.order + "I", 8) + block

    def in_order(self, order: str) -> Exif:
        """Return the same tags in a byte order."""
        if self.order == order:
            return self
        groups = self.directories.items()
        return Exif(order, {group: {tag: value.turned() for tag, value in tags.items()} for group, tags in groups})

    def _with(self, group: int, tag: int, value: Value) -> Exif:
        changed = {**self.directories, group: {**self.directories.get(group, {}), tag: value}}
        return replace(self, directories=changed)


def read_exif(source: bytes | IO[bytes]) -> tuple[Exif, int]:
    """Read a block, or a TIFF file, without the tags that describe one file's pixels.

    Returns the tags and how many were damaged and are missing from them: one where nothing can be read. Never fails.
    """
    reader = TagReader(BytesIO(source.removeprefix(PREFIX)) if isinstance(source, bytes) else source)
    if not reader.order:
        return Exif(), 1
    groups = {MAIN: reader.directory(reader.first, _UNWANTED[MAIN])}
    for group, inner in ((MAIN, DETAILS), (MAIN, GPS), (DETAILS, INTEROP)):
        pointer = groups.get(group, {}).pop(inner, None)
        if pointer and (numbers := pointer.integers(reader.order)):
            groups[inner] = reader.directory(numbers[0], _UNWANTED.get(inner, frozenset()))
    return Exif(reader.order, {group: tags for group, tags in groups.items() if tags}), reader.damaged


def embed_in_tiff(tiff: bytes, exif: Exif, further: Directory) -> bytes:
    """Add tags to a TIFF file of one directory, `further` to its main one in the file's own byte order."""
    reader = TagReader(BytesIO(tiff))
    added = exif.in_order(reader.order).directories
    main = reader.directory(reader.first) | added.get(MAIN, {}) | further
    start = len(tiff) + len(tiff) % 2
    directories = laid_out(_linked({**added, MAIN: main}), reader.order, start)
    return tiff[:4] + struct.pack(reader.order + "I", start) + tiff[8:] + bytes(len(tiff) % 2) + directories


def _linked(directories: dict[int, Directory]) -> dict[int, Directory]:
    """Return the directories, the main one first, with the tags that point from one to the next."""
    groups = {group: dict(tags) for group, tags in directories.items()}
    pointer = Value(4, 1, bytes(4))
    if INTEROP in groups:
        groups.setdefault(DETAILS, {})[INTEROP] = pointer
    for group in (DETAILS, GPS):
        if group in groups:
            groups.setdefault(MAIN, {})[group] = pointer
    return {group: groups[group] for group in (MAIN, DETAILS, GPS, INTEROP) if group in groups}
