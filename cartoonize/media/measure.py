"""How large a picture is, from its header alone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO

from cartoonize.errors import DecodeError
from cartoonize.media.containers import jpeg
from cartoonize.media.opening import decode_errors, open_picture, opened


def measure(source: Path | bytes, *, salvage: bool = False) -> tuple[int, int, int]:
    """Return (height, width, frames) of a picture file, or of the bytes of one, without decoding it.

    salvage: as of `codec.decode`. Raises DecodeError.
    """
    with decode_errors(), BytesIO(source) if isinstance(source, bytes) else opened(source) as stream:
        quick = jpeg.size_of(stream) or _size_by_head(stream)
        if quick and all(quick):
            return quick
        picture = open_picture(stream, salvage=salvage)
        width, height = picture.upright_size
        if not (width and height):
            raise DecodeError("a damaged picture: its header says that it has no pixels")
        return height, width, picture.count


def _size_by_head(stream: IO[bytes]) -> tuple[int, int, int] | None:
    # Of no use to a run over JPEGs, which measures no others.
    from cartoonize.media.containers import bmff, png, webp

    return png.size_of(stream) or webp.size_of(stream) or bmff.size_of(stream)
