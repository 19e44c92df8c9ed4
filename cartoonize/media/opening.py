"""Opening picture files, which may be damaged or hostile: what is read at all, and one line for what is not."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from cartoonize.errors import DecodeError
from cartoonize.media import kinds, native_words, readers
from cartoonize.media.containers import jpeg
from cartoonize.media.files import read_bounded
from cartoonize.media.picture import TOO_LARGE, Picture
from cartoonize.method.pixels import MAX_PIXELS

_FORMATS = "JPEG, PNG, WEBP, TIFF, BMP, GIF, AVIF, HEIC or another kind of picture"
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"avif", b"avis")
_PNG = b"\x89PNG\r\n\x1a\n"
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")
_BLOCK_BYTES = 1 << 26  # of Pillow's memory: so large a block the C library takes from the system and gives back to it
_REASONS: dict[type[Exception], str] = {
    FileNotFoundError: "no such file: expected the path of a picture",
    IsADirectoryError: "is a folder: expected a picture",
    PermissionError: "permission denied: make the file readable",
    MemoryError: "not enough memory to decode it: expected a smaller picture",
    Image.DecompressionBombError: TOO_LARGE,
    UnidentifiedImageError: f"not a picture, or a damaged one: expected {_FORMATS}",
}
_DAMAGED = "cut short or damaged: get the whole file again"
_OF_CUT_FILES = ("truncated", "not enough image data", "data stream", "unexpected end", "decompressing")


def configure_pillow() -> None:
    """Set process-wide switches for a program of ours: Pillow's size limit to ours, warnings and native words off.

    Call it once, before threads start; a library must not on import. Without it Pillow's own limit, lower, applies.
    """
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    Image.core.set_block_size(_BLOCK_BYTES)  # type: ignore[attr-defined]  # Pillow documents it by an environment variable
    native_words.silence()
    warnings.filterwarnings("ignore", module=r"PIL\.")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading and seeking."""
    with open(path, "rb") as stream:
        yield stream if stream.seekable() else BytesIO(read_bounded(stream))  # a pipe, as of the shell's <(...)


@contextmanager
def decode_errors() -> Iterator[None]:
    """Turn whatever reading raises into one line: Pillow raises nearly any exception for a hostile file."""
    try:
        yield
    except DecodeError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        known = [text for kind, text in _REASONS.items() if isinstance(error, kind)]
        known += [_DAMAGED] * any(words in reason.lower() for words in _OF_CUT_FILES)
        raise DecodeError(next(iter(known), f"cannot be read: {reason.splitlines()[0]}")) from error


def open_picture(stream: IO[bytes], *, salvage: bool = False) -> Picture:
    """Return the picture whose file this is; raises DecodeError, or what Pillow raises.

    `salvage` takes what is there of a file that is cut short.
    """
    head = stream.read(kinds.HEAD)
    if not head:
        raise DecodeError("the file is empty: expected a picture")
    stream.seek(0)
    if jpeg.is_jpeg(head):
        return readers.read_jpeg(read_bounded(stream), salvage=salvage)
    if head.startswith(_PNG):
        return readers.read_png(read_bounded(stream), salvage=salvage)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return readers.read_gif(read_bounded(stream), salvage=salvage)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return readers.read_webp(read_bounded(stream), salvage=salvage)
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        from cartoonize.media.bmff_reader import read_bmff

        return read_bmff(read_bounded(stream))
    return _open_other(stream, head, salvage=salvage)


def _open_other(stream: IO[bytes], head: bytes, *, salvage: bool) -> Picture:
    """Open a RAW photo, a TIFF, or a still that is not written; what reads those is imported here alone."""
    from cartoonize.media import raw, stills

    if raw.is_raw(head, stream):
        return raw.read_raw(stream)
    if head.startswith(_TIFFS):
        from cartoonize.media.tiff_reader import read_tiff

        return read_tiff(stream, salvage=salvage)
    if name := stills.name_of(head):
        try:
            return stills.read_still(read_bounded(stream), name, salvage=salvage)
        except UnidentifiedImageError:
            raise DecodeError(_DAMAGED) from None
    raise DecodeError(kinds.of_content(head) or _REASONS[UnidentifiedImageError])
