from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cartoonize.films.commission import FilmOptions, commission
from cartoonize.films.filming import Filmed, Filming
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.method.pixels import Array, Image


class Inverter:
    """Stands for a Cartoonizer: inverts, at once, and counts the pixels it was given."""

    field = ReceptiveField(alignment=4, halo=8)

    def __init__(self) -> None:
        self.pixels = 0

    def engine(self, batch: Array) -> Array:
        self.pixels += batch.shape[1] * batch.shape[2]
        return -batch

    def work(self, image: Image) -> Image:
        return image

    def finish(self, image: Image, work: Image, cartoon: Array) -> Image:
        return np.clip((cartoon + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8)


def film(source: Path, target: Path, *, artist: Any = None, overwrite: bool = False, **options: Any) -> Filmed:
    """Convert a film with inverted colours."""
    order = commission(source, target, FilmOptions(**options))
    return Filming(order, artist or Inverter(), {}, workers=2).run(lambda _: None, overwrite=overwrite)


@pytest.fixture
def inverter() -> Inverter:
    return Inverter()
