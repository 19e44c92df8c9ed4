"""Colours stated in numbers instead of a profile."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from cartoonize.media import hdr, profiles
from cartoonize.media.codec import decode
from cartoonize.media.containers import png

from .test_color import P3_TO_XYZ, SRGB_TO_XYZ, decoded_curve, encoded_curve
from .test_png import RGB, chromaticities_chunk, gamma_chunk, written

COLOUR = (200, 60, 40)
IN_P3 = encoded_curve(np.linalg.inv(SRGB_TO_XYZ) @ P3_TO_XYZ @ decoded_curve(np.array(COLOUR)))


def coded(image_format: str, primaries: int, transfer: int) -> bytes:
    """A picture of one colour in a file that states others than it was written with."""
    stream = io.BytesIO()
    if image_format == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    Image.new("RGB", (64, 64), COLOUR).save(stream, image_format, quality=95)
    data = bytearray(stream.getvalue())
    if b"colrnclx" not in data:
        pytest.skip(f"this version's {image_format} states no colours")
    at = data.index(b"colrnclx") + 8
    data[at : at + 4] = struct.pack(">HH", primaries, transfer)
    if image_format == "AVIF":  # the codestream says it as well; libavif takes the container's word
        assert b"av01" in data
    return bytes(data)


def a_png(*chunks: bytes) -> bytes:
    return written(RGB, 8, np.full((4, 4, 3), COLOUR, np.uint16), *chunks)


def test_matrices_are_the_published_ones() -> None:
    assert np.abs(profiles.to_xyz(profiles._PRIMARIES[1][1]) - SRGB_TO_XYZ).max() < 2e-4
    assert np.abs(profiles.to_xyz(profiles._PRIMARIES[12][1]) - P3_TO_XYZ).max() < 2e-4


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
def test_display_p3_by_its_code(image_format: str) -> None:
    photo = decode(coded(image_format, 12, 13))
    assert photo.notes == ("converted from Display P3 (RGB) to sRGB",)
    assert np.abs(photo.frames[0].pixels[32, 32] - IN_P3).max() <= 4


@pytest.mark.parametrize("codes", [(1, 13), (1, 1), (2, 2), (1, 6), (77, 99)])
def test_codes_that_mean_srgb_or_nothing_change_nothing(codes: tuple[int, int]) -> None:
    photo = decode(coded("AVIF", *codes))
    assert photo.notes == ()
    assert np.abs(photo.frames[0].pixels[32, 32].astype(int) - COLOUR).max() <= 3


def test_cicp_of_a_png_goes_before_its_profile() -> None:
    photo = decode(a_png(png.chunk(b"cICP", bytes([12, 13, 0, 1])), png.chunk(b"iCCP", b"x\0\0broken")))
    assert "converted from Display P3 (RGB) to sRGB" in photo.notes
    assert np.abs(photo.frames[0].pixels[0, 0] - IN_P3).max() <= 1.5


def test_gamma_and_chromaticities_of_a_png() -> None:
    p3 = chromaticities_chunk(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
    wide = decode(a_png(gamma_chunk(45_455), p3)).frames[0].pixels[0, 0]
    linear = np.linalg.inv(SRGB_TO_XYZ) @ P3_TO_XYZ @ (np.array(COLOUR) / 255) ** 2.2
    assert np.abs(wide - encoded_curve(linear)).max() <= 1.5
    bright = decode(a_png(gamma_chunk(100_000)))
    assert np.abs(bright.frames[0].pixels[0, 0] - encoded_curve(np.array(COLOUR) / 255)).max() <= 1.5
    assert bright.notes == ("converted from gamma 1 (RGB) to sRGB",)


@pytest.mark.parametrize(
    "chunks",
    [
        (gamma_chunk(45_455), chromaticities_chunk(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)),
        (gamma_chunk(100_000), png.chunk(b"sRGB", b"\0")),
        (gamma_chunk(0),),
        (gamma_chunk(1),),
        (gamma_chunk(100_001), chromaticities_chunk(0, 0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_what_means_srgb_or_makes_no_sense_changes_nothing(chunks: tuple[bytes, ...]) -> None:
    assert decode(a_png(*chunks)).frames[0].pixels[0, 0].tolist() == list(COLOUR)


def pq(nits: float) -> float:
    """The inverse of the curve under test. ITU-R BT.2100, table 4."""
    y = (nits / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)


def test_pq_in_the_dark_is_exact_and_highlights_are_pressed_in_order() -> None:
    """Half of diffuse white is below the knee; ten times as bright is nearly white, and still darker than a hundred."""
    levels = [round(255 * pq(nits)) for nits in (0, 20.3, 101.5, 203, 1000, 10_000)]
    image = Image.fromarray(np.array(levels, np.uint8).repeat(3).reshape(1, -1, 3))
    seen = np.asarray(hdr.tone_mapped(image, 1, 16))[0, :, 0].astype(int)
    assert np.abs(seen[:3] - encoded_curve(np.array([0, 0.1, 0.5]))).max() <= 4
    assert (np.diff(seen) > 0).all()
    assert seen[-1] <= 255


def test_hlg_white_and_black() -> None:
    image = Image.fromarray(np.array([0, 128, 192, 255], np.uint8).repeat(3).reshape(1, -1, 3))
    seen = np.asarray(hdr.tone_mapped(image, 9, 18))[0].astype(int)
    assert seen[0].tolist() == [0, 0, 0]
    assert (np.diff(seen[:, 1]) > 0).all()
    assert np.ptp(seen, axis=1).max() <= 1  # grey stays grey
    assert 225 < seen[2, 0] < 250  # 75 % is diffuse white, above the knee


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
@pytest.mark.parametrize("image_format", ["AVIF", "HEIF", "PNG"])
def test_hdr_is_tone_mapped_and_said(image_format: str, transfer: int, name: str) -> None:
    data = (
        a_png(png.chunk(b"cICP", bytes([9, transfer, 0, 1])))
        if image_format == "PNG"
        else coded(image_format, 9, transfer)
    )
    photo = decode(data)
    assert photo.notes == (f"HDR ({name}) tone-mapped to sRGB",)
    assert photo.metadata.icc is not None
