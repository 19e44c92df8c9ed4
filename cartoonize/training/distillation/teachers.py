"""Who may teach: a generator, or a procedure that needs none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cartoonize.generators import tiles
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import load
from cartoonize.generators.weights import fingerprint, locate
from cartoonize.machine import available_cores
from cartoonize.method import comic
from cartoonize.method.pixels import Image, to_network
from cartoonize.training.distillation.config import DistillConfig


@dataclass(frozen=True)
class Teacher:
    """draw: photo, uint8 (H, W, 3), to float32 (H, W, 3) in [-1, 1], with a fourth channel of ink where `inks`.

    fingerprint: hexadecimal, another one for another teacher.
    """

    draw: Callable[[Image], NDArray[np.float32]]
    inks: bool
    fingerprint: str


def teacher_of(config: DistillConfig) -> Teacher:
    """Return the teacher that a configuration names; raises WeightsError."""
    return _procedure(config.procedure.look()) if config.procedure else _generator(str(config.teacher))


def _procedure(look: comic.ComicLook) -> Teacher:
    said = f"comic {comic.VERSION} {look}"
    return Teacher(partial(draw_comic, look), True, hashlib.sha256(said.encode()).hexdigest())


def draw_comic(look: comic.ComicLook, photo: Image) -> NDArray[np.float32]:
    """Draw as a generator would: float32 (H, W, 4), colours in [-1, 1] and ink in [0, 1]."""
    views = comic.comic_views(photo, look)
    return np.dstack([to_network(views.toned), views.ink])


def _generator(name: str) -> Teacher:
    weights = locate(name)
    generator = load(name)
    draw = partial(tiles.generate, LiteRTEngine(generator, available_cores()), field=generator.field)
    return Teacher(draw, generator.inks, fingerprint(weights))
