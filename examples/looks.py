"""Make the pictures of docs/looks.md from an example photo: `python examples/looks.py [FOLDER]`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cartoonize import Cartoonizer
from cartoonize.generators.weights import BUILTIN
from cartoonize.method.retouch import Retouch
from cartoonize.pages.sheet import Tile, sheet

HERE = Path(__file__).parent
SIDE = 360  # pixels of a picture on the sheets
KNOBS = (
    ("fast", Retouch(lines=1), "--lines 1"),
    ("fast", Retouch(keep_colors=1), "--keep-colors 1"),
    ("fast", Retouch(strength=0.5), "--strength 0.5"),
    ("fast", Retouch(strength=1.6), "--strength 1.6"),
    ("comic", Retouch(lines=0), "--lines 0"),
    ("comic", Retouch(lines=2), "--lines 2"),
    ("comic", Retouch(keep_colors=1), "--keep-colors 1"),
    ("comic", Retouch(strength=0.5), "--strength 0.5"),
)
ACROSS = 4


def main(folder: Path) -> None:
    with Image.open(HERE / "photos" / "astronaut.jpg") as image:
        photo = np.asarray(image)
    looks = [Tile(Cartoonizer(name)(photo), name) for name in BUILTIN]
    save([[Tile(photo, "photo"), *looks]], folder / "looks.jpg")
    tiles = [Tile(Cartoonizer(name, retouch=how)(photo), name, option) for name, how, option in KNOBS]
    save([tiles[start : start + ACROSS] for start in range(0, len(tiles), ACROSS)], folder / "knobs.jpg")


def save(rows: list[list[Tile]], target: Path) -> None:
    Image.fromarray(sheet(rows, longest=SIDE)).save(target, quality=82)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "docs" / "pictures")
