"""File formats: names, extensions, what each can hold, how each is written. Nothing heavy: planning needs it."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import accumulate, pairwise
from pathlib import PurePath
from typing import Any

EXTENSIONS: dict[str, str] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".avif": "AVIF",
    ".avifs": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
}
"""Extension in lower case -> Pillow's name of the format."""

PREFERRED_EXTENSION: dict[str, str] = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "TIFF": ".tif",
    "BMP": ".bmp",
    "AVIF": ".avif",
    "HEIF": ".heic",
}
"""Pillow's name of the format -> the extension to write it with."""

_RAW = "3fr arw cr2 cr3 crw dcr dng erf iiq kdc mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f"
RAW_SUFFIXES = frozenset(f".{name}" for name in _RAW.split())
"""Extensions of RAW photos, which are read where the package for them is installed."""

_STILLS = "psd jxl jp2 j2k jpf jpx j2c ppm pgm pbm pnm pfm ico cur qoi dds"
_READ_ONLY = {**dict.fromkeys(RAW_SUFFIXES, ".jpg"), **dict.fromkeys((f".{name}" for name in _STILLS.split()), ".png")}
_READ_ONLY |= {".mpo": ".jpg", ".dib": ".bmp"}  # the extension of a result
_PACKAGES = {**dict.fromkeys(RAW_SUFFIXES, "rawpy"), ".jxl": "pillow_jxl"}

ALPHA = frozenset({"PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF"})
"""Formats that hold transparency (in a GIF a pixel is shown or not, nothing between)."""

ANIMATION = frozenset({"PNG", "WEBP", "GIF", "AVIF"})
"""Formats read and written with all frames of an animation."""

BROWSERS = frozenset({"JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF"})
"""Formats that every current browser shows."""

LOSSY = frozenset({"JPEG", "WEBP", "AVIF", "HEIF"})
"""Formats that `quality` applies to."""

MAX_SIDE: dict[str, int] = {"JPEG": 65_500, "WEBP": 16_383, "GIF": 65_535, "AVIF": 32_768, "HEIF": 16_384}
"""Longest side in pixels, where a format, its usual encoder or its readers have such a limit."""

_SAME_LIMITS = frozenset({"JPEG", "WEBP", "GIF"})  # whatever is read of them can be written

HEIC_MISSING = "HEIC needs a library: pip install pillow-heif"

_QUALITY = {"JPEG": 95, "WEBP": 90, "AVIF": 90, "HEIF": 90}
_LONGEST = 65_535  # milliseconds of one frame, and plays: what APNG and GIF hold in 16 bits
_WHITE = (255, 255, 255)
_PREDICTOR_TAG = 317


def format_of(path: PurePath) -> str | None:
    """Pillow's name of the format the suffix of `path` stands for, in any case; None when it is not one of ours."""
    return EXTENSIONS.get(path.suffix.lower())


def is_readable(path: PurePath) -> bool:
    """Whether a file is by its name a picture that this installation reads; others are read if named one by one."""
    suffix = path.suffix.lower()
    package = _PACKAGES.get(suffix)
    return suffix in EXTENSIONS or (suffix in _READ_ONLY and (package is None or find_spec(package) is not None))


def result_extension(path: PurePath) -> str:
    """Return the extension of a photo's result: the photo's own where its format is written, else one like it."""
    return path.suffix if format_of(path) else _READ_ONLY.get(path.suffix.lower(), ".png")


def result_format(photo_format: str) -> str:
    """Return the format in which the result of a photo is written, by the photo's format as `codec.decode` names it."""
    return photo_format if photo_format in PREFERRED_EXTENSION else "JPEG" if photo_format == "RAW" else "PNG"


def extra_problem(image_format: str | None) -> str | None:
    """Why a format cannot be written on this installation; None when it can."""
    return HEIC_MISSING if image_format == "HEIF" and find_spec("pillow_heif") is None else None


def size_problem(image_format: str, width: int, height: int) -> str | None:
    """Why a picture of this size cannot be written in a format; None when it can."""
    limit = MAX_SIDE.get(image_format)
    if limit is None or max(width, height) <= limit:
        return None
    return f"{image_format} holds at most {limit} pixels a side, this is {width}x{height}: choose png or tiff"


def fits_all(image_format: str, photo_format: str | None) -> bool:
    """Whether every photo of a format can be written in another, at its own size or a smaller one."""
    return image_format not in MAX_SIDE or image_format == photo_format in _SAME_LIMITS


def save_settings(image_format: str, quality: int | None, with_alpha: bool) -> dict[str, Any]:
    """Return the arguments of Pillow's `save`, made for hard edges and flat colours; `quality` is 1 to 100 or None.

    Chroma is never subsampled where that can be chosen. Levels of effort are where measured sizes stop paying for time.
    """
    quality = _QUALITY.get(image_format, 0) if quality is None else quality
    # Key frames only: of others libwebp may store just the opaque part and forget to mark the file as transparent.
    whole = {"kmin": 0, "kmax": 1} if with_alpha else {}
    if image_format == "WEBP" and quality == 100:
        return {"lossless": True, "method": 2, "exact": True} | whole
    settings: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": quality, "subsampling": 0},
        "PNG": {"compress_level": 4},
        "WEBP": {"quality": quality, "method": 2} | whole,
        "TIFF": {"compression": "tiff_lzw", "tiffinfo": {_PREDICTOR_TAG: 2}},
        "GIF": {"optimize": False} | ({"transparency": 255, "disposal": 2} if with_alpha else {}),
        "AVIF": {"quality": quality, "subsampling": "4:4:4", "speed": 8},
        "HEIF": {"quality": quality, "chroma": 444, "enc_params": {"preset": "ultrafast"}},
    }
    return settings.get(image_format, {})


def plays(image_format: str, loop: int | None) -> int:
    """Return how often an animation is played (0: forever) from the loop count in a file.

    A GIF counts repetitions, and none at all when it is played once; the others count plays.
    """
    if image_format != "GIF":
        return loop or 0
    return 1 if loop is None else loop and loop + 1


def timing(image_format: str, durations: list[int], times: int | None) -> dict[str, Any]:
    """Return the arguments of Pillow's `save` for an animation: `durations` in milliseconds, `times` played."""
    durations = [min(duration, _LONGEST) for duration in durations]
    times = min(times or 0, _LONGEST)
    if image_format != "GIF":
        return {"duration": durations, "loop": times}
    # A GIF counts hundredths of a second: rounding the ends, not the lengths, keeps the total.
    ends = [round(end / 10) * 10 for end in accumulate(durations, initial=0)]
    lengths = [end - start for start, end in pairwise(ends)]
    return {"duration": lengths} | ({} if times == 1 else {"loop": max(times - 1, 0)})


def color_name(color: tuple[int, int, int]) -> str:
    """Name a colour for a message."""
    return "white" if color == _WHITE else "#{:02x}{:02x}{:02x}".format(*color)
