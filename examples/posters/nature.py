"""Skies, mountains and trees."""

from __future__ import annotations

import cv2
import numpy as np
from canvas import AUTUMN, FOLIAGE, GRASS, HAIRS, PINE, PLUM, ROCK, SIDE, SLATE, SNOW, TEAL, Poster

SKIES: tuple[tuple[str, ...], ...] = (
    ("3c8d8c", "7dbab0", "b9d9c8", "f7e8c8"),
    ("9fcfcb", "c4e0d3", "e4eddb", "fbf1da"),
    ("fbf1da", "fbf1da", "f7e8c8", "f6d6a4"),
    ("f7e8c8", "fbf1da", "f9ecd0", "d8e5d3"),
    ("f3a95c", "f6c27d", "f9d9a2", "fbf1da"),
    ("2b4d6b", "3f7088", "74a3a6", "d9e6d6"),
    ("5f3f66", "a5566a", "e07f57", "f6bd7d"),
)


def sky(poster: Poster, horizon: float) -> None:
    """Flat bands with wavy edges, perhaps a sun, some clouds."""
    bands = SKIES[int(poster.draw.integers(len(SKIES)))]
    poster.canvas[:] = poster.colour(bands[0])
    for n, code in enumerate(bands[1:], 1):
        poster.fill(poster.below(poster.ridge(horizon * n / len(bands), 14, 0.5)), code)
    if poster.draw.random() < 0.5:
        x, y, radius = poster.between(100, 924), poster.between(80, horizon), poster.between(40, 120)
        poster.fill(poster.blob(x, y, radius, radius, 0.005), str(poster.draw.choice(["fbf1da", "f2b34c", "e2763c"])))
    for _ in range(int(poster.draw.integers(0, 5))):
        cloud(poster, poster.between(0, SIDE), poster.between(40, max(60, horizon - 60)))


def cloud(poster: Poster, x: float, y: float) -> None:
    size = poster.between(30, 90)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for k in range(int(poster.draw.integers(3, 7))):
        mask |= poster.blob(x + (k - 2) * size * 0.9, y - poster.between(0, size * 0.5), size, size * 0.55, 0.05)
    mask[int(min(SIDE, max(0, y + size * 0.25))) :] = 0
    poster.paint(mask, SNOW, size * 0.35, outline=poster.draw.random() < 0.4)


def mountains(poster: Poster, horizon: float) -> None:
    """Two to four ranges, each nearer and darker, with facets in light and shadow and perhaps snow."""
    layers = int(poster.draw.integers(1, 4))
    for n in range(layers):
        line = poster.ridge(horizon - (layers - n) * poster.between(40, 90), poster.between(30, 110) / (n + 1), 0.62)
        mask = poster.below(line)
        tones = (ROCK, SLATE, PLUM, TEAL)[int(poster.draw.integers(4))]
        poster.paint(mask, tones, poster.between(20, 70))
        slope = np.gradient(cv2.GaussianBlur(line[None], (0, 0), 9)[0])
        facet = poster.below(line + 8 + np.abs(poster.ridge(0, 50, 0.75))) ^ mask
        poster.fill(facet & np.asarray((slope * poster.light[0] > 0)[None] * 255, np.uint8), tones[0])
        if n == 0 and poster.draw.random() < 0.5:
            poster.fill(mask & ~poster.below(np.minimum(line + 40, horizon - 120 + poster.ridge(0, 30, 0.8))), SNOW[0])


def pine(poster: Poster, x: float, y: float, size: float) -> None:
    tones = (PINE, FOLIAGE, TEAL)[int(poster.draw.choice(3, p=[0.7, 0.15, 0.15]))]
    for k in range(4):
        top, wide = y - size * (1 - 0.2 * k), size * (0.12 + 0.09 * k)
        low = y - size * (0.62 - 0.19 * k)
        jag = np.linspace(-1, 1, 9)
        foot = np.stack([x + jag[::-1] * wide, low + poster.draw.normal(0, size * 0.02, 9)], axis=1)
        poster.paint(poster.polygon(np.vstack([[x, top], foot])), tones, size * 0.06, outline=False)


def tree(poster: Poster, x: float, y: float, size: float) -> None:
    trunk = [
        (x - size * 0.05, y),
        (x - size * 0.03, y - size * 0.6),
        (x + size * 0.03, y - size * 0.6),
        (x + size * 0.06, y),
    ]
    poster.paint(poster.polygon(np.array(trunk)), HAIRS[4], size * 0.03)
    tones = (FOLIAGE, AUTUMN, GRASS, PINE)[int(poster.draw.integers(4))]
    for _ in range(int(poster.draw.integers(4, 9))):
        at = x + poster.draw.normal(0, size * 0.18), y - size * poster.between(0.55, 0.95)
        poster.paint(poster.blob(*at, size * 0.2, size * 0.15, 0.12), tones, size * 0.07, poster.draw.random() < 0.5)
