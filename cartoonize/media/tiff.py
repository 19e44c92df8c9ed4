"""TIFFs beyond what Pillow reads right: their samples as bytes through libtiff, put together here. TIFF 6.0.

Pillow knows a list of layouts; of others it refuses some and shows some wrong. libtiff behind it unpacks any of them
where the file says that a sample is a byte: so strips and tiles are handed to it in a small file that says so, and
depth, byte order, planes and differences between neighbours are undone with NumPy.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.tags import Directory, TagReader, Value, laid_out, short

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _SAMPLES, _ROWS, _COUNTS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS, _EXTRA, _FORMAT = 322, 323, 324, 325, 338, 339
_GENERAL = {1: "none", 5: "LZW", 8: "deflate", 32773: "PackBits", 32946: "deflate", 34925: "LZMA", 50000: "zstd"}
_WHITE_IS_ZERO, _RGB, _CMYK, _LAB, _ICC_LAB = 0, 2, 5, 8, 9
_KINDS = {1: "u", 2: "i", 3: "f"}
_BAND = 32 << 20  # bytes unpacked at a time


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
        return self.compression in _GENERAL and whole and self.photometric in (0, 1, _RGB, _CMYK, _LAB, _ICC_LAB)

    @property
    def is_beyond_pillow(self) -> bool:
        """Whether Pillow refuses it or shows it wrong."""
        odd = self.depth > 8 or self.kind != "u" or self.photometric in (_LAB, _ICC_LAB)
        return odd or self.planes > 1 or self.is_big

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
        lacking = 0
        for row in range(self.down):
            numbers = (plane * self.across * self.down + row * self.across for plane in range(self.planes))
            places = [self.blocks[first : first + self.across] for first in numbers]
            whole = all(len(some) == self.across and all(_is_there(place, length) for place in some) for some in places)
            lacking += 0 if whole else min(self.block_height, self.height - row * self.block_height)
        return lacking


def layout_of(stream: IO[bytes]) -> Layout | None:
    """Read how a TIFF keeps its main picture; None where its directory makes no sense."""
    reader = TagReader(stream)
    tags = reader.directory(reader.first) if reader.order else {}

    def numbers(tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        return (tags[tag].integers(reader.order) if tag in tags else ()) or default

    def number(tag: int, default: int) -> int:
        return numbers(tag, (default,))[0]

    samples, width, height = number(_SAMPLES, 1), number(_WIDTH, 0), number(_HEIGHT, 0)
    depths, kinds = set(numbers(_BITS, (1,))), set(numbers(_FORMAT, (1,)))
    is_tiled = _TILE_WIDTH in tags
    block = number(_TILE_WIDTH, width), number(_TILE_HEIGHT, height) if is_tiled else min(number(_ROWS, height), height)
    if 0 in (width, height, samples, *block) or len(depths) != 1 or len(kinds) != 1 or samples > 64:
        return None
    places = zip(
        numbers(_TILE_OFFSETS if is_tiled else _OFFSETS), numbers(_TILE_COUNTS if is_tiled else _COUNTS), strict=False
    )
    return Layout(
        reader.order, width, height, depths.pop(), _KINDS.get(kinds.pop(), "u"), samples, number(_PHOTOMETRIC, 1),
        number(_COMPRESSION, 1), number(_PREDICTOR, 1), number(_FILL_ORDER, 1),
        samples if number(_PLANAR, 1) == 2 else 1, numbers(_EXTRA), *block, is_tiled, reader.is_big, tuple(places),
    )  # fmt: skip


def picture_of(stream: IO[bytes], layout: Layout, *, is_cut: bool = False) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture in a mode of 8 bits per channel and its transparency, from a layout that `is_general`.

    Rows that are missing of a cut file are black. Raises DecodeError where the range of the samples is unknown.
    """
    colors = {_RGB: 3, _CMYK: 4, _LAB: 3, _ICC_LAB: 3}.get(layout.photometric, 1)
    if layout.samples < colors:
        raise DecodeError(f"a damaged TIFF: {layout.samples} values a pixel, expected {colors}")
    if layout.depth > 16 and layout.kind != "f":
        raise DecodeError(
            "pixels are 32-bit numbers of unknown range: expected 8 or 16 bits per channel, convert it first"
        )
    samples = _samples(stream, layout, is_cut=is_cut)
    eight, plane = samples[..., :colors], samples[..., colors : colors + 1]
    if layout.photometric == _WHITE_IS_ZERO:
        eight = 255 - eight
    elif layout.photometric == _ICC_LAB:
        eight[..., 1:] ^= 0x80  # signed in the bytes that Pillow takes
    # Four samples of RGB that are not explained are RGBA for every reader.
    meaning = layout.extra[0] if layout.extra else 2 * (layout.photometric == _RGB and layout.samples == 4)
    if plane.size == 0 or meaning not in (1, 2):
        return _image(eight, layout.photometric), None
    if meaning == 1 and layout.photometric in (_WHITE_IS_ZERO, 1, _RGB):  # colours are kept multiplied by it
        eight = np.minimum(eight * np.uint16(255) // np.maximum(plane, np.uint16(1)), 255).astype(np.uint8)
    return _image(eight, layout.photometric), _image(plane, 1)


def _image(pixels: NDArray[np.uint8], photometric: int) -> Image.Image:
    mode = {_RGB: "RGB", _CMYK: "CMYK", _LAB: "LAB", _ICC_LAB: "LAB"}.get(photometric, "L")
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())


def _samples(stream: IO[bytes], layout: Layout, *, is_cut: bool) -> NDArray[np.uint8]:
    """Return the samples in 8 bits, (H, W, samples), unpacked band by band."""
    channels = layout.samples // layout.planes
    per_row = layout.block_width * channels * layout.depth // 8
    rows = 1 if is_cut else max(1, _BAND // (per_row * layout.across * layout.block_height))
    picture = np.zeros((layout.height, layout.width, layout.samples), np.uint8)
    strange = 0
    for plane in range(layout.planes):
        for top in range(0, layout.down, rows):
            count = min(rows, layout.down - top)
            first = (plane * layout.down + top) * layout.across
            begin = top * layout.block_height
            height = count * layout.block_height
            height = height if layout.is_tiled else min(height, layout.height - begin)  # the last strip may be lower
            try:
                raw = _unpacked(stream, layout, layout.blocks[first : first + count * layout.across], per_row, height)
            except OSError:
                if is_cut:
                    continue
                raise
            band = _restored(raw, layout, channels)[: layout.height - begin, : layout.width]
            strange += int(np.count_nonzero(~((band > -0.1) & (band < 2)))) if layout.kind == "f" else 0
            picture[begin : begin + len(band), :, plane : plane + channels] = _scaled(band, layout.depth)
    if strange * 10 > picture.size:
        raise DecodeError("pixels are floating-point numbers of unknown range: expected 0 to 1, convert it first")
    return picture


def _unpacked(
    stream: IO[bytes], layout: Layout, places: tuple[tuple[int, int], ...], per_row: int, rows: int
) -> NDArray[np.uint8]:
    """Return the bytes of blocks that are `rows` high together, (rows, blocks across, bytes of a block's row)."""
    pieces = []
    for offset, size in places:
        stream.seek(offset)
        pieces.append(stream.read(size))
    if layout.compression == 1 and not layout.is_tiled:
        data = b"".join(piece[: layout.block_height * per_row] for piece in pieces)
        flat = np.frombuffer(data[: rows * per_row].ljust(rows * per_row, b"\0"), np.uint8)
    else:
        pieces += [b""] * (-(-rows // layout.block_height) * layout.across - len(pieces))
        with Image.open(BytesIO(_small_file(layout, pieces, per_row, rows)), formats=("TIFF",)) as image:
            flat = np.asarray(image)
    return flat.reshape(rows, layout.across, per_row)


def _small_file(layout: Layout, pieces: list[bytes], per_row: int, rows: int) -> bytes:
    """Return a TIFF of bytes, grey ones, made of packed strips or tiles."""
    offsets = np.cumsum([8, *map(len, pieces)])[:-1]
    code = layout.order + f"{len(pieces)}I"
    places, counts = (Value(4, len(pieces), struct.pack(code, *some)) for some in (offsets, map(len, pieces)))

    def long(number: int) -> Value:
        return Value(4, 1, struct.pack(layout.order + "I", number))

    tags: Directory = {_WIDTH: long(per_row * layout.across), _HEIGHT: long(rows)}
    tags |= {_BITS: short(8, layout.order), _SAMPLES: short(1, layout.order), _PHOTOMETRIC: short(1, layout.order)}
    tags |= {_COMPRESSION: short(layout.compression, layout.order), _FILL_ORDER: short(layout.fill_order, layout.order)}
    if layout.is_tiled:
        tags |= {_TILE_WIDTH: long(per_row), _TILE_HEIGHT: long(layout.block_height)}
        tags |= {_TILE_OFFSETS: places, _TILE_COUNTS: counts}
    else:
        tags |= {_ROWS: long(layout.block_height), _OFFSETS: places, _COUNTS: counts}
    body = b"".join(pieces)
    start = 8 + len(body) + len(body) % 2
    mark = b"II*\0" if layout.order == "<" else b"MM\0*"
    head = mark + struct.pack(layout.order + "I", start)
    return (head + body).ljust(start, b"\0") + laid_out({-1: tags}, layout.order, start)


def _restored(raw: NDArray[np.uint8], layout: Layout, channels: int) -> NDArray[Any]:
    """Undo byte order and predictor: (rows, blocks across, bytes) -> the samples, (rows, width, channels)."""
    size = layout.depth // 8
    shape = (*raw.shape[:2], -1, channels)
    if layout.predictor == 3:  # bytes of a row by significance, then differences: TIFF Technical Note 3
        planes = raw.reshape(shape).cumsum(axis=2, dtype=np.uint8).reshape(*raw.shape[:2], size, -1)
        values = np.ascontiguousarray(planes.swapaxes(2, 3)).view(f">{layout.kind}{size}").reshape(shape)
    else:
        values = raw.view(f"{layout.order}{layout.kind}{size}").reshape(shape)
    if layout.predictor == 2:
        values = values.cumsum(axis=2, dtype=np.dtype(f"u{size}")).view(f"{layout.kind}{size}")
    return values.reshape(raw.shape[0], -1, channels)


def _scaled(samples: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    """Bring samples to 8 bits: integers by their high byte, signed ones from 0 on, floating-point ones from 0 to 1."""
    if samples.dtype.kind == "f":
        values = np.nan_to_num(samples.astype(np.float32), nan=0.0)
        return (values.clip(0, 1) * 255 + 0.5).astype(np.uint8)
    if samples.dtype.kind == "i":
        samples = samples.clip(0) << 1
    eight: NDArray[np.uint8] = (samples >> (depth - 8)).astype(np.uint8)
    return eight


def _is_there(place: tuple[int, int], length: int) -> bool:
    return place[1] > 0 and place[0] + place[1] <= length
