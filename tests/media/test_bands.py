"""Bands: no other picture than in one piece, for every mode, profile and orientation."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms

from cartoonize.media import bands, codec
from cartoonize.media.bands import upright
from cartoonize.media.codec import EncodeOptions, Frame, Photo, encode, prepare
from cartoonize.media.color import to_srgb
from cartoonize.media.metadata import Metadata, turned
from cartoonize.media.picture import Shown

CAT = Image.fromarray(skimage.data.chelsea()[40:117, 100:201])  # 101 x 77


def with_alpha(mode: str) -> Image.Image:
    image = CAT.convert(mode)
    image.putalpha(Image.linear_gradient("L").resize(CAT.size).point(lambda level: min(255, 2 * level)))
    return image


def deep() -> Image.Image:
    image = Image.fromarray(np.asarray(CAT.convert("L")).astype(np.uint16) * 257)
    image.info["transparency"] = 257 * 100
    return image


def keyed() -> Image.Image:
    image = CAT.quantize(16)
    image.info["transparency"] = 3
    return image


def of_tiff(photometric: int) -> Image.Image:
    stream = BytesIO()
    deep().save(stream, "TIFF", tiffinfo={262: photometric})
    return Image.open(stream, formats=("TIFF",))


PICTURES = {
    "RGB": lambda: CAT,
    "RGBA": lambda: with_alpha("RGB"),
    "LA": lambda: with_alpha("L"),
    "1": lambda: CAT.convert("1"),
    "CMYK": lambda: CAT.convert("CMYK"),
    "palette": keyed,
    "16 bits": deep,
    "16 bits of a TIFF": lambda: of_tiff(1),
    "16 bits of a TIFF, white is zero": lambda: of_tiff(0),
}


@pytest.fixture(params=[1, 1000, 1 << 30], ids=["a row a band", "ten rows a band", "one band"])
def size_of_bands(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "_BAND_PIXELS", request.param)
    monkeypatch.setattr(codec, "_BAND_PIXELS", request.param)


@pytest.mark.usefixtures("size_of_bands")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", PICTURES)
def test_as_in_one_piece(kind: str, orientation: int) -> None:
    whole = to_srgb(PICTURES[kind]())
    made = upright(Shown(PICTURES[kind]()), None, None, orientation)
    np.testing.assert_array_equal(made.pixels, np.asarray(turned(whole.rgb, orientation)))
    assert (made.alpha is None) == (whole.alpha is None)
    if whole.alpha:
        np.testing.assert_array_equal(made.alpha, np.asarray(turned(whole.alpha, orientation)))
    assert (made.about.notes, made.about.icc) == (whole.notes, whole.icc)


@pytest.mark.usefixtures("size_of_bands")
def test_profiles_and_transparency_beside_the_picture() -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lab, alpha = Image.merge("LAB", CAT.split()), with_alpha("L").getchannel("A")
    whole = to_srgb(lab, icc, alpha)
    made = upright(Shown(lab, alpha), icc, None, 6)
    np.testing.assert_array_equal(made.pixels, np.asarray(turned(whole.rgb, 6)))
    np.testing.assert_array_equal(made.alpha, np.asarray(turned(alpha, 6)))
    assert made.about.icc == whole.icc
    assert made.about.recolored


@pytest.mark.usefixtures("size_of_bands")
@pytest.mark.parametrize("transparent", [False, True])
def test_the_encoder_takes_pixels_over_and_gives_their_memory_back(transparent: bool) -> None:
    made = upright(Shown(with_alpha("RGB") if transparent else CAT), None, None, 1)
    photo = Photo((Frame(made.pixels, made.alpha),), Metadata(), "PNG")
    kept = encode(photo, EncodeOptions("PNG"))
    assert photo.frames[0].pixels.shape == (77, 101, 3)
    assert prepare(photo, EncodeOptions("PNG"), use_up=True).encoded() == kept
    assert photo.frames[0].pixels.size == 0
