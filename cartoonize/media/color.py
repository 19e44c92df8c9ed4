"""Any mode and colour profile that Pillow opens -> 8-bit sRGB with alpha apart, and back to what a format holds."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from cartoonize.errors import DecodeError
from cartoonize.media.profiles import PQ

_MAX_ICC = 4 << 20  # real profiles end at 2-3 MB (CMYK presses); more is an attack or damage
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # TIFF tags
_latest = threading.local()
_SPACE_OF_MODE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}


@dataclass(frozen=True)
class Converted:
    """A picture ready to work on: `rgb` of mode RGB in sRGB, `alpha` of mode L or None when opaque.

    `recolored`: the picture had other colours, and what its file says about them is no longer true.
    """

    rgb: Image.Image
    alpha: Image.Image | None
    icc: bytes | None
    notes: tuple[str, ...]
    recolored: bool = False


def to_srgb(
    image: Image.Image,
    icc: bytes | None = None,
    alpha: Image.Image | None = None,
    hdr: tuple[int, int] | None = None,
) -> Converted:
    """Convert a loaded picture of any mode to sRGB; `icc` is its profile, `alpha` transparency its mode cannot hold.

    `hdr`: the codes of its primaries and transfer where that is PQ or HLG; then there is no profile.

    `icc` of the result is the profile to embed: the picture's own when it is sRGB, ours when it was another, None when
    there was none. Raises DecodeError when the pixels have no known range (32-bit integer, floating point).
    """
    base, own_alpha = _split(image)
    alpha = alpha or own_alpha
    alpha = None if alpha and alpha.getextrema() == (255, 255) else alpha
    if hdr:
        from cartoonize.media.hdr import tone_mapped

        name = "PQ" if hdr[1] == PQ else "HLG"
        rgb = tone_mapped(_as("RGB", base), *hdr)
        return Converted(rgb, alpha, _srgb_icc(), (f"HDR ({name}) tone-mapped to sRGB",), True)
    if not icc and base.mode == "LAB":
        icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    if icc:
        try:
            return _by_profile(base, alpha, icc)
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            notes: tuple[str, ...] = ("its colour profile is broken or for other colours and was ignored",)
    else:
        notes = ()
    if base.mode == "CMYK":
        notes = (*notes, "converted from CMYK without a colour profile to sRGB: colours are approximate")
    return Converted(_as("RGB", base), alpha, None, notes, base.mode == "CMYK")


def flatten(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Lay an RGBA picture on one colour."""
    flat = Image.new("RGB", image.size, background)
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def on_white(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Lay pixels, uint8 (H, W, 3), on white by their alpha, uint8 (H, W); returned as they are when there is none."""
    if alpha is None:
        return pixels
    picture = Image.fromarray(pixels)
    picture.putalpha(Image.fromarray(alpha))
    return np.asarray(flatten(picture, (255, 255, 255)))


def to_palette(image: Image.Image) -> Image.Image:
    """Reduce RGB or RGBA to at most 256 colours; index 255 is the transparent one of an RGBA picture."""
    if image.mode == "RGB":
        return image.quantize(256)
    reduced = image.convert("RGB").quantize(255)
    palette = reduced.getpalette() or []
    reduced.putpalette(palette + [0] * (768 - len(palette)))
    reduced.paste(255, mask=image.getchannel("A").point(lambda alpha: 255 if alpha < 128 else 0))
    return reduced


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the picture in a mode that profiles are made for (L, RGB, CMYK, LAB), and its alpha."""
    if image.mode in ("I", "F"):
        raise DecodeError(
            "pixels are 32-bit numbers of unknown range: expected 8 or 16 bits per channel, convert it first"
        )
    if image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("1", "L", "LA", "La") else "RGBA")
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    base = {"1": "L", "LA": "L"}.get(image.mode, image.mode)
    return _as(base if base in _SPACE_OF_MODE else "RGB", image), alpha


def _as(mode: str, image: Image.Image) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)  # `convert` copies even when there is nothing to do


def _eight_bits(image: Image.Image) -> Image.Image:
    """Reduce 16-bit (or 12-bit) grey to L or LA by the high byte, as Pillow does for 16-bit colour."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    grey = (values >> (4 if tags.get(_BITS_PER_SAMPLE) == (12,) else 8)).astype(np.uint8)
    if tags.get(_PHOTOMETRIC) == 0:  # white is zero; Pillow undoes this for 8 bits only
        grey = 255 - grey
    reduced = Image.fromarray(grey)
    clear = image.info.get("transparency")
    if clear is not None:
        reduced.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return reduced


def _by_profile(base: Image.Image, alpha: Image.Image | None, icc: bytes) -> Converted:
    if len(icc) > _MAX_ICC:
        raise ValueError("colour profile too large")
    profile = ImageCms.ImageCmsProfile(BytesIO(icc))
    space = profile.profile.xcolor_space.strip()
    if base.mode == "L" and space == "RGB":  # grey written with the profile of the screen: common and well defined
        base = base.convert("RGB")
    if space != _SPACE_OF_MODE[base.mode]:
        raise ValueError(f"a colour profile for {space}, the picture is {base.mode}")
    if base.mode == "RGB" and _is_srgb(icc):
        return Converted(base, alpha, icc, ())
    rgb = _transform(base.mode, icc).apply(base)
    return Converted(rgb, alpha, _srgb_icc(), (f"converted from {_name(profile, space)} to sRGB",), True)


def _transform(mode: str, icc: bytes) -> ImageCms.ImageCmsTransform:
    """Return what brings a mode and profile to sRGB; each thread keeps its latest, for all bands of a picture.

    Sharing one between threads is not promised to be safe.
    """
    if getattr(_latest, "key", None) != (mode, icc):
        _latest.transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(BytesIO(icc)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        _latest.key = (mode, icc)
    transform: ImageCms.ImageCmsTransform = _latest.transform
    return transform


@lru_cache(maxsize=16)
def _is_srgb(icc: bytes) -> bool:
    """Whether a profile means sRGB, judged by what it does to colours: names of profiles prove nothing."""
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    seen = np.asarray(_transform("RGB", icc).apply(Image.fromarray(grid)))
    return bool(np.abs(seen.astype(int) - grid).max() <= 2)


@lru_cache(maxsize=1)
def _srgb_icc() -> bytes:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Bytes 24-35 hold the time of creation: fixed, so that the same photo always gives the same file.
    return icc[:24] + b"\x07\xd0\x00\x01\x00\x01" + bytes(6) + icc[36:]


def _name(profile: ImageCms.ImageCmsProfile, space: str) -> str:
    # The text comes from the file and ends on a terminal: no control characters.
    name = "".join(c for c in profile.profile.profile_description or "" if c.isprintable()).strip()[:60]
    return f"{name} ({space})" if name else space
