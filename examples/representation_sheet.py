"""Make the sheet in the docs of a photo's views in Python: `python examples/representation_sheet.py [TARGET]`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cartoonize import Cartoonizer
from cartoonize.pages.photo_views import Knobs, take_apart
from cartoonize.pages.sheet import sheet

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"


def main(target: Path) -> None:
    with Image.open(HERE / "photos" / "astronaut.jpg") as image:
        photo = np.asarray(image)
    tiles = list(take_apart(photo, Cartoonizer("fast"), "fast", Knobs()).values())
    Image.fromarray(sheet([tiles[:3], tiles[3:]], longest=400)).save(target, quality=85)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES / "representation_sheet.jpg")
