"""Files that are cut short: one line that says so, what is there where that can be drawn, nothing on standard error."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.codec import decode
from cartoonize.media.containers.png import chunk

FRAMES = [Image.fromarray(np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)) for seed in range(3)]
NATIVE = [
    *[("WEBP", {"lossless": lossless}) for lossless in (False, True)],
    *[(name, {}) for name in ("AVIF", "HEIF", "BMP", "PNG", "GIF", "JPEG", "JPEG2000", "PPM", "ICO", "DDS", "TIFF")],
    *[("TIFF", {"compression": how}) for how in ("tiff_lzw", "tiff_deflate", "jpeg")],
]


def saved(name: str, image: Image.Image = FRAMES[0], **arguments: object) -> bytes:
    if name == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    stream = io.BytesIO()
    image.save(stream, name, **arguments)
    return stream.getvalue()


def refusal(data: bytes, *, salvage: bool = False) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(data, salvage=salvage)
    return str(caught.value)


@pytest.mark.parametrize(("name", "arguments"), NATIVE)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")  # Pillow's own
def test_one_line_says_so_and_names_salvage_only_where_it_helps(
    name: str, arguments: dict[str, object], share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    data = saved(name, **arguments)
    cut = data[: int(len(data) * share)]
    capfd.readouterr()
    text = refusal(cut)
    assert text.startswith("cut short")
    assert "\n" not in text
    if "--salvage" in text:
        photo = decode(cut, salvage=True)
        assert photo.frames[0].pixels.shape == (48, 64, 3)
        assert "cut short" in photo.notes[0]
    else:
        assert refusal(cut, salvage=True) == text
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["WEBP", "AVIF", "HEIF"])
def test_how_many_bytes_are_missing(name: str) -> None:
    data = saved(name)
    assert refusal(data[:-100]) == f"cut short: 100 of its {len(data)} bytes are missing: get the whole file again"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1"])
def test_rows_of_a_bmp_stand_from_the_bottom_up(mode: str) -> None:
    image = FRAMES[0].convert(mode)
    data = saved("BMP", image)
    stride = -(-64 * {"RGB": 24, "RGBA": 32, "P": 8, "1": 1}[mode] // 32) * 4
    cut = data[: -10 * stride + 1]
    assert refusal(cut).startswith("cut short: 10 of its 48 rows are missing")
    pixels = decode(cut, salvage=True).frames[0].pixels
    assert (pixels[10:] == np.asarray(image.convert("RGB"))[10:]).all()


def test_an_animated_webp_is_done_up_to_its_last_whole_frame() -> None:
    data = saved("WEBP", save_all=True, append_images=FRAMES[1:], lossless=True)
    assert "only its first 2 frames are whole (--salvage" in refusal(data[:-9])
    photo = decode(data[:-9], salvage=True)
    assert photo.notes == ("cut short: only its first 2 frames are whole",)
    for shown, frame in zip(photo.frames, FRAMES, strict=False):
        assert (shown.pixels == np.asarray(frame)).all()


def test_a_webp_cut_behind_its_picture_is_whole() -> None:
    data = saved("WEBP", lossless=True, xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>" * 9)
    photo = decode(data[:-50])
    assert photo.notes == ("its end is missing, but none of its pixels",)
    assert (photo.frames[0].pixels == np.asarray(FRAMES[0])).all()


@pytest.mark.parametrize("name", ["AVIF", "HEIF"])
def test_a_container_cut_behind_its_picture_is_whole(name: str) -> None:
    data = saved(name)
    photo = decode(data + b"\0\0\1\0free" + bytes(9))
    assert photo.notes == ("its end is missing, but none of its pixels",)
    assert (photo.frames[0].pixels == decode(data).frames[0].pixels).all()


@pytest.mark.parametrize("interlace", [0, 1])
def test_a_gif_cut_within_its_only_frame(interlace: int) -> None:
    data = saved("GIF", FRAMES[0].quantize(256), interlace=interlace)
    cut = data[: len(data) * 2 // 3]
    assert refusal(cut) == "cut short: its first frame is not whole (--salvage does what is there)"
    salvaged, whole = decode(cut, salvage=True).frames[0].pixels, decode(data).frames[0].pixels
    share = (salvaged == whole).all(axis=(1, 2)).mean()
    assert 0.4 < share < 0.9


def png_of(damage: bytes) -> bytes:
    data = saved("PNG")
    at = data.index(b"IDAT")
    packed = data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at], "big")]
    return data[: at - 4] + chunk(b"IDAT", packed[: len(packed) // 2] + damage) + chunk(b"IEND", b"")


def test_a_png_whose_packed_pixels_end_before_the_file_does() -> None:
    cut = png_of(b"")
    text = refusal(cut)
    missing = int(text.removeprefix("cut short: ").split()[0])
    assert 20 < missing < 28
    there = 48 - missing
    salvaged = decode(cut, salvage=True).frames[0].pixels
    assert (salvaged[:there] == np.asarray(FRAMES[0])[:there]).all()


def test_a_png_whose_packed_pixels_are_damaged() -> None:
    for salvage in (False, True):
        assert refusal(png_of(b"\xff" * 5000), salvage=salvage) == "cut short or damaged: get the whole file again"
