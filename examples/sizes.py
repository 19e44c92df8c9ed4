"""Make the picture in the docs of what --size does to a large photo: `python examples/sizes.py [TARGET]`.

The astronaut, enlarged four times, stands in for a photo of 2048 x 2048 pixels; shown is the part around her face.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cartoonize import Cartoonizer
from cartoonize.pages.sheet import Tile, sheet

HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"
PART = np.s_[0:1280, 320:1600]


def main(target: Path) -> None:
    with Image.open(HERE / "photos" / "astronaut.jpg") as image:
        photo = np.asarray(image.resize((2048, 2048), Image.Resampling.LANCZOS))
    tiles = [Tile(photo[PART], "photo", "2048 x 2048 pixels, a part")]
    for size in (360, 720, "full"):
        tiles.append(Tile(Cartoonizer("fast", size=size)(photo)[PART], f"--size {size}"))
    Image.fromarray(sheet([tiles], longest=400)).save(target, quality=88)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES / "sizes.jpg")
