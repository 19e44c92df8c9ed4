"""What cannot be written is known from the header."""

from __future__ import annotations

import io
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.jobs.converting import ConverterSpec
from cartoonize.media.fitting import Wanted
from cartoonize.media.measure import measure

from .combinations import combinations
from .decoders import by_us


def short_side() -> int:
    return 720


@pytest.mark.parametrize(
    ("wanted", "header", "expected"),
    [
        (Wanted("WEBP"), (7, 16_383, 1), None),
        (Wanted("WEBP"), (7, 16_384, 1), "WEBP holds at most 16383 pixels a side, this is 16384x7"),
        (Wanted("HEIF", None, "work"), (7, 17_000, 1), "HEIF holds at most 16384"),
        (Wanted("HEIF", None, "work"), (1440, 17_000, 1), None),
        (Wanted("WEBP", 5_000, "work"), (10, 40, 1), "WEBP holds at most 16383 pixels a side, this is 20000x5000"),
        (Wanted("WEBP", 5_000), (10, 40, 1), None),
        (Wanted("PNG", 30_000), (10, 10, 1), "too many pixels to work at, 30000x30000"),
        (Wanted("PNG", 4_000, "work"), (10, 10, 30), "30 frames of 4000x4000 pixels are too many"),
        (Wanted("JPEG", 4_000, "work"), (10, 10, 30), None),
        (Wanted("PNG", "full"), (15_000, 16_000, 1), None),
    ],
)
def test_a_problem_is_told_with_what_to_do(wanted: Wanted, header: tuple[int, int, int], expected: str | None) -> None:
    problem = wanted.problem(*header, short_side)
    assert (problem or "").startswith(expected or "") and bool(problem) == bool(expected)  # noqa: PT018
    assert problem is None or ": choose " in problem or ", choose " in problem


def test_headers_are_read_only_where_they_can_matter() -> None:
    assert ConverterSpec().fits_all("JPEG", "JPEG")
    assert ConverterSpec().fits_all("TIFF", "HEIF")
    assert not ConverterSpec().fits_all("HEIF", "HEIF"), "its readers take larger ones than its encoder makes"
    assert not ConverterSpec().fits_all("WEBP", "JPEG")
    assert not ConverterSpec(size=720).fits_all("PNG", "PNG")


def test_the_size_by_the_header_is_that_of_the_decoded_picture(tmp_path: Path) -> None:
    """Turned or not: limits and working sizes are the same."""
    path = tmp_path / "picture"
    pillow_heif.register_heif_opener()
    stream = io.BytesIO()
    Image.new("RGB", (72, 50)).save(stream, "HEIF")
    others = [("heic", stream.getvalue())]
    compared = 0
    for name, data in (*combinations(), *others):
        if not name.startswith(("webp", "avif", "heic", "png", "jpeg", "gif")):
            continue
        path.write_bytes(data)
        decoded = by_us(data)
        assert decoded is not None
        assert sorted(measure(path)[:2]) == sorted(decoded.shape[:2]), name
        assert measure(path) == measure(data)
        compared += 1
    assert compared > 150


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("name", ["PNG", "JPEG", "BMP", "GIF"])
def test_a_header_that_states_no_pixels_is_damage(name: str, side: int) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (300, 200)).save(stream, name)
    data = bytearray(stream.getvalue())
    at = {"PNG": 16, "JPEG": data.find(b"\xff\xc0") + 5, "BMP": 18, "GIF": 6}[name]
    size = {"PNG": 4, "JPEG": 2, "BMP": 4, "GIF": 2}[name]
    data[at + side * size : at + (side + 1) * size] = bytes(size)
    with pytest.raises(DecodeError) as caught:
        measure(bytes(data))
    assert "\n" not in str(caught.value)
