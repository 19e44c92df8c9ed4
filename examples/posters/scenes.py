"""Landscapes and streets."""

from __future__ import annotations

import numpy as np
from canvas import (
    AUTUMN,
    BRICK,
    CLOTHS,
    COAL,
    FOLIAGE,
    GRASS,
    GROUND,
    HAIRS,
    PINE,
    PLUM,
    ROCK,
    SIDE,
    SKINS,
    SLATE,
    SNOW,
    TEAL,
    WALL,
    WATER,
    Poster,
    Tones,
    box,
)
from nature import mountains, pine, sky, tree


def landscape(poster: Poster) -> None:
    horizon = poster.between(380, 680)
    sky(poster, horizon)
    if poster.draw.random() < 0.8:
        mountains(poster, horizon)
    for n in range(int(poster.draw.integers(1, 4))):
        line = poster.ridge(horizon + n * poster.between(60, 130), 18, 0.5)
        tones = (GRASS, GROUND, FOLIAGE, WATER, SNOW, SLATE)[int(poster.draw.integers(6))]
        mask = poster.below(line)
        poster.paint(mask, tones, 30)
        for _ in range(int(poster.draw.integers(2, 14))):
            y, wide = poster.between(horizon, SIDE), poster.between(30, 200)
            streak = poster.blob(poster.between(0, SIDE), y, wide, wide * poster.between(0.04, 0.12), 0.1)
            poster.fill(streak & mask, tones[int(poster.draw.choice([0, 2]))])
        for _ in range(int(poster.draw.integers(0, 14))):
            size = poster.between(60, 160) * (1 + n)
            (pine if poster.draw.random() < 0.5 else tree)(
                poster, poster.between(0, SIDE), line[int(poster.draw.integers(SIDE))] + size * 0.2, size
            )
    if poster.draw.random() < 0.3:
        figure(poster, poster.between(250, 770), poster.between(820, 1000), poster.between(60, 130))


def street(poster: Poster) -> None:
    """A row of houses with roofs, windows and doors on a street."""
    foot = poster.between(680, 900)
    sky(poster, foot)
    if poster.draw.random() < 0.5:
        mountains(poster, foot - 150)
    x = -poster.between(0, 200)
    while x < SIDE:
        wide, high = poster.between(120, 360), poster.between(260, 620)
        house(poster, x, foot, wide, high)
        x += wide
    poster.paint(poster.below(np.full(SIDE, foot)), (GROUND, SLATE, WALL)[int(poster.draw.integers(3))], 25)
    for _ in range(int(poster.draw.integers(0, 4))):
        tree(poster, poster.between(0, SIDE), foot + 40, poster.between(200, 420))
    for _ in range(int(poster.draw.integers(0, 5))):
        figure(poster, poster.between(50, 970), foot + poster.between(20, 120), poster.between(45, 90))


def house(poster: Poster, x: float, foot: float, wide: float, high: float) -> None:
    walls = (WALL, BRICK, ROCK, TEAL, SLATE, GROUND)[int(poster.draw.integers(6))]
    poster.paint(poster.polygon(box(x, foot - high, x + wide, foot)), walls, wide * 0.12)
    top = foot - high
    roof = [(x - 8, top), (x + wide * 0.2, top - wide * 0.3), (x + wide * 0.8, top - wide * 0.3), (x + wide + 8, top)]
    poster.paint(poster.polygon(np.array(roof)), (BRICK, PLUM, COAL, AUTUMN)[int(poster.draw.integers(4))], wide * 0.08)
    columns, rows = int(poster.draw.integers(2, 5)), int(high // poster.between(90, 150))
    panes: Tones = (PINE, COAL, ("fbf1da", "f2b34c", "dd7a3a"), WATER)[int(poster.draw.integers(4))]
    for i in range(columns):
        for j in range(rows):
            left, upper = x + wide * (i + 0.25) / columns, top + high * (j + 0.2) / rows
            pane = box(left, upper, left + wide * 0.5 / columns, upper + high * 0.5 / rows)
            poster.paint(poster.polygon(pane), panes, 8)


def figure(poster: Poster, x: float, y: float, size: float) -> None:
    """A person from afar: legs, coat, head."""
    cloth, legs = (CLOTHS[int(i)] for i in poster.draw.integers(len(CLOTHS), size=2))
    poster.paint(poster.polygon(box(x - size * 0.25, y - size, x + size * 0.25, y)), legs, size * 0.12)
    poster.paint(poster.blob(x, y - size * 1.4, size * 0.42, size * 0.75, 0.06), cloth, size * 0.15)
    poster.paint(
        poster.blob(x, y - size * 2.35, size * 0.24, size * 0.28, 0.02), SKINS[int(poster.draw.integers(3))], 8
    )
    hair = poster.blob(x, y - size * 2.5, size * 0.26, size * 0.2, 0.08)
    poster.paint(hair, HAIRS[int(poster.draw.integers(6))], 6)
