"""How large a picture is, from its header alone."""

from __future__ import annotations

from pathlib import Path

from cartoonize.media.formats import ANIMATION
from cartoonize.media.opening import decode_errors, open_picture


def measure(path: Path) -> tuple[int, int, int]:
    """Return (height, width, frames) of a picture file without decoding it; raises DecodeError."""
    with decode_errors(), open(path, "rb") as stream, open_picture(stream) as image:
        frames = getattr(image, "n_frames", 1) if image.format in ANIMATION else 1
        return image.height, image.width, frames
