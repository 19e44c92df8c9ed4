"""Still lifes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from canvas import (
    AUTUMN,
    BRICK,
    CLOTHS,
    FOLIAGE,
    GRASS,
    GROUND,
    HAIRS,
    INK,
    PINE,
    PLUM,
    SIDE,
    SNOW,
    TEAL,
    WALL,
    WATER,
    Poster,
    box,
)


def still_life(poster: Poster) -> None:
    """Fruit, cups, bottles and leaves on a table."""
    poster.canvas[:] = poster.colour(str(poster.draw.choice([t[1] for t in CLOTHS])))
    edge = poster.between(420, 620)
    stripe = poster.draw.choice([t[int(poster.draw.integers(3))] for t in CLOTHS])
    for x in range(0, SIDE, int(poster.between(80, 240))):
        if poster.draw.random() < 0.6:
            poster.fill(poster.polygon(box(x, 0, x + poster.between(10, 60), edge)), str(stripe))
    poster.paint(
        poster.below(np.full(SIDE, edge)), (WALL, GROUND, HAIRS[4], BRICK, TEAL)[int(poster.draw.integers(5))], 30
    )
    for y in np.sort(poster.draw.uniform(edge + 20, 980, int(poster.draw.integers(4, 10)))):
        x, size = poster.between(60, 964), poster.between(60, 150)
        shadow = poster.blob(x - poster.light[0] * size * 0.5, y, size * 1.2, size * 0.25, 0.03)
        poster.fill(shadow, str(poster.draw.choice([HAIRS[4][2], INK, PLUM[1]])))
        THINGS[int(poster.draw.integers(len(THINGS)))](poster, x, y, size)


def fruit(poster: Poster, x: float, y: float, size: float) -> None:
    tones = (BRICK, AUTUMN, GROUND, GRASS, PLUM)[int(poster.draw.integers(5))]
    poster.paint(poster.blob(x, y - size * 0.7, size * 0.8, size * 0.75, 0.03), tones, size * 0.25)
    poster.fill(poster.blob(x, y - size * 1.5, size * 0.04, size * 0.2, 0.1), INK)
    poster.paint(poster.blob(x + size * 0.25, y - size * 1.5, size * 0.28, size * 0.1, 0.1), FOLIAGE, size * 0.05)


def cup(poster: Poster, x: float, y: float, size: float) -> None:
    tones = CLOTHS[int(poster.draw.integers(len(CLOTHS)))]
    poster.paint(poster.blob(x + size * 0.75, y - size * 0.6, size * 0.35, size * 0.35, 0.02), tones, size * 0.1)
    body = [
        (x - size * 0.8, y - size * 1.2),
        (x + size * 0.8, y - size * 1.2),
        (x + size * 0.55, y),
        (x - size * 0.55, y),
    ]
    poster.paint(poster.polygon(np.array(body)), tones, size * 0.25)
    poster.paint(poster.blob(x, y - size * 1.2, size * 0.8, size * 0.2, 0.01), WALL, size * 0.1)
    poster.fill(poster.blob(x, y - size * 1.18, size * 0.66, size * 0.13, 0.01), HAIRS[4][1])


def bottle(poster: Poster, x: float, y: float, size: float) -> None:
    tones = (PINE, FOLIAGE, PLUM, AUTUMN, WATER)[int(poster.draw.integers(5))]
    poster.paint(poster.polygon(box(x - size * 0.15, y - size * 3.2, x + size * 0.15, y - size * 2)), tones, size * 0.1)
    poster.paint(poster.blob(x, y - size * 1.1, size * 0.5, size * 1.15, 0.01), tones, size * 0.2)
    poster.paint(
        poster.polygon(box(x - size * 0.42, y - size * 1.4, x + size * 0.42, y - size * 0.7)), WALL, size * 0.1
    )


def flowers(poster: Poster, x: float, y: float, size: float) -> None:
    cup(poster, x, y, size * 0.8)
    tones = (BRICK, SNOW, GROUND, PLUM, AUTUMN)[int(poster.draw.integers(5))]
    for _ in range(int(poster.draw.integers(5, 12))):
        at = x + poster.draw.normal(0, size * 0.6), y - size * poster.between(1.2, 2.6)
        leaf = poster.draw.random() < 0.4
        poster.paint(poster.blob(*at, size * 0.3, size * 0.22, 0.2), FOLIAGE if leaf else tones, size * 0.1)
        if not leaf:
            poster.fill(poster.blob(*at, size * 0.08, size * 0.08, 0.1), INK)


THINGS: tuple[Callable[[Poster, float, float, float], None], ...] = (fruit, fruit, cup, bottle, flowers)
