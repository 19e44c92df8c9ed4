"""Make a picture of a failure for docs/training.md: the photos, what weights draw of them, and what others do.

    python examples/failures.py docs/pictures/failure_blotches.jpg FAILED [CURED …]

All of them are weights (`--weights`); which trainings they came from is written below the table of the failures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cartoonize import Cartoonizer

HEIGHT = 150  # pixels of a photo
PHOTOS = Path(__file__).parent / "photos"


def main(target: Path, *weights: str) -> None:
    looks = [Cartoonizer(name, size=320, output_size="work") for name in weights]
    tiles = []
    for draw in (np.asarray, *looks):
        for name in ("astronaut", "coffee"):
            with Image.open(PHOTOS / f"{name}.jpg") as image:
                drawn = Image.fromarray(draw(np.asarray(image)))
            tiles.append(
                np.asarray(drawn.resize((round(drawn.width * HEIGHT / drawn.height), HEIGHT), Image.Resampling.BOX))
            )
    Image.fromarray(np.hstack(tiles)).save(target, quality=85)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
