"""How a TIFF keeps its picture: what its directory says, and what of it is there. TIFF 6.0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from cartoonize.media.containers.tags import TagReader

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
OFFSETS, SAMPLES, ROWS, COUNTS, PLANAR, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS, EXTRA, FORMAT = 322, 323, 324, 325, 338, 339
"""Tags."""

WHITE_IS_ZERO, RGB, CMYK, LAB, ICC_LAB = 0, 2, 5, 8, 9
"""Photometric interpretations."""

WEBP = 50001
"""The compression whose strips and tiles are files of their own."""

_GENERAL = {1: "none", 5: "LZW", 8: "deflate", 32773: "PackBits", 32946: "deflate", 34925: "LZMA", 50000: "zstd"}
_GENERAL |= {WEBP: "WebP"}
_KINDS = {1: "u", 2: "i", 3: "f"}


@dataclass(frozen=True)
class Layout:
    """How a TIFF keeps its main picture; `blocks` are the places of its strips or tiles, (offset, bytes) each."""

    order: str
    width: int
    height: int
    depth: int
    kind: str
    samples: int
    photometric: int
    compression: int
    predictor: int
    fill_order: int
    planes: int
    extra: tuple[int, ...]
    block_width: int
    block_height: int
    is_tiled: bool
    is_big: bool
    blocks: tuple[tuple[int, int], ...]

    @property
    def is_general(self) -> bool:
        """Whether `samples_of` can read it: whole bytes in a compression that is not for pictures."""
        whole = self.depth in (8, 16, 32, 64) if self.kind != "f" else self.depth in (16, 32, 64)
        return self.compression in _GENERAL and whole and self.photometric in (0, 1, RGB, CMYK, LAB, ICC_LAB)

    @property
    def is_beyond_pillow(self) -> bool:
        """Whether Pillow refuses it or shows it wrong."""
        odd = self.depth > 8 or self.kind != "u" or self.photometric in (LAB, ICC_LAB)
        return odd or self.planes > 1 or self.is_big or self.compression == WEBP

    @property
    def row_bytes(self) -> int:
        """Size of a row of a strip or tile that is not packed."""
        return self.block_width * (self.samples // self.planes) * self.depth // 8

    @property
    def across(self) -> int:
        """Number of blocks beside each other."""
        return -(-self.width // self.block_width)

    @property
    def down(self) -> int:
        """Number of blocks above each other in a plane."""
        return -(-self.height // self.block_height)

    def missing_rows(self, length: int) -> int:
        """Return how many rows of pixels are not there in a file of `length` bytes."""
        listed = max(0, len(self.blocks) - (self.planes - 1) * self.across * self.down) // self.across
        listed = min(listed, self.down)  # a height of four thousand million costs no loop
        lacking = max(0, self.height - listed * self.block_height)
        for row in range(listed):
            rows = min(self.block_height, self.height - row * self.block_height)
            # What is not packed has its size, whatever the file counts; the last strip may be lower.
            size = self.row_bytes * (self.block_height if self.is_tiled else rows)
            size = size if self.compression == 1 and self.is_general else 0
            numbers = (plane * self.across * self.down + row * self.across for plane in range(self.planes))
            places = [self.blocks[first : first + self.across] for first in numbers]
            whole = all(
                len(some) == self.across and all(_is_there(*at, size, length) for at in some) for some in places
            )
            lacking += 0 if whole else rows - self._rows_there(places, size, length)
        return lacking

    def _rows_there(self, places: list[tuple[tuple[int, int], ...]], size: int, length: int) -> int:
        """Return how many rows of strips are there that are cut: of those that are not packed."""
        if not size or self.is_tiled or not all(places):
            return 0
        return max(0, min((length - some[0][0]) // self.row_bytes for some in places))


def layout_of(stream: IO[bytes]) -> Layout | None:
    """Read how a TIFF keeps its main picture; None where its directory makes no sense."""
    reader = TagReader(stream)
    tags = reader.directory(reader.first) if reader.order else {}

    def numbers(tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        return (tags[tag].integers(reader.order) if tag in tags else ()) or default

    def number(tag: int, default: int) -> int:
        return numbers(tag, (default,))[0]

    samples, width, height = number(SAMPLES, 1), number(WIDTH, 0), number(HEIGHT, 0)
    depths, kinds = set(numbers(BITS, (1,))), set(numbers(FORMAT, (1,)))
    is_tiled = TILE_WIDTH in tags
    block = number(TILE_WIDTH, width), number(TILE_HEIGHT, height) if is_tiled else min(number(ROWS, height), height)
    if 0 in (width, height, samples, *block) or len(depths) != 1 or len(kinds) != 1 or samples > 64:
        return None
    places = zip(
        numbers(TILE_OFFSETS if is_tiled else OFFSETS), numbers(TILE_COUNTS if is_tiled else COUNTS), strict=False
    )
    return Layout(
        reader.order, width, height, depths.pop(), _KINDS.get(kinds.pop(), "u"), samples, number(PHOTOMETRIC, 1),
        number(COMPRESSION, 1), number(PREDICTOR, 1), number(FILL_ORDER, 1),
        samples if number(PLANAR, 1) == 2 else 1, numbers(EXTRA), *block, is_tiled, reader.is_big, tuple(places),
    )  # fmt: skip


def _is_there(offset: int, count: int, size: int, length: int) -> bool:
    """Whether a block of `size` bytes, or of those the file counts, lies in a file of `length`."""
    return count > 0 and offset + (size or count) <= length
