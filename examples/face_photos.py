"""Choose the photos of a folder that show faces, and enlarge these, so that a distillation can give both a share.

python examples/face_photos.py PHOTOS TARGET
"""

from __future__ import annotations

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image as PillowImage
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from cartoonize.method.pixels import Image, resize
from cartoonize.training.photos import photo_files, read_photo

LONG_SIDE = 400  # photos are searched at this size
CLOSE_SIDE = 720  # pixels of an enlarged face with its surroundings: people fill a picture so
LARGEST_SCALE = 3
SCALE_STEP, WINDOW_STEP = 1.1, 1.0
SMALLEST, LARGEST = (45, 45), (300, 300)  # faces, in pixels
NEIGHBOURS = 9  # detections that must agree: about three of four photos found so show a face


class Face(NamedTuple):
    """A face's centre and width, in pixels."""

    y: float
    x: float
    width: float


def main(photos: Path, target: Path) -> None:
    """Copy the photos chosen from `photos` to `target`/whole and enlarge their faces into `target`/close."""
    whole, close = target / "whole", target / "close"
    for folder in (whole, close):
        folder.mkdir(parents=True, exist_ok=True)
    detector = Cascade(lbp_frontal_face_cascade_filename())
    for path in photo_files(photos):
        photo = read_photo(path)
        faces = detected(detector, photo)
        if faces:
            shutil.copy(path, whole)
        for number, square in enumerate(map(partial(surroundings, photo), faces)):
            if LARGEST_SCALE * square.shape[0] >= CLOSE_SIDE:
                PillowImage.fromarray(resize(square, (CLOSE_SIDE, CLOSE_SIDE))).save(
                    close / f"{path.stem}_{number}.png"
                )


def detected(detector: Cascade, photo: Image) -> list[Face]:
    """Return the faces a detector finds in a photo, uint8 (H, W, 3)."""
    height, width = photo.shape[:2]
    scale = min(1, LONG_SIDE / max(height, width))
    small = resize(photo, (round(scale * height), round(scale * width)))
    found = detector.detect_multi_scale(
        small, SCALE_STEP, WINDOW_STEP, SMALLEST, LARGEST, min_neighbor_number=NEIGHBOURS
    )
    return [
        Face((f["r"] + f["height"] / 2) / scale, (f["c"] + f["width"] / 2) / scale, f["width"] / scale) for f in found
    ]


def surroundings(photo: Image, face: Face) -> Image:
    """Cut the square around a face out of a photo, three times as wide as the face where the photo is."""
    height, width = photo.shape[:2]
    side = min(round(3 * face.width), height, width)
    top, left = (min(max(0, round(at - side / 2)), length - side) for at, length in ((face.y, height), (face.x, width)))
    return photo[top : top + side, left : left + side]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
