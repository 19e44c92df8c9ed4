from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media import thumbnails
from cartoonize.media.codec import EncodeOptions, Frame, Metadata, Photo
from cartoonize.media.thumbnails import SIDE, STAND_IN_SIDE

NOTHING = Metadata(None, None, None, None, None)


def photo(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None, kind: str = "JPEG") -> Photo:
    return Photo((Frame(pixels, alpha),), NOTHING, kind)


def opened(data: bytes | None) -> Image.Image:
    assert data is not None
    with Image.open(BytesIO(data)) as image:
        image.load()
        return image


def halves(height: int, width: int) -> NDArray[np.uint8]:
    """Red above, blue below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, :, 0] = 255
    pixels[height // 2 :, :, 2] = 255
    return pixels


@pytest.mark.parametrize(
    ("shape", "size"), [((3000, 4500), (320, 213)), ((4500, 30), (2, 320)), ((7, 9), (9, 7)), ((1, 5000), (320, 1))]
)
def test_result_is_shrunk_never_enlarged(shape: tuple[int, int], size: tuple[int, int]) -> None:
    made = thumbnails.of_result(photo(halves(*shape)), EncodeOptions("JPEG"))
    assert opened(made.data).size == size
    assert (made.height, made.width) == shape


def test_thumbnail_looks_like_the_picture(coffee: NDArray[np.uint8]) -> None:
    large = np.ascontiguousarray(np.tile(coffee, (5, 5, 1)))
    small = np.asarray(opened(thumbnails.of_result(photo(large), EncodeOptions("JPEG")).data).convert("RGB"), float)
    expected = np.asarray(Image.fromarray(large).resize(small.shape[1::-1], Image.Resampling.BOX), float)
    assert np.abs(small - expected).mean() < 8


def test_transparency_is_kept_or_flattened_as_in_the_result() -> None:
    pixels, alpha = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8)
    kept = opened(thumbnails.of_result(photo(pixels, alpha), EncodeOptions("PNG")).data)
    flat = opened(thumbnails.of_result(photo(pixels, alpha), EncodeOptions("JPEG", background=(0, 255, 0))).data)
    assert kept.getchannel("A").getextrema() == (0, 0)
    assert np.allclose(np.asarray(flat)[20, 20], (0, 255, 0), atol=6)


def test_photo_needs_a_picture_only_where_browsers_cannot_show_it() -> None:
    pixels = halves(1000, 2000)
    shown, not_shown = thumbnails.of_photo(photo(pixels)), thumbnails.of_photo(photo(pixels, kind="HEIF"))
    assert (shown.data, shown.width, shown.height) == (None, 2000, 1000)
    assert opened(not_shown.data).size == (STAND_IN_SIDE, STAND_IN_SIDE // 2)


@pytest.mark.parametrize(("extension", "side"), [("jpg", SIDE), ("png", SIDE), ("gif", SIDE), ("tiff", STAND_IN_SIDE)])
def test_results_on_disk(tmp_path: Path, extension: str, side: int) -> None:
    path = tmp_path / f"result.{extension}"
    Image.fromarray(halves(1000, 2000)).save(path)
    both = thumbnails.of_files(Path("photo.jpg"), path)
    small = np.asarray(opened(both.result.data).convert("RGB"))
    assert small.shape == (side // 2, side, 3)
    assert np.allclose(small[10, 10], (255, 0, 0), atol=20)
    assert np.allclose(small[-10, 10], (0, 0, 255), atol=20)
    assert both.photo == thumbnails.Thumbnail(None, 2000, 1000)


@pytest.mark.parametrize("name", ["turned.jpg", "turned.tif"])
def test_result_on_disk_is_shown_upright(name: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6  # to be turned clockwise
    Image.fromarray(halves(100, 200)).save(tmp_path / name, exif=exif)
    result = thumbnails.of_files(Path("photo.jpg"), tmp_path / name).result
    assert (result.width, result.height) == (100, 200)
    small = np.asarray(opened(result.data).convert("RGB"))
    assert small.shape == (200, 100, 3)
    assert np.allclose(small[100, 90], (255, 0, 0), atol=20)
    assert np.allclose(small[100, 10], (0, 0, 255), atol=20)


def test_photo_on_disk_that_browsers_cannot_show(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif").register_heif_opener()
    for name in ("photo.heic", "result.heic"):
        Image.fromarray(halves(500, 1000)).save(tmp_path / name)
    both = thumbnails.of_files(tmp_path / "photo.heic", tmp_path / "result.heic")
    assert opened(both.photo.data).size == opened(both.result.data).size == (640, 320)


def test_result_on_disk_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "result.jpg").write_bytes(b"no picture")
    with pytest.raises(DecodeError, match="not a picture"):
        thumbnails.of_files(Path("photo.jpg"), tmp_path / "result.jpg")
