"""How large a picture is, from its header alone."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from cartoonize.media.containers import jpeg
from cartoonize.media.opening import decode_errors, open_picture, opened


def measure(path: Path) -> tuple[int, int, int]:
    """Return (height, width, frames) of a picture file without decoding it; raises DecodeError."""
    with decode_errors(), opened(path) as stream:
        if quick := jpeg.size_of(stream) or _size_of_png(stream):
            return quick
        picture = open_picture(stream)
        width, height = picture.upright_size
        return height, width, picture.count


def _size_of_png(stream: IO[bytes]) -> tuple[int, int, int] | None:
    from cartoonize.media.containers import png  # of no use to a run over JPEGs, which measures none

    return png.size_of(stream)
