"""One picture that stands for a film."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cartoonize.errors import DecodeError
from cartoonize.media.film.colors import ToRGB
from cartoonize.media.film.description import describe
from cartoonize.method.pixels import Image, resize

if TYPE_CHECKING:
    from pathlib import Path


def still(path: Path) -> Image:
    """Return the frame in the middle of a film, uint8 (H, W, 3), upright and as wide as it is shown.

    The first is often black.
    Raises DecodeError when it cannot be read.
    """
    film = describe(path)
    size = (film.height, film.width) if film.turn.sideways else (film.width, film.height)
    for timed in film.reader().frames((film.start + film.end) // 2 - (film.end - film.start) // film.frames):
        image = np.ascontiguousarray(film.turn(ToRGB(film.color, size, (255, 255, 255))(timed.frame)))
        return resize(image, (film.height, max(1, round(film.width * film.aspect))))
    raise DecodeError("no frame in its middle can be decoded")
