"""RAW photos are developed, and never their preview shown."""

from __future__ import annotations

import contextlib
import io
import struct
import sys

import numpy as np
import pytest
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media import raw
from cartoonize.media.codec import EncodeOptions, decode, encode
from cartoonize.media.containers import bmff
from cartoonize.media.containers.tags import Directory, Value, laid_out

WIDTH, HEIGHT = 96, 64


def numbers(code: str, *values: int) -> Value:
    kind = {"B": 1, "H": 3, "I": 4}[code]
    return Value(kind, len(values), struct.pack(f"<{len(values)}{code}", *values))


def ratios(*values: float, signed: bool = False) -> Value:
    parts = [part for value in values for part in (round(value * 10_000), 10_000)]
    return Value(10 if signed else 5, len(values), struct.pack(f"<{len(parts)}{'i' if signed else 'I'}", *parts))


def text(content: bytes) -> Value:
    return Value(2, len(content), content)


def dng(orientation: int = 1, xmp: bytes = b"") -> bytes:
    """A photo whose left half is red, written by hand: a mosaic of colour filters behind a green preview."""
    mosaic = np.full((HEIGHT, WIDTH), 1_000, np.uint16)
    mosaic[0::2, 0:48:2] = 12_000  # RGGB: red on the left
    mosaic[:, 48:] = 9_000  # grey on the right
    sensor = mosaic.tobytes()
    preview = np.zeros((8, 12, 3), np.uint8)
    preview[..., 1] = 255
    at_preview, at_sensor = 8, 8 + preview.nbytes
    start = at_sensor + len(sensor)
    main: Directory = {
        254: numbers("I", 1), 256: numbers("I", 12), 257: numbers("I", 8), 258: numbers("H", 8, 8, 8),
        259: numbers("H", 1), 262: numbers("H", 2), 271: text(b"Maker\0"), 272: text(b"Model\0"),
        273: numbers("I", at_preview), 274: numbers("H", orientation), 277: numbers("H", 3), 278: numbers("I", 8),
        279: numbers("I", preview.nbytes), 50706: numbers("B", 1, 4, 0, 0), 50708: text(b"Maker Model\0"),
        50721: ratios(3.24, -1.54, -0.5, -0.97, 1.88, 0.04, 0.06, -0.2, 1.06, signed=True),
        50728: ratios(1, 1, 1), 50778: numbers("H", 21), 330: numbers("I", 0),
    }  # fmt: skip
    if xmp:
        main[700] = Value(1, len(xmp), xmp)
    inner: Directory = {
        254: numbers("I", 0), 256: numbers("I", WIDTH), 257: numbers("I", HEIGHT), 258: numbers("H", 16),
        259: numbers("H", 1), 262: numbers("H", 32803), 273: numbers("I", at_sensor), 277: numbers("H", 1),
        278: numbers("I", HEIGHT), 279: numbers("I", len(sensor)), 33421: numbers("H", 2, 2),
        33422: numbers("B", 0, 1, 1, 2), 50714: numbers("H", 0), 50717: numbers("I", 16_383),
    }  # fmt: skip
    directories = laid_out({-1: main, 330: inner}, "<", start)
    return b"II*\0" + struct.pack("<I", start) + preview.tobytes() + sensor + directories


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_dng_is_developed_and_turned_and_its_preview_is_not_shown(orientation: int) -> None:
    pytest.importorskip("rawpy")
    photo = decode(dng(orientation))
    pixels = photo.frames[0].pixels.astype(int)
    assert pixels.shape == ((HEIGHT, WIDTH, 3) if orientation == 1 else (WIDTH, HEIGHT, 3))
    upright = pixels if orientation == 1 else np.rot90(pixels)
    left, right = upright[8:-8, 8:40].mean((0, 1)), upright[8:-8, 56:-8].mean((0, 1))
    assert left[0] > 2 * left[1]
    assert left[0] > 2 * left[2]
    assert np.ptp(right) < 12
    assert photo.format == "RAW"
    assert photo.notes == ("developed from RAW with the camera's white balance",)
    result = encode(photo, EncodeOptions("JPEG")).data
    with Image.open(io.BytesIO(result)) as image:
        assert image.getexif()[271] == "Maker"
        assert image.getexif().get(274) == 1


def test_xmp_of_a_dng_is_carried_over() -> None:
    pytest.importorskip("rawpy")
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="a"/></x:xmpmeta>'
    )
    assert decode(dng(xmp=packet)).metadata.xmp == packet


PACKET = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + name + body


def test_a_cr3_keeps_xmp_in_a_box_and_exif_in_others() -> None:
    tags = b"II*\0\x08\0\0\0" + laid_out({-1: {271: text(b"Canon\0")}}, "<", 8)
    canon = box(b"uuid", bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"), box(b"CMT1", tags))
    packet = box(b"uuid", bmff.XMP_UUID, PACKET)
    found = raw._found(io.BytesIO(box(b"ftyp", b"crx \0\0\0\1crx ") + box(b"moov", canon) + packet))
    assert found.xmp == PACKET
    assert b"Canon" in (found.exif.to_bytes() or b"")


def test_a_raf_keeps_exif_and_xmp_in_its_preview() -> None:
    exif = Image.Exif()
    exif[271] = "FUJIFILM"
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG", exif=exif, xmp=PACKET)
    preview = stream.getvalue()
    head = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 200, len(preview))
    found = raw._found(io.BytesIO(head.ljust(200, b"\0") + preview))
    assert found.xmp == PACKET
    assert b"FUJIFILM" in (found.exif.to_bytes() or b"")


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(DecodeError, match=r"is a RAW photo, .* pip install 'cartoonize\[raw\]'"):
        decode(dng())


def test_what_is_no_raw_photo_is_none() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "TIFF")
    stream.seek(0)
    assert not raw.is_raw(stream.getvalue()[:1000], stream)
    assert stream.tell() == 0


@pytest.mark.parametrize("size", [600, 8_000])
def test_a_damaged_one_is_one_line(size: int) -> None:
    pytest.importorskip("rawpy")
    data = dng()
    damaged = data[: size // 2] + bytes(size) + data[size // 2 + size :] if size > 700 else data[:size]
    with contextlib.suppress(DecodeError):
        assert decode(damaged).frames
    for signature in (b"FUJIFILMCCD-RAW ", b"IIU\0", b"\0\0\0\x18ftypcrx "):
        with pytest.raises(DecodeError, match="LibRaw cannot"):
            decode(signature + bytes(5_000))
