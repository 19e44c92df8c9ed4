"""TIFFs of every layout that tifffile writes, against the samples that it was given."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.codec import decode
from cartoonize.media.containers.tags import TagReader, Value, laid_out

from .test_color import decoded_curve

Samples = NDArray[Any]


def colours(height: int = 50, width: int = 70, channels: int = 3) -> Samples:
    """A picture in 8 bits; no two channels are alike."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 3, y * 5, 255 - x * 2 - y, (x * y) % 256][:channels]
    return np.stack(planes, -1).clip(0, 255).astype(np.uint8)


def tiff(samples: Samples, **arguments: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, samples, metadata=None, **arguments)
    return stream.getvalue()


def with_tags(data: bytes, changed: dict[int, Value | None], compression: str | None = None) -> bytes:
    """The same file with other tags in its directory."""
    reader = TagReader(io.BytesIO(data))
    tags = reader.directory(reader.first) | changed
    kept = {tag: value for tag, value in tags.items() if value is not None}
    start = len(data) + len(data) % 2
    return data[:4] + struct.pack("<I", start) + data[8:].ljust(start - 8, b"\0") + laid_out({-1: kept}, "<", start)


DEPTHS = {"u1": 1, "u2": 257, "f4": 1, "f2": 1}


def deep(samples: Samples, kind: str) -> Samples:
    """The same in another kind of number; floating-point ones are light."""
    if kind.startswith("f"):
        return np.concatenate([decoded_curve(samples[..., :3]), samples[..., 3:] / 255], -1).astype(kind)
    return (samples.astype(float) * DEPTHS[kind]).astype(kind)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("tile", [None, (32, 48)])
@pytest.mark.parametrize("kind", DEPTHS)
def test_rgb_in_every_layout(order: str, planar: str, compression: str | None, tile: Any, kind: str) -> None:
    expected = colours()
    samples = deep(expected, kind)
    if planar == "separate":
        samples = np.moveaxis(samples, -1, 0)
    data = tiff(samples, byteorder=order, photometric="rgb", planarconfig=planar, compression=compression, tile=tile)
    pixels = decode(data).frames[0].pixels
    assert np.abs(pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("rows", [None, 7])
def test_differences_of_neighbours_are_undone(order: str, kind: str, rows: int | None) -> None:
    expected = colours()
    samples = deep(expected, kind)
    data = tiff(samples, byteorder=order, photometric="rgb", compression="zlib", predictor=True, rowsperstrip=rows)
    assert np.abs(decode(data).frames[0].pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_differences_of_floating_point_numbers_are_undone(compression: str) -> None:
    """As libtiff writes them."""
    expected = colours(channels=1)[..., 0]
    stream = io.BytesIO()
    Image.fromarray(deep(expected[..., None], "f4")[..., 0]).save(
        stream, "TIFF", compression=compression, tiffinfo={317: 3}
    )
    assert TagReader(stream).directory(TagReader(stream).first)[317].integers("<") == (3,)
    assert np.abs(decode(stream.getvalue()).frames[0].pixels[..., 0].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "lzma", "zstd"])
def test_planes_of_16_bits_in_every_compression(compression: str) -> None:
    """Three grey pictures of libtiff's make one of three planes."""
    expected = colours()
    planes = []
    for channel in range(3):
        stream = io.BytesIO()
        plane = Image.fromarray(expected[..., channel].astype(np.uint16) * 257)
        try:
            plane.save(stream, "TIFF", compression=compression)
        except OSError:
            pytest.skip(f"this Pillow's libtiff does not write {compression}")
        planes.append(stream.getvalue())
    data, offsets, counts = b"II*\0\0\0\0\0", [], []
    for plane_data in planes:
        reader = TagReader(io.BytesIO(plane_data))
        tags = reader.directory(reader.first)
        for offset, count in zip(tags[273].integers("<"), tags[279].integers("<"), strict=True):
            offsets.append(len(data))
            counts.append(count)
            data += plane_data[offset : offset + count] + bytes(count % 2)

    def longs(numbers: list[int]) -> Value:
        return Value(4, len(numbers), struct.pack(f"<{len(numbers)}I", *numbers))

    tags |= {273: longs(offsets), 279: longs(counts), 277: longs([3]), 284: longs([2]), 262: longs([2])}
    tags |= {258: Value(3, 3, struct.pack("<3H", 16, 16, 16))}
    tags.pop(339, None)
    data = data[:4] + struct.pack("<I", len(data)) + data[8:] + laid_out({-1: tags}, "<", len(data))
    assert (decode(data).frames[0].pixels == expected).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_bigtiff(order: str, kind: str) -> None:
    data = tiff(deep(colours(), kind), byteorder=order, photometric="rgb", bigtiff=True)
    assert (decode(data).frames[0].pixels == colours()).all()


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_alpha_in_every_layout(kind: str, channels: int, planar: str) -> None:
    expected = colours(channels=channels)
    samples = deep(expected, kind)
    if channels == 2 and kind == "f4":
        samples[..., 1] = expected[..., 1] / 255
    samples = np.moveaxis(samples, -1, 0) if planar == "separate" else samples
    data = tiff(
        samples.squeeze(),
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig=planar if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
    )
    frame = decode(data).frames[0]
    seen = expected[..., :3] if channels > 2 else np.repeat(expected[..., :1], 3, axis=2)
    assert np.abs(frame.pixels.astype(int) - seen).max() <= 1
    assert (frame.alpha is not None) == (channels in (2, 4))
    if frame.alpha is not None:
        assert np.abs(frame.alpha.astype(int) - expected[..., -1]).max() <= 1


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_colours_multiplied_by_alpha_are_divided(kind: str) -> None:
    samples = deep(np.array([[[50, 25, 0, 100], [0, 0, 0, 0], [9, 9, 9, 255]]]), kind)
    frame = decode(tiff(samples, photometric="rgb", extrasamples=["assocalpha"])).frames[0]
    assert np.abs(frame.pixels[0, [0, 2]].astype(int) - [[127, 63, 0], [9, 9, 9]]).max() <= 1


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("photometric", ["cielab", "icclab"])
@pytest.mark.parametrize("alpha", [False, True])
def test_lab_in_every_layout(kind: str, photometric: str, alpha: bool) -> None:
    """Red, as L*a*b* 53, 80, 67, and a grey."""
    a, b = (80, 67) if photometric == "cielab" else (80 + 128, 67 + 128)
    grey = 0 if photometric == "cielab" else 128
    samples = np.array([[[53 * 255 // 100, a, b, 100], [128, grey, grey, 200]]], np.uint8)[..., : 3 + alpha]
    samples = samples.astype(kind) * (256 if kind == "u2" else 1)
    data = tiff(samples, photometric=photometric, extrasamples=["unassalpha"] if alpha else None, planarconfig="contig")
    frame = decode(data).frames[0]
    assert np.abs(frame.pixels[0].astype(int) - [[255, 0, 0], [119, 119, 119]]).max() <= 10
    assert (frame.alpha is not None) == alpha
    if frame.alpha is not None:
        assert frame.alpha.tolist() == [[100, 200]]


def test_a_colour_map_of_8_bits_instead_of_16() -> None:
    index = np.arange(256, dtype=np.uint8).reshape(16, 16)
    table = np.stack([np.arange(256) * 7 % 256, 255 - np.arange(256), np.arange(256)])
    wide = tiff(index, photometric="palette", colormap=(table * 257).astype(np.uint16))
    narrow = tiff(index, photometric="palette", colormap=table.astype(np.uint16))
    for data in (wide, narrow):
        assert (decode(data).frames[0].pixels == table.T[index]).all()


def test_white_is_zero_at_16_bits() -> None:
    data = tiff(np.array([[0, 0x8000, 0xFFFF]], np.uint16), photometric="miniswhite")
    assert decode(data).frames[0].pixels[0, :, 0].tolist() == [255, 127, 0]


def test_numbers_of_unknown_range_are_refused() -> None:
    for samples in (np.full((4, 4), 900, "f4"), np.full((4, 4), np.nan, "f4"), np.full((4, 4), 9, "u4")):
        with pytest.raises(DecodeError, match="unknown range"):
            decode(tiff(samples, photometric="minisblack"))


def test_a_few_highlights_beyond_white_are_white() -> None:
    samples = np.full((20, 20), 0.5, "f4")
    samples[0] = 7
    assert decode(tiff(samples, photometric="minisblack")).frames[0].pixels[:2, 0, 0].tolist() == [255, 188]


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_tiff_that_lacks_rows_says_how_many_and_is_done_when_asked(kind: str, compression: str | None) -> None:
    expected = colours(64, 50)
    data = tiff(deep(expected, kind), photometric="rgb", rowsperstrip=8, compression=compression)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        cut = page.dataoffsets[5] - 3  # type: ignore[union-attr]
    # The directory stands before the pixels, so that a cut file still has it.
    assert TagReader(io.BytesIO(data)).first < cut
    there = 32 if compression else 39  # of a strip that is packed nothing is taken
    with pytest.raises(DecodeError, match=f"cut short: {64 - there} of its 64 rows"):
        decode(data[:cut])
    salvaged = decode(data[:cut], salvage=True).frames[0].pixels
    assert (salvaged[:there] == expected[:there]).all()
    assert (salvaged[40:] == 0).all()


def test_a_height_of_four_thousand_million_is_no_loop() -> None:
    data = bytearray(tiff(colours(64, 50), photometric="rgb", rowsperstrip=1))
    entry = (
        data.index(struct.pack("<HHI", 257, 4, 1))
        if (short := data.find(struct.pack("<HHI", 257, 3, 1))) < 0
        else short
    )
    struct.pack_into("<HHII", data, entry, 257, 4, 1, 0xFFFFFFFF)
    with pytest.raises(DecodeError):
        decode(bytes(data))


def test_of_several_pages_the_first_is_taken_and_said() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for page in (colours(), 255 - colours()):
            writer.write(page, photometric="rgb", metadata=None)
    photo = decode(stream.getvalue())
    assert (photo.frames[0].pixels == colours()).all()
    assert photo.notes == ("only the first of its pages is used",)


def test_orientation_written_as_a_byte_turns() -> None:
    data = with_tags(tiff(colours(), photometric="rgb"), {274: Value(1, 1, b"\6")})
    assert decode(data).frames[0].pixels.shape == (70, 50, 3)


def test_tags_of_places_are_named() -> None:
    data = with_tags(tiff(colours(), photometric="rgb"), {33550: Value(12, 3, struct.pack("<3d", 1, 1, 0))})
    assert decode(data).notes == ("left out: its GeoTIFF tags",)


def test_what_is_not_packed_is_there_whatever_the_file_counts() -> None:
    data = tiff(deep(colours(), "u2"), photometric="rgb")
    few = with_tags(data, {279: Value(4, 1, struct.pack("<I", 10))})
    assert (decode(few).frames[0].pixels == colours()).all()
