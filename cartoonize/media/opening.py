"""Opening picture files, which may be damaged or hostile: what is read at all, and one line for what is not."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO

# Imported for the formats they register: Pillow's own way imports all forty of its plugins.
from PIL import AvifImagePlugin, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin  # noqa: F401

from cartoonize.errors import CartoonizeError, DecodeError
from cartoonize.media import kinds
from cartoonize.media.formats import HEIC_MISSING
from cartoonize.method.pixels import MAX_PIXELS

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
TOO_LARGE = f"too many pixels: expected at most {MAX_PIXELS // 1_000_000} million, all frames together"
_REASONS: dict[type[Exception], str] = {
    FileNotFoundError: "no such file: expected the path of a picture",
    IsADirectoryError: "is a folder: expected a picture",
    PermissionError: "permission denied: make the file readable",
    MemoryError: "not enough memory to decode it: expected a smaller picture",
    Image.DecompressionBombError: TOO_LARGE,
    UnidentifiedImageError: f"not a picture, or a damaged one: expected {', '.join(_FORMATS)} or HEIC",
}


def configure_pillow() -> None:
    """Set Pillow's process-wide switches for a program of ours: its size limit to ours, its warnings off.

    Call it once, before threads start; a library must not on import. Without it Pillow's own limit, lower, applies.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.filterwarnings("ignore", module=r"PIL\.")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading and seeking."""
    with open(path, "rb") as stream:
        yield stream if stream.seekable() else BytesIO(stream.read())  # a pipe, as of the shell's <(...)


@contextmanager
def decode_errors() -> Iterator[None]:
    """Turn whatever reading raises into one line: Pillow raises nearly any exception for a hostile file."""
    try:
        yield
    except DecodeError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        known = (text for kind, text in _REASONS.items() if isinstance(error, kind))
        raise DecodeError(next(known, f"cannot be read: {reason.splitlines()[0]}")) from error


def open_picture(stream: IO[bytes]) -> ImageFile.ImageFile:
    """Return the picture whose file begins here, nothing but its header read yet; raises DecodeError."""
    head = stream.read(kinds.HEAD)
    if not head:
        raise DecodeError("the file is empty: expected a picture")
    try:
        return Image.open(stream, formats=_FORMATS)
    except UnidentifiedImageError:
        if head[4:8] != b"ftyp" or head[8:12] not in _HEIF_BRANDS:
            if kind := kinds.of_content(head):
                raise DecodeError(kind) from None
            raise
    register_heif(DecodeError)
    return Image.open(stream, formats=("HEIF",))


def register_heif(error: type[CartoonizeError]) -> None:
    """Teach Pillow HEIC; raises `error` where the package for it is not installed."""
    try:
        import pillow_heif
    except ImportError:
        raise error(HEIC_MISSING) from None
    pillow_heif.register_heif_opener()
