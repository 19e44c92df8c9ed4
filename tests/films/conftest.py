from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cartoonize.films.filming import Filmed
from cartoonize.films.maker import FilmMaker
from cartoonize.films.options import FilmOptions
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.method.pixels import Array, Image


class Inverter(FilmMaker):
    """Stands for a Cartoonizer: inverts, at once, and counts the pixels it was given."""

    field = ReceptiveField(alignment=4, halo=8)

    workers = 2

    def __init__(self, **identity: Any) -> None:
        self.pixels = 0
        self._identity = identity

    @property
    def identity(self) -> dict[str, Any]:
        return self._identity

    def engine(self, batch: Array) -> Array:  # type: ignore[override]  # an attribute, here a method
        self.pixels += batch.shape[1] * batch.shape[2]
        return -batch

    def work(self, image: Image) -> Image:
        return image

    def finish(self, image: Image, work: Image, cartoon: Array) -> Image:
        return np.clip((cartoon + 1) * 127.5 + 0.5, 0, 255).astype(np.uint8)


def film(
    source: Path, target: Path, *, artist: Inverter | None = None, overwrite: bool = False, **options: Any
) -> Filmed:
    """Convert a film with inverted colours, each frame for itself."""
    how = FilmOptions(**{"steady": 0.0, **options})
    return (artist or Inverter()).video(source, target, how, overwrite=overwrite)


@pytest.fixture
def inverter() -> Inverter:
    return Inverter()
