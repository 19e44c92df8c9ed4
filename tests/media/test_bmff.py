"""HEIC and AVIF: what stands in the container beside the picture."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.codec import EncodeOptions, Frame, Metadata, Photo, decode, encode
from cartoonize.media.containers import bmff

COLOUR = (200, 60, 40)


def saved(image_format: str, mode: str = "RGB", **arguments: object) -> bytes:
    if image_format == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    stream = io.BytesIO()
    Image.new(mode, (64, 48), (*COLOUR, 128)[: len(mode)]).save(stream, image_format, **arguments)
    return stream.getvalue()


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
def test_blocks_are_found_and_hidden_from_decoders(image_format: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    taken = bmff.take_apart(saved(image_format, exif=exif.tobytes(), xmp=xmp))
    assert b"Maker" in taken.blocks["exif"]
    assert taken.blocks["exif"][:2] in (b"II", b"MM", b"Ex")
    assert taken.blocks["xmp"].rstrip(b"\0") == xmp
    with Image.open(io.BytesIO(taken.bare)) as image:
        assert not image.info.get("exif")
        assert not image.info.get("xmp")
        assert image.convert("RGB").getpixel((9, 9)) == pytest.approx(COLOUR, abs=4)


def test_an_avif_whose_transparency_states_no_size_is_read_as_browsers_do() -> None:
    data = saved("AVIF", "RGBA")
    alone = b"\0\x02\x04\x01\x05\x86\x07"  # the second picture's properties: of its size, first
    assert data.count(alone) == 1
    frame = decode(data.replace(alone, b"\0\x02\x04\0\x05\x86\x07")).frames[0]
    assert frame.alpha is not None
    assert np.abs(frame.pixels[9, 9].astype(int) - COLOUR).max() <= 4
    assert abs(int(frame.alpha[9, 9]) - 128) <= 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_how_the_container_says_that_it_is_turned(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert bmff.take_apart(saved("AVIF", exif=exif.tobytes())).orientation == orientation


@pytest.mark.parametrize(
    ("kind", "part"),
    [("urn:com:apple:photo:2020:aux:hdrgainmap", "gain map"), ("urn:mpeg:hevc:2015:auxid:2", "depth map")],
)
def test_further_parts_are_named(kind: str, part: str) -> None:
    data = saved("AVIF", "RGBA")
    at = data.index(b"auxC") - 4
    old = int.from_bytes(data[at : at + 4], "big")
    text = kind.encode().ljust(old - 12, b"\0")
    assert len(text) == old - 12
    data = data[: at + 12] + text + data[at + old :]
    assert bmff.take_apart(data).parts == {part}
    assert bmff.take_apart(data + struct.pack(">I4s", 16, b"mpvd") + bytes(8)).parts == {part, "film"}


def test_an_animation_does_not_say_when_it_was_written() -> None:
    """The library writes the second of the day; a picture a second later would be another file."""
    frames = tuple(Frame(np.full((32, 32, 3), level, np.uint8), None, 100) for level in (9, 90))
    data = encode(Photo(frames, Metadata(loop=0), "GIF"), EncodeOptions("AVIF")).data
    assert bmff.without_times(data) == data
    for name in (b"mvhd", b"tkhd", b"mdhd"):
        assert data[data.index(name) + 8 : data.index(name) + 24] == bytes(16)
    assert len(decode(data).frames) == 2


@given(data=st.data())
@settings(max_examples=150)
def test_no_bytes_are_too_much_for_it(data: st.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 10))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    bmff.take_apart(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))


WHOLE = saved("AVIF", "RGBA", exif=Image.Exif().tobytes(), xmp=b"<x/>")


def test_a_picture_too_large_for_the_lenient_reader_is_refused_before_it() -> None:
    data = saved("AVIF", "RGBA").replace(b"\0\x02\x04\x01\x05\x86\x07", b"\0\x02\x04\0\x05\x86\x07")
    data = data.replace(struct.pack(">II", 64, 48), struct.pack(">II", 60_000, 60_000))
    with pytest.raises(DecodeError, match="too many pixels"):
        decode(data)
