"""The container of a GIF: its frames one by one, each handed to Pillow as a GIF of its own. GIF89a."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Literal, cast

from PIL import Image, ImageFile

from cartoonize.errors import DecodeError
from cartoonize.media.containers.animation import Part

_AFTER = ("keep", "keep", "clear", "restore", "keep", "keep", "keep", "keep")
_IMAGE, _EXTENSION, _CONTROL, _APPLICATION, _COMMENT = 0x2C, 0x21, 0xF9, 0xFF, 0xFE


@dataclass(frozen=True)
class _Frame:
    """Where a frame stands in the file and its control block, empty where it has none."""

    control: bytes
    start: int
    end: int
    is_whole: bool = True


@dataclass
class Gif:
    """A GIF taken apart: `size` of its screen in pixels, `loop` as the file counts, None for once.

    `is_whole` is false where a frame is cut; that is left out, unless it is the first, which `begun` holds.
    """

    data: bytes
    size: tuple[int, int]
    frames: list[_Frame] = field(default_factory=list)
    loop: int | None = None
    xmp: bytes | None = None
    comment: bytes = b""
    is_whole: bool = True
    begun: list[_Frame] = field(default_factory=list)

    @property
    def whole_frames(self) -> int:
        """Number of the frames that are all there."""
        return sum(frame.is_whole for frame in self.frames)

    @property
    def area(self) -> int:
        """Pixels of all frames together, which may be larger than the screen."""
        sizes = (struct.unpack_from("<HH", self.data, frame.start + 5) for frame in self.frames)
        return sum(width * height for width, height in sizes)

    def parts(self) -> Iterator[Part]:
        """Yield the frames; raises what Pillow raises."""
        head = self.data[:6]
        for frame in self.frames:
            left, top, width, height = struct.unpack_from("<4H", self.data, frame.start + 1)
            alone = b",\0\0\0\0" + self.data[frame.start + 5 : frame.end]
            screen = struct.pack("<HH", width, height) + self.data[10:13]
            table = self.data[13 : 13 + _table_size(self.data[10])]
            control = b"!\xf9\4" + bytes([frame.control[0] & 1]) + frame.control[1:4] + b"\0" if frame.control else b""
            image = Image.open(BytesIO(b"".join((head, screen, table, control, alone, b";"))), formats=("GIF",))
            if not frame.is_whole:
                _load_begun(image)
            after = cast(
                'Literal["keep", "clear", "restore"]', _AFTER[frame.control[0] >> 2 & 7] if frame.control else "keep"
            )
            milliseconds = 10 * int.from_bytes(frame.control[1:3], "little")
            yield Part(image.convert("RGBA"), left, top, milliseconds, after, True)


def take_apart(data: bytes) -> Gif:
    """Take the bytes of a GIF apart; raises DecodeError where it has no frame."""
    gif = Gif(data, (0, 0))
    try:
        gif.size = struct.unpack_from("<HH", data, 6)
        _walk(gif)
    except (IndexError, struct.error):
        gif.is_whole = False
        gif.frames = gif.frames or gif.begun
    if not gif.frames:
        raise DecodeError("cut short before its first picture: get the whole file again")
    return gif


def _walk(gif: Gif) -> None:
    data, at, control = gif.data, 13 + _table_size(gif.data[10]), b""
    while at < len(data) and data[at] in (_IMAGE, _EXTENSION):
        if data[at] == _IMAGE:
            begin = at + 10 + _table_size(data[at + 9]) + 1  # behind the smallest code's size
            if begin < len(data) and not gif.frames:
                gif.begun = [_Frame(control, at, len(data), is_whole=False)]
            end = _behind_blocks(data, begin)
            gif.frames.append(_Frame(control, at, end))
            at, control = end, b""
            continue
        end = _behind_blocks(data, at + 2)
        content = data[at + 2 : end]
        if data[at + 1] == _CONTROL and content[0] >= 4:
            control = content[1:5]
        elif data[at + 1] == _APPLICATION and content[1:12] in (b"NETSCAPE2.0", b"ANIMEXTS1.0") and content[13] == 1:
            gif.loop = int.from_bytes(content[14:16], "little")
        elif data[at + 1] == _APPLICATION and content[1:12] == b"XMP DataXMP":
            gif.xmp = content[12:-258]  # not in blocks: a trailer of 258 bytes leads readers out of it
        elif data[at + 1] == _COMMENT:
            gif.comment = gif.comment or _joined(content)
        at = end


def _load_begun(image: ImageFile.ImageFile) -> None:
    """Decode what is there of a picture: what is not has its first colour."""
    try:
        image.load()
    except OSError:
        image.tile = []  # no more to do, for Pillow


def _table_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _behind_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += 1 + size
    return at + 1


def _joined(blocks: bytes) -> bytes:
    content, at = b"", 0
    while at < len(blocks) and blocks[at]:
        content += blocks[at + 1 : at + 1 + blocks[at]]
        at += 1 + blocks[at]
    return content
