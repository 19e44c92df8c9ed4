"""Formats that are read and not written, as Pillow or the formats' own rules say what is in them."""

from __future__ import annotations

import io
import struct
import sys

import numpy as np
import pytest
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media import stills
from cartoonize.media.codec import decode
from cartoonize.media.formats import result_format

from .test_color import P3_TO_XYZ, icc


def picture(mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:32, 0:48]
    planes = np.stack([x * 5, y * 7, 255 - x - y, x * 4 + 20], -1).astype(np.uint8)
    return Image.fromarray(planes).convert(mode)


def saved(name: str, image: Image.Image, **arguments: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name, **arguments)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("name", ["JPEG2000", "PPM", "ICO", "DDS", "QOI"])
def test_what_pillow_writes_without_loss(name: str, mode: str) -> None:
    if name == "PPM" and mode == "RGBA":
        pytest.skip("an anymap has no transparency")
    if name == "QOI" and name not in Image.registered_extensions().values() | Image.SAVE.keys():
        pytest.skip("this Pillow writes no QOI")
    arguments = {"sizes": [(48, 32)]} if name == "ICO" else {}
    photo = decode(saved(name, picture(mode), **arguments))
    assert photo.format == name
    assert (photo.frames[0].pixels == np.asarray(picture())).all()
    assert (photo.frames[0].alpha is not None) == (mode == "RGBA")
    if photo.frames[0].alpha is not None:
        assert (photo.frames[0].alpha == np.asarray(picture("RGBA"))[..., 3]).all()
    assert result_format(photo.format) == "PNG"


@pytest.mark.parametrize("alpha", [False, True])
def test_qoi_by_hand(alpha: bool) -> None:
    pixels = np.asarray(picture("RGBA" if alpha else "RGB"))
    chunks = b"".join((b"\xff" if alpha else b"\xfe") + bytes(pixel) for pixel in pixels.reshape(-1, pixels.shape[2]))
    data = b"qoif" + struct.pack(">IIBB", 48, 32, pixels.shape[2], 0) + chunks + bytes(7) + b"\1"
    frame = decode(data).frames[0]
    assert (frame.pixels == pixels[..., :3]).all()
    assert (frame.alpha is not None) == alpha


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P2\n# a\n3 1\n255\n0 100 255\n", [0, 100, 255]),
        (b"P5 3 1 65535\n" + struct.pack(">3H", 0, 0x6400, 0xFFFF), [0, 100, 255]),
        (b"P4 3 1\n\x40", [255, 0, 255]),
        (b"Pf 3 1 -1.0\n" + struct.pack("<3f", 0, 100 / 255, 7), [0, 100, 255]),
    ],
)
def test_anymaps(data: bytes, expected: list[int]) -> None:
    assert decode(data).frames[0].pixels[0, :, 0].tolist() == expected


def photoshop(pixels: np.ndarray, resources: dict[int, bytes], mode: int = 3) -> bytes:
    """A Photoshop file with a flattened picture, written by hand."""
    height, width, channels = pixels.shape
    blocks = b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(block)) + block + bytes(len(block) % 2)
        for number, block in resources.items()
    )
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, channels, height, width, 8, mode)
    planes = np.moveaxis(pixels, -1, 0).tobytes()
    return head + bytes(4) + struct.pack(">I", len(blocks)) + blocks + bytes(4) + b"\0\0" + planes


def test_a_photoshop_picture_with_what_stands_in_it() -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    iptc = b"\x1c\x02\x78\0\4Text"
    resources = {1058: exif.tobytes()[6:], 1028: iptc, 1039: icc(matrix=P3_TO_XYZ)}
    photo = decode(photoshop(np.asarray(picture()), resources))
    assert photo.format == "PSD"
    assert photo.notes == ("converted from Display P3 (RGB) to sRGB",)
    assert photo.metadata.iptc == iptc
    assert photo.metadata.exif is not None
    assert b"Maker" in photo.metadata.exif


def test_a_profile_in_a_jpeg_2000_counts() -> None:
    data = saved("JPEG2000", Image.new("RGB", (8, 8), (200, 30, 30)))
    at = data.index(b"colr") - 4
    size = int.from_bytes(data[at : at + 4], "big")
    box = b"colr\2\0\0" + icc(matrix=P3_TO_XYZ)
    box = struct.pack(">I", len(box) + 4) + box
    outer = data.index(b"jp2h") - 4
    length = int.from_bytes(data[outer : outer + 4], "big") + len(box) - size
    data = data[:outer] + struct.pack(">I", length) + data[outer + 4 : at] + box + data[at + size :]
    photo = decode(data)
    assert photo.notes == ("converted from Display P3 (RGB) to sRGB",)
    assert photo.frames[0].pixels[0, 0, 0] > 210


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_jpeg_xl(mode: str) -> None:
    pytest.importorskip("pillow_jxl")
    data = saved("JXL", picture(mode), lossless=True)
    photo = decode(data)
    assert photo.format == "JXL"
    assert (photo.frames[0].pixels == np.asarray(picture(mode).convert("RGB"))).all()
    assert (photo.frames[0].alpha is not None) == (mode == "RGBA")


@pytest.mark.parametrize("size", [(48, 32), (1000, 700), (800, 800), (1200, 1000), (1, 1), (3, 500)])
def test_the_size_of_a_jpeg_xl_is_known_before_it_is_decoded(size: tuple[int, int]) -> None:
    pytest.importorskip("pillow_jxl")
    assert stills._size_of_jxl(saved("JXL", Image.new("RGB", size))) == size


def test_jpeg_xl_without_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(DecodeError, match=r"is a JPEG XL picture, .* pip install 'cartoonize\[jxl\]'"):
        decode(b"\xff\x0a" + bytes(50))


@pytest.mark.parametrize("signature", [signature for signature, _ in stills._SIGNATURES])
def test_a_damaged_one_is_one_line(signature: bytes) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(signature + bytes(40))
    assert "\n" not in str(raised.value)
