"""TIFFs beyond what Pillow reads right: their samples as bytes through libtiff, put together here. TIFF 6.0.

Pillow knows a list of layouts; of others it refuses some and shows some wrong. libtiff behind it unpacks any of them
where the file says that a sample is a byte: so strips and tiles are handed to it in a small file that says so, and
depth, byte order, planes and differences between neighbours are undone with NumPy.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.containers import tiff_layout
from cartoonize.media.containers.tags import Directory, Value, laid_out, short
from cartoonize.media.containers.tiff_layout import Layout
from cartoonize.media.profiles import from_light

_BAND = 32 << 20  # bytes unpacked at a time


def picture_of(stream: IO[bytes], layout: Layout, *, is_cut: bool = False) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture in a mode of 8 bits per channel and its transparency, from a layout that `is_general`.

    Rows that are missing of a cut file are black. Raises DecodeError where the range of the samples is unknown.
    """
    colors = {tiff_layout.RGB: 3, tiff_layout.CMYK: 4, tiff_layout.LAB: 3, tiff_layout.ICC_LAB: 3}.get(
        layout.photometric, 1
    )
    if layout.samples < colors:
        raise DecodeError(f"a damaged TIFF: {layout.samples} values a pixel, expected {colors}")
    if layout.depth > 16 and layout.kind != "f":
        raise DecodeError(
            "pixels are 32-bit numbers of unknown range: expected 8 or 16 bits per channel, convert it first"
        )
    samples = _samples(stream, layout, colors, is_cut=is_cut)
    eight, plane = samples[..., :colors], samples[..., colors : colors + 1]
    if layout.photometric == tiff_layout.WHITE_IS_ZERO:
        eight = 255 - eight
    elif layout.photometric == tiff_layout.ICC_LAB:
        eight[..., 1:] ^= 0x80  # signed in the bytes that Pillow takes
    # Four samples of RGB that are not explained are RGBA for every reader.
    meaning = layout.extra[0] if layout.extra else 2 * (layout.photometric == tiff_layout.RGB and layout.samples == 4)
    if plane.size == 0 or meaning not in (1, 2):
        return _image(eight, layout.photometric), None
    if meaning == 1 and layout.photometric in (
        tiff_layout.WHITE_IS_ZERO,
        1,
        tiff_layout.RGB,
    ):  # colours are kept multiplied by it
        eight = np.minimum(eight * np.uint16(255) // np.maximum(plane, np.uint16(1)), 255).astype(np.uint8)
    return _image(eight, layout.photometric), _image(plane, 1)


def _image(pixels: NDArray[np.uint8], photometric: int) -> Image.Image:
    mode = {tiff_layout.RGB: "RGB", tiff_layout.CMYK: "CMYK", tiff_layout.LAB: "LAB", tiff_layout.ICC_LAB: "LAB"}.get(
        photometric, "L"
    )
    height, width = pixels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())


def _samples(stream: IO[bytes], layout: Layout, colors: int, *, is_cut: bool) -> NDArray[np.uint8]:
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
            if layout.photometric == tiff_layout.LAB:  # lightness is unsigned whatever the file says of all three
                band = band.view(f"u{layout.depth // 8}")
            eight = _scaled(band, layout.depth, max(0, colors - plane))
            picture[begin : begin + len(band), :, plane : plane + channels] = eight
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
        pieces.append(stream.read(max(size, layout.block_height * per_row) if layout.compression == 1 else size))
    if layout.compression == 1 and not layout.is_tiled:
        data = b"".join(piece[: layout.block_height * per_row] for piece in pieces)
        flat = np.frombuffer(data[: rows * per_row].ljust(rows * per_row, b"\0"), np.uint8)
    elif len(pieces) < -(-rows // layout.block_height) * layout.across or _is_any_cut(pieces, places):
        raise OSError("truncated")  # libtiff would say so on standard error
    elif layout.compression == tiff_layout.WEBP:
        flat = _web_pictures(pieces, (rows, layout.across, per_row), layout)
    else:
        with Image.open(BytesIO(_small_file(layout, pieces, per_row, rows)), formats=("TIFF",)) as image:
            flat = np.asarray(image)
    return flat.reshape(rows, layout.across, per_row)


def _is_any_cut(pieces: list[bytes], places: tuple[tuple[int, int], ...]) -> bool:
    return any(len(piece) < max(size, 1) for piece, (_, size) in zip(pieces, places, strict=True))


def _web_pictures(pieces: list[bytes], shape: tuple[int, int, int], layout: Layout) -> NDArray[np.uint8]:
    """Unpack strips or tiles that are WebPs each, which libtiff in Pillow is built without."""
    result = np.zeros(shape, np.uint8)
    mode = "RGBA" if layout.samples == 4 else "RGB"
    for index, piece in enumerate(pieces):
        with Image.open(BytesIO(piece), formats=("WEBP",)) as image:
            pixels = np.asarray(image.convert(mode)).reshape(image.height, -1)
        top, column = divmod(index, layout.across)
        top *= layout.block_height
        target = result[top : top + layout.block_height, column]
        target[: len(pixels), : pixels.shape[1]] = pixels[: len(target), : target.shape[1]]
    return result


def _small_file(layout: Layout, pieces: list[bytes], per_row: int, rows: int) -> bytes:
    """Return a TIFF of bytes, grey ones, made of packed strips or tiles."""
    offsets = np.cumsum([8, *map(len, pieces)])[:-1]
    code = layout.order + f"{len(pieces)}I"
    places, counts = (Value(4, len(pieces), struct.pack(code, *some)) for some in (offsets, map(len, pieces)))

    def long(number: int) -> Value:
        return Value(4, 1, struct.pack(layout.order + "I", number))

    tags: Directory = {tiff_layout.WIDTH: long(per_row * layout.across), tiff_layout.HEIGHT: long(rows)}
    tags |= {
        tiff_layout.BITS: short(8, layout.order),
        tiff_layout.SAMPLES: short(1, layout.order),
        tiff_layout.PHOTOMETRIC: short(1, layout.order),
    }
    tags |= {
        tiff_layout.COMPRESSION: short(layout.compression, layout.order),
        tiff_layout.FILL_ORDER: short(layout.fill_order, layout.order),
    }
    if layout.is_tiled:
        tags |= {tiff_layout.TILE_WIDTH: long(per_row), tiff_layout.TILE_HEIGHT: long(layout.block_height)}
        tags |= {tiff_layout.TILE_OFFSETS: places, tiff_layout.TILE_COUNTS: counts}
    else:
        tags |= {tiff_layout.ROWS: long(layout.block_height), tiff_layout.OFFSETS: places, tiff_layout.COUNTS: counts}
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
    elif layout.predictor == 2:
        values = raw.view(f"{layout.order}u{size}").reshape(shape)
        values = values.cumsum(axis=2, dtype=np.dtype(f"u{size}")).view(f"{layout.kind}{size}")
    else:
        values = raw.view(f"{layout.order}{layout.kind}{size}").reshape(shape)
    return values.reshape(raw.shape[0], -1, channels)


def _scaled(samples: NDArray[Any], depth: int, colors: int) -> NDArray[np.uint8]:
    """Bring samples to 8 bits: integers by their high byte, signed ones from 0 on, floating-point ones from 0 to 1.

    Of those the first `colors` channels are light, encoded by sRGB's curve, and the others are not.
    """
    if samples.dtype.kind == "f":
        values = np.nan_to_num(samples.astype(np.float32), nan=0.0)
        plain = (values[..., colors:].clip(0, 1) * 255 + 0.5).astype(np.uint8)
        return np.concatenate([from_light(values[..., :colors]), plain], axis=-1)
    if samples.dtype.kind == "i":
        samples = samples.clip(0) << 1
    eight: NDArray[np.uint8] = (samples >> (depth - 8)).astype(np.uint8)
    return eight
