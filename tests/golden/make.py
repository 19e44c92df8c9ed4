"""Remake the golden pictures after the built-in weights have changed: look at them before you commit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cartoonize import Cartoonizer
from cartoonize.generators.weights import BUILTIN

HERE = Path(__file__).parent
PHOTOS = HERE.parents[1] / "examples" / "photos"
NAMES = ("astronaut", "coffee")


def cartoon(name: str, weights: str) -> np.ndarray:
    """A small cartoon of an example photo, at the working size."""
    with Image.open(PHOTOS / f"{name}.jpg") as photo:
        return Cartoonizer(weights, size=160, output_size="work")(np.asarray(photo))


def golden(name: str, weights: str) -> Path:
    """Where the picture is kept."""
    return HERE / f"{name}_{weights}.png"


if __name__ == "__main__":
    for name in NAMES:
        for weights in BUILTIN:
            Image.fromarray(cartoon(name, weights)).save(golden(name, weights), optimize=True)
