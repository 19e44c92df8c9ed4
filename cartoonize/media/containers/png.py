"""The container of a PNG: chunks, texts, the frames of an APNG, transparency by a colour key. PNG, 3rd edition."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.containers.animation import Part
from cartoonize.media.containers.png_blocks import KNOWN, Blocks

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS = 500_000  # an animation has two or more for every frame
_AFTER = ("keep", "clear", "restore")
_GREY, _RGB, _DEEP = 0, 2, 16
_PIECE = 1 << 20
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # of Adam7


@dataclass
class Png:
    """A PNG taken apart.

    header: IHDR's content. chunks: whole ones, by name, that its picture needs. blocks: what else it says. parts: of
    every frame of an animation what controls it and its data. is_whole: whether its end is there.
    """

    header: bytes
    chunks: dict[bytes, list[bytes]] = field(default_factory=dict)
    blocks: Blocks = field(default_factory=Blocks)
    parts: list[tuple[bytes, list[bytes]]] = field(default_factory=list)
    plays: int | None = None
    is_whole: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = struct.unpack_from(">II", self.header)
        return width, height

    @property
    def is_deep(self) -> bool:
        """Whether it has 16 bits per channel."""
        return self.header[8] == _DEEP

    @property
    def dpi(self) -> tuple[float, float] | None:
        """Its resolution in pixels per inch, None where it states none."""
        content = self.chunks.get(b"pHYs", [b""])[0][8:-4]
        if len(content) != 9 or content[8] != 1:  # 1: by the metre
            return None
        x, y = struct.unpack_from(">II", content)
        return x * 0.0254, y * 0.0254

    def still(self) -> bytes:
        """Return the picture that every viewer shows as a file that holds nothing else."""
        return self._file(self.header, b"".join(self.chunks.get(b"IDAT", [])))

    def opened(self) -> Image.Image:
        """Return the picture with its transparency, loaded; raises what Pillow raises."""
        return self._with_key(self.still())

    def composed_parts(self) -> Iterator[Part]:
        """Yield the frames of an animation."""
        for number, (control, pieces) in enumerate(self.parts):
            width, height, x, y, over, below, after, blend = struct.unpack_from(">4I2H2B", control)
            data = chunk(b"IDAT", b"".join(pieces))
            image = self._with_key(self._file(struct.pack(">II", width, height) + self.header[8:], data))
            name = "clear" if after == 2 and not number else _AFTER[after % 3]
            milliseconds = round(1000 * over / (below or 100))
            what = cast('Literal["keep", "clear", "restore"]', name)
            yield Part(image.convert("RGBA"), x, y, milliseconds, what, bool(blend))

    def missing_rows(self) -> int:
        """Count the rows of pixels that are not there or not whole, unpacking what is."""
        expected = self._unpacked_size()
        lacking = expected - sum(map(len, self._unpacked(expected)))
        return -(-lacking * self.size[1] // expected)

    def fill_up(self) -> None:
        """Fill what is missing of the pixels with zeros."""
        left, packer = self._unpacked_size(), zlib.compressobj(1)
        packed = []
        for piece in self._unpacked(left):
            packed.append(packer.compress(piece))
            left -= len(piece)
        for size in [_PIECE] * (left // _PIECE) + [left % _PIECE]:
            packed.append(packer.compress(bytes(size)))
        self.chunks[b"IDAT"] = [chunk(b"IDAT", b"".join((*packed, packer.flush())))]

    def _unpacked(self, most: int) -> Iterator[bytes]:
        """Yield the unpacked pixels piece by piece, as far as they go."""
        unpacker = zlib.decompressobj()
        for whole in self.chunks.get(b"IDAT", []):
            content = (
                whole[8:-4] if whole.endswith(_crc(whole[4:-4])) else whole[8:]
            )  # the last of a cut file has no sum
            while content and most > 0:
                piece = unpacker.decompress(content, min(most, _PIECE))
                content = unpacker.unconsumed_tail
                most -= len(piece)
                yield piece

    def _unpacked_size(self) -> int:
        """Return how many bytes the pixels are, with the byte of each row that names its filter."""
        width, height = self.size
        bits = self.header[8] * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(self.header[9], 4)
        passes = _PASSES if self.header[12] else ((0, 0, 1, 1),)
        sizes = ((-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in passes)
        return sum(rows * (1 + -(-columns * bits // 8)) for columns, rows in sizes if columns > 0 and rows > 0)

    def _file(self, header: bytes, data: bytes) -> bytes:
        shared = [whole for name in (b"PLTE", b"tRNS", b"pHYs") for whole in self.chunks.get(name, [])[:1]]
        if self._key:
            shared = [whole for whole in shared if whole[4:8] != b"tRNS"]
        return b"".join((SIGNATURE, chunk(b"IHDR", header), *shared, data, chunk(b"IEND", b"")))

    @property
    def _key(self) -> tuple[int, ...]:
        """The one colour that is transparent, in the depth of the file; Pillow knows only keys of 8 bits."""
        content = self.chunks.get(b"tRNS", [b""])[0][8:-4]
        expected = {_GREY: 2, _RGB: 6}.get(self.header[9])
        return struct.unpack(f">{len(content) // 2}H", content) if expected == len(content) else ()

    def _with_key(self, data: bytes) -> Image.Image:
        image = Image.open(BytesIO(data), formats=("PNG",))
        if not self._key:
            return image
        values = _values(image, data if self.is_deep else None)
        depth = self.header[8]
        key = np.array(self._key) * 255 // ((1 << depth) - 1) if depth < 8 else np.array(self._key)
        eight = (values >> (8 if self.is_deep else 0)).astype(np.uint8)
        shown = Image.fromarray(eight if eight.shape[2] == 3 else eight[..., 0])
        shown.putalpha(Image.fromarray(np.where((values == key).all(axis=-1), 0, 255).astype(np.uint8)))
        return shown


def size_of(stream: IO[bytes]) -> tuple[int, int, int] | None:
    """Return (height, width, frames) of a PNG from its header; None where it is none, or may be animated. Rewinds."""
    head = stream.read(1 << 16)
    stream.seek(0)
    if not head.startswith(SIGNATURE) or head[12:16] != b"IHDR" or b"acTL" in head or b"IDAT" not in head:
        return None
    width, height = struct.unpack_from(">II", head, 16)
    return height, width, 1


def take_apart(data: bytes) -> Png:
    """Take the bytes of a PNG apart; raises DecodeError where that is no PNG or made to keep a decoder busy."""
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise DecodeError("a damaged PNG: its header is missing")
    png = Png(data[16:29])
    for count, (name, start, end) in enumerate(_chunks(data)):
        if count > _MOST_CHUNKS:
            raise DecodeError(f"made of more than {_MOST_CHUNKS} chunks: expected a usual PNG")
        if name == b"IEND":
            png.is_whole = True
            break
        if name in (b"PLTE", b"tRNS", b"pHYs", b"IDAT"):
            png.chunks.setdefault(name, []).append(data[start:end])
        if name in (b"acTL", b"fcTL", b"fdAT", b"IDAT"):
            _take_part(png, name, data[start + 8 : end - 4])
        elif name in KNOWN:
            png.blocks.add(name, data[start + 8 : end - 4])
    return png


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + _crc(name + content)


def _crc(content: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(content))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], at, end
        at = end


def _take_part(png: Png, name: bytes, content: bytes) -> None:
    """Take up what makes an animation; a picture before the first control is no frame of it."""
    if name == b"acTL":
        png.plays = int.from_bytes(content[4:8], "big")
    elif name == b"fcTL" and len(content) >= 26 and png.plays is not None:
        png.parts.append((content[4:26], []))
    elif name != b"fcTL" and png.parts:
        png.parts[-1][1].append(content[4:] if name == b"fdAT" else content)


def _values(image: Image.Image, deep: bytes | None) -> NDArray[np.int64]:
    """Return the samples of a grey or RGB picture, int (H, W, C), in 16 bits where `deep` is its file."""
    values = np.asarray(image).astype(int)
    if image.mode == "1":
        values *= 255
    if deep is not None and image.mode == "RGB":  # read as the high bytes: as if turned around they are the low ones
        low = Image.open(BytesIO(deep), formats=("PNG",))
        low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]
        values = values * 256 + np.asarray(low)
    return np.atleast_3d(values)
