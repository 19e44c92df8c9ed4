"""How a film is to be turned to stand upright: its display matrix, rounded to quarter turns."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cartoonize.method.pixels import Image

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


@dataclass(frozen=True)
class Turn:
    """Quarter turns counterclockwise (0 to 3), after mirroring left and right."""

    quarters: int = 0
    mirrored: bool = False

    @property
    def sideways(self) -> bool:
        """Whether width and height change places."""
        return self.quarters % 2 == 1

    def __call__(self, image: Image) -> Image:
        """Turn a picture (H, W, 3) upright; a view of it where possible."""
        return np.rot90(image[:, ::-1] if self.mirrored else image, self.quarters)


def turn_of(frame: VideoFrame) -> Turn:
    """Read the display matrix of a decoded frame; none means upright, odd angles go to the nearest quarter."""
    sides: Any = frame.side_data
    try:
        matrix = sides["DISPLAYMATRIX"]
    except KeyError:
        return Turn()
    a, b, _, c, d = struct.unpack_from("=5i", bytes(matrix))  # x' = a·x + c·y, y' = b·x + d·y
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    return Turn(round(np.degrees(np.arctan2(-b, a)) / 90) % 4, mirrored)
