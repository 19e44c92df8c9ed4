"""Make before/after pictures with the Python API: `python examples/before_after.py [TARGET [WEIGHTS …]]`.

Without anything that of README and docs; with `docs/pictures/poster.jpg comic examples/poster.tflite` the style's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cartoonize import Cartoonizer

WIDTH = 1200  # pixels
HERE = Path(__file__).parent
PICTURES = HERE.parent / "docs" / "pictures"


def main(target: Path = PICTURES / "before_after.jpg", *weights: str) -> None:
    looks = [Cartoonizer(name) for name in weights or ("fast", "comic")]
    rows = []
    for name in ("astronaut", "coffee"):
        with Image.open(HERE / "photos" / f"{name}.jpg") as image:
            photo = np.asarray(image)
        rows.append(np.hstack([photo, *(look(photo) for look in looks)]))
    fitted = [Image.fromarray(row).resize((WIDTH, round(row.shape[0] * WIDTH / row.shape[1]))) for row in rows]
    sheet = Image.new("RGB", (WIDTH, sum(row.height for row in fitted)))
    top = 0
    for row in fitted:
        sheet.paste(row, (0, top))
        top += row.height
    sheet.save(target, quality=90)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]), *sys.argv[2:])
