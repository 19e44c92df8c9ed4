"""Pictures about a training, as files."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image as PillowImage

from cartoonize.media.files import write_atomically
from cartoonize.method.pixels import Image


def write_png(path: Path, image: Image) -> None:
    """Write a picture whole or not at all, creating its folder."""
    stream = io.BytesIO()
    PillowImage.fromarray(image).save(stream, "PNG")
    write_atomically(path, stream.getvalue(), overwrite=True)
