"""Put the photos of a folder that show faces into a folder, so that a distillation can give them a share of their own.

python examples/face_photos.py PHOTOS TARGET
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from cartoonize.pixels import Image, resize
from cartoonize.training.teacher import photo_files, read_photo

LONG_SIDE = 400  # photos are searched at this size
SCALE_STEP, WINDOW_STEP = 1.1, 1.0
SMALLEST, LARGEST = (45, 45), (300, 300)  # faces, in pixels
NEIGHBOURS = 9  # detections that must agree: about three of four photos found so show a face


def main(photos: Path, target: Path) -> None:
    """Copy the photos chosen from `photos` to `target`; the detector takes a bottle for a face now and then."""
    target.mkdir(parents=True, exist_ok=True)
    detector = Cascade(lbp_frontal_face_cascade_filename())
    for path in photo_files(photos):
        if shows_face(detector, read_photo(path)):
            shutil.copy(path, target)


def shows_face(detector: Cascade, photo: Image) -> bool:
    """Tell whether the detector finds a face in a photo, uint8 (H, W, 3)."""
    height, width = photo.shape[:2]
    scale = min(1, LONG_SIDE / max(height, width))
    small = resize(photo, (round(scale * height), round(scale * width)))
    faces = detector.detect_multi_scale(
        small, SCALE_STEP, WINDOW_STEP, SMALLEST, LARGEST, min_neighbor_number=NEIGHBOURS
    )
    return bool(faces)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
