"""Portraits."""

from __future__ import annotations

import numpy as np
from canvas import CLOTHS, HAIRS, INK, SIDE, SKINS, SNOW, Poster, Tones, box
from scenes import landscape, street


def portrait(poster: Poster) -> None:
    """Head and shoulders in front of a landscape, a street or a flat ground."""
    ground = poster.draw.random()
    if ground < 0.4:
        poster.canvas[:] = poster.colour(str(poster.draw.choice([t[k] for t in CLOTHS for k in (0, 1)])))
        for _ in range(int(poster.draw.integers(0, 4))):
            where = poster.between(0, SIDE), poster.between(0, SIDE)
            poster.fill(
                poster.blob(*where, poster.between(80, 400), poster.between(80, 400)),
                poster.draw.choice(np.array(CLOTHS).ravel()),
            )
    else:
        (landscape if ground < 0.75 else street)(poster)
    size = poster.between(170, 330)
    x, y = poster.between(330, 690), poster.between(330, 520)
    skin, hair = SKINS[int(poster.draw.choice(3, p=[0.5, 0.3, 0.2]))], HAIRS[int(poster.draw.integers(6))]
    long = poster.draw.random() < 0.5
    if long:
        poster.paint(poster.blob(x, y + size * 0.35, size * 0.95, size * 1.35, 0.05), hair, size * 0.12)
    poster.paint(poster.polygon(box(x - size * 0.3, y + size * 0.5, x + size * 0.3, y + size * 1.5)), skin, size * 0.15)
    cloth = CLOTHS[int(poster.draw.integers(len(CLOTHS)))]
    poster.paint(poster.blob(x, y + size * 2.4, size * 1.6, size * 1.25, 0.04), cloth, size * 0.2)
    for _ in range(int(poster.draw.integers(2, 7))):
        fold = poster.blob(x + poster.draw.normal(0, size * 0.7), y + size * 2.1, size * 0.04, size * 0.5, 0.2)
        poster.fill(fold, cloth[int(poster.draw.choice([0, 2]))])
    poster.paint(poster.blob(x, y, size * 0.72, size, 0.02), skin, size * 0.2)
    face(poster, x, y, size, skin, hair)
    fringe = poster.blob(x, y - size * 0.75, size * 0.78, size * 0.42, 0.12)
    poster.paint(fringe, hair, size * 0.1)
    for _ in range(int(poster.draw.integers(3, 9))):
        lock = poster.blob(x + poster.draw.normal(0, size * 0.4), y - size * 0.78, size * 0.05, size * 0.25, 0.15)
        poster.fill(lock & fringe, hair[int(poster.draw.choice([0, 2]))])


def face(poster: Poster, x: float, y: float, size: float, skin: Tones, hair: Tones) -> None:
    """Eyes with brows, a nose by its shadow, a mouth, a cheek."""
    side = float(np.sign(poster.light[0]))
    for eye in (-1, 1):
        at = x + eye * size * 0.3
        poster.fill(poster.blob(at, y - size * 0.08, size * 0.17, size * 0.1, 0.05), skin[2])
        poster.paint(poster.blob(at, y - size * 0.06, size * 0.14, size * 0.075, 0.03), SNOW, size * 0.02)
        poster.fill(poster.blob(at, y - size * 0.06, size * 0.06, size * 0.07, 0.02), INK)
        poster.fill(poster.blob(at - 4, y - size * 0.08, size * 0.018, size * 0.018, 0.02), "fbf1da")
        poster.fill(poster.blob(at, y - size * 0.26, size * 0.17, size * 0.035, 0.1), hair[2])
    nose = [(x, y - size * 0.1), (x - side * size * 0.16, y + size * 0.28), (x, y + size * 0.3)]
    poster.fill(poster.polygon(np.array(nose)), skin[2])
    poster.fill(poster.blob(x, y + size * 0.55, size * 0.22, size * 0.07, 0.06), "c24e3a")
    poster.fill(poster.blob(x, y + size * 0.55, size * 0.22, size * 0.014, 0.05), INK)
    poster.fill(poster.blob(x + side * size * 0.4, y + size * 0.3, size * 0.13, size * 0.09, 0.1), skin[0])
