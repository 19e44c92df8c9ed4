"""Put the dark violet and blue ones of a folder of paintings into a folder, as an artist would by hand.

python examples/night_paintings.py PAINTINGS TARGET
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np

from cartoonize.method.pixels import Image, resize
from cartoonize.training.photos import photo_files, read_photo

DARK, VIOLET_OR_BLUE, NOT_GREEN = 45, -4, -6  # of CIELAB: highest L, highest b, lowest a


def main(paintings: Path, target: Path) -> None:
    """Copy the pictures chosen from `paintings` to `target`."""
    target.mkdir(parents=True, exist_ok=True)
    for path in photo_files(paintings):
        if is_night(read_photo(path)):
            shutil.copy(path, target)


def is_night(painting: Image) -> bool:
    """Tell by the mean colour of a painting, uint8 (H, W, 3)."""
    small = resize(painting, (48, 48)).astype(np.float32) / 255
    lightness, green_to_red, blue_to_yellow = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).mean(axis=(0, 1))
    return bool(lightness < DARK and blue_to_yellow < VIOLET_OR_BLUE and green_to_red > NOT_GREEN)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
