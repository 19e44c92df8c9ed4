"""Containers of PNGs: blocks, colour keys, animations, cut files."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.codec import EncodeOptions, decode, encode
from cartoonize.media.containers import png

from .test_color import P3_TO_XYZ, icc

GREY, RGB, PALETTE = 0, 2, 3


def written(colour_type: int, depth: int, rows: NDArray[np.uint16], *chunks: bytes, interlaced: bool = False) -> bytes:
    """Write a PNG by hand; `rows` are samples, (H, W, channels)."""
    height, width = rows.shape[:2]
    if depth == 16:
        packed = rows.astype(">u2").reshape(height, -1).view(np.uint8)
    else:
        bits = np.unpackbits(rows.astype(np.uint8).reshape(height, -1, 1), axis=2)[:, :, 8 - depth :]
        packed = np.packbits(bits.reshape(height, -1), axis=1)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in packed))
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced)
    body = png.chunk(b"IHDR", header) + b"".join(chunks) + png.chunk(b"IDAT", data) + png.chunk(b"IEND", b"")
    return png.SIGNATURE + body


def gamma_chunk(value: int) -> bytes:
    return png.chunk(b"gAMA", struct.pack(">I", value))


def chromaticities_chunk(*values: float) -> bytes:
    return png.chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_colour_key_of_grey_at_every_depth(depth: int) -> None:
    most = (1 << depth) - 1
    samples = np.array([[0, most, most // 3, most // 2]], np.uint16)[..., None]
    for key in {0, most, most // 3, most // 2}:
        frame = decode(written(GREY, depth, samples, png.chunk(b"tRNS", struct.pack(">H", key)))).frames[0]
        assert frame.alpha is not None
        assert frame.alpha[0].tolist() == [0 if value == key else 255 for value in samples[0, :, 0]]
        assert np.abs(frame.pixels[0, :, 0].astype(int) - samples[0, :, 0] * 255.0 / most).max() <= 1


@pytest.mark.parametrize("depth", [8, 16])
def test_a_colour_key_of_rgb_is_the_whole_colour(depth: int) -> None:
    """In 16 bits two colours with the same high bytes are two colours."""
    low = (1, 2) if depth == 8 else (0x1201, 0x1202)
    samples = np.array([[[low[0], 5, 9], [low[1], 5, 9], [0, 0, 0]]], np.uint16)
    frame = decode(written(RGB, depth, samples, png.chunk(b"tRNS", struct.pack(">HHH", low[1], 5, 9)))).frames[0]
    assert frame.alpha is not None
    assert frame.alpha.tolist() == [[255, 0, 255]]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_transparency_of_a_palette_at_every_depth(depth: int) -> None:
    palette = png.chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 255]))
    frame = decode(
        written(PALETTE, depth, np.array([[[0], [1]]], np.uint16), palette, png.chunk(b"tRNS", b"\x40"))
    ).frames[0]
    assert frame.pixels.tolist() == [[[255, 0, 0], [0, 0, 255]]]
    assert frame.alpha is not None
    assert frame.alpha.tolist() == [[64, 255]]


def test_a_profile_of_more_than_a_mebibyte_counts() -> None:
    """What is padding here are tables in real profiles of printers."""
    profile = bytearray(icc(matrix=P3_TO_XYZ) + np.random.default_rng(0).bytes(1_500_000))
    profile[:4] = struct.pack(">I", len(profile))
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (200, 30, 30)).save(
        stream, "PNG", icc_profile=bytes(profile), exif=b"Exif\0\0MM\0*" + bytes(9)
    )
    photo = decode(stream.getvalue())
    assert photo.notes[0] == "converted from Display P3 (RGB) to sRGB"
    assert photo.frames[0].pixels[0, 0, 0] > 210


def raw_profile(kind: str, block: bytes) -> bytes:
    text = f"\n{kind}\n{len(block):8}\n".encode() + b"\n".join(
        block.hex().encode()[i : i + 72] for i in range(0, 2 * len(block), 72)
    )
    return png.chunk(b"zTXt", f"Raw profile type {kind}".encode() + b"\0\0" + zlib.compress(text + b"\n"))  # fmt: skip


def test_blocks_as_imagemagick_writes_them() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    iptc = b"\x1c\x02\x78\0\x04Text"
    resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0"
    chunks = [raw_profile("APP1", exif.tobytes()), raw_profile("xmp", xmp), raw_profile("8bim", resource)]
    photo = decode(written(RGB, 8, np.zeros((2, 3, 3), np.uint16), *chunks))
    assert photo.frames[0].pixels.shape == (3, 2, 3)
    assert photo.metadata.exif is not None
    assert b"Maker" in photo.metadata.exif
    assert photo.metadata.xmp == xmp
    assert photo.metadata.iptc == iptc


def test_texts_are_carried_in_a_png_and_named_elsewhere() -> None:
    chunks = (png.chunk(b"tEXt", b"Author\0Jos\xe9"), png.chunk(b"iTXt", "Title\0\0\0\0\0東京".encode()))
    photo = decode(written(GREY, 8, np.zeros((2, 2, 1), np.uint16), *chunks))
    assert photo.metadata.texts == (("Author", "José"), ("Title", "東京"))
    assert decode(encode(photo, EncodeOptions("PNG")).data).metadata.texts == photo.metadata.texts
    assert encode(photo, EncodeOptions("JPEG")).notes == ("left out: its texts: JPEG holds none",)


@pytest.mark.parametrize("lacking", [4, 12])
def test_a_png_without_its_last_chunk_is_whole(lacking: int) -> None:
    data = written(RGB, 8, np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint16))
    photo = decode(data[:-lacking])
    assert photo.notes == ("its end is missing, but none of its pixels",)
    assert (photo.frames[0].pixels == decode(data).frames[0].pixels).all()


def test_a_png_that_lacks_rows_says_how_many_and_is_done_when_asked() -> None:
    data = written(RGB, 8, np.random.default_rng(0).integers(0, 256, (100, 64, 3), np.uint16))
    cut = data[: len(data) // 2]
    with pytest.raises(DecodeError, match=r"cut short: 5[0-2] of its 100 rows"):
        decode(cut)
    salvaged, whole = (photo.frames[0].pixels for photo in (decode(cut, salvage=True), decode(data)))
    assert (salvaged[:48] == whole[:48]).all()
    assert (salvaged[52:] == 0).all()


def animation(*parts: tuple[int, int, int, int, int, int, tuple[int, ...]], size: tuple[int, int] = (8, 8)) -> bytes:
    """An APNG written by hand: parts are x, y, width, height, dispose, blend, RGBA."""
    header = struct.pack(">IIBBBBB", *size, 8, 6, 0, 0, 0)
    out, number = [png.SIGNATURE, png.chunk(b"IHDR", header), png.chunk(b"acTL", struct.pack(">II", len(parts), 0))], 0
    for index, (x, y, width, height, dispose, blend, colour) in enumerate(parts):
        control = struct.pack(">IIIIIHHBB", number, width, height, x, y, 1, 10, dispose, blend)
        data = zlib.compress((b"\0" + bytes(colour) * width) * height)
        number += 1
        out.append(png.chunk(b"fcTL", control))
        out.append(png.chunk(b"fdAT", struct.pack(">I", number) + data) if index else png.chunk(b"IDAT", data))
        number += index > 0
    return b"".join((*out, png.chunk(b"IEND", b"")))


def test_disposal_and_blending_of_an_apng() -> None:
    red, clear, half = (255, 0, 0, 255), (0, 0, 0, 0), (0, 0, 255, 128)
    photo = decode(
        animation(
            (0, 0, 8, 8, 0, 0, red), (2, 2, 2, 2, 1, 0, clear), (4, 4, 2, 2, 2, 1, half), (0, 0, 1, 1, 0, 1, clear)
        )
    )
    at = [
        [(frame.alpha[y, x] if frame.alpha is not None else 255) for x, y in ((0, 0), (2, 2), (4, 4))]
        for frame in photo.frames
    ]
    assert at == [[255, 255, 255], [255, 0, 255], [255, 0, 255], [255, 0, 255]]
    assert photo.frames[2].pixels[4, 4].tolist() == [127, 0, 128]  # laid over red
    assert photo.frames[3].pixels[4, 4].tolist() == [255, 0, 0]  # and brought back
    assert [frame.duration for frame in photo.frames] == [100] * 4


def test_an_animation_of_very_many_frames_is_refused() -> None:
    with pytest.raises(DecodeError, match="animation of 10001 frames"):
        decode(animation(*[(0, 0, 1, 1, 0, 0, (0, 0, 0, 0))] * 10_001))


@pytest.mark.parametrize("kind", [GREY, RGB])
def test_pixels_that_end_before_the_file_does_are_missing(kind: int) -> None:
    """The end is there, and the packed data are sound: there are only too few of them."""
    samples = np.random.default_rng(0).integers(1, 256, (100, 64, 3 if kind else 1), np.uint16)
    header = struct.pack(">IIBBBBB", 64, 100, 8, kind, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in samples[:30])
    body = (png.chunk(b"IHDR", header), png.chunk(b"IDAT", zlib.compress(rows)), png.chunk(b"IEND", b""))
    data = b"".join((png.SIGNATURE, *body))
    with pytest.raises(DecodeError, match="cut short: 70 of its 100 rows"):
        decode(data)
    salvaged = decode(data, salvage=True)
    assert (salvaged.frames[0].pixels[:30, :, 0] == samples[:30, :, 0]).all()
    assert salvaged.notes == ("cut short: 70 of its 100 rows are missing or not whole",)


def test_a_picture_that_is_black_at_its_end_is_whole() -> None:
    assert decode(written(RGB, 8, np.zeros((9, 9, 3), np.uint16))).notes == ()
