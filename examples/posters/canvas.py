"""The palette, and a poster in the making."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
Tones = tuple[str, str, str]  # in light, of itself, in shadow

SIDE = 1024  # pixels while drawing; half of it is kept, so that edges are smooth
INK = "1d2740"
FOLIAGE: Tones = ("c3cc8c", "7aa06c", "2b6460")
PINE: Tones = ("4d9a90", "1f5563", INK)
AUTUMN: Tones = ("f2b34c", "dd7a3a", "8c3b3a")
ROCK: Tones = ("f3bd8a", "d9764a", "74395a")
SLATE: Tones = ("a9bfc0", "66828f", "38506a")
SNOW: Tones = ("fbf1da", "cfdcd2", "7fa3a8")
GROUND: Tones = ("f4d58a", "e0a63a", "a8642f")
GRASS: Tones = ("d7cf7c", "9db05c", "4c7f5e")
WATER: Tones = ("b5d9cd", "5aa7a3", "2d6f7d")
WALL: Tones = ("f9ecd0", "ecd3a4", "c98d6a")
BRICK: Tones = ("ec9a6c", "c9553f", "7a2f3b")
PLUM: Tones = ("a87a94", "5f3f66", "31284c")
TEAL: Tones = ("7fc0b4", "2f8585", "1f4b5c")
COAL: Tones = ("56607c", "2c3550", "171c33")
SKINS: tuple[Tones, ...] = (
    ("f9d9b6", "efb188", "bd684f"),
    ("f3c79a", "dc9263", "96503f"),
    ("c98a5e", "96573c", "562d35"),
)
HAIRS: tuple[Tones, ...] = (COAL, AUTUMN, GROUND, PLUM, ("a8683f", "6e3b34", "3a2233"), SNOW)
CLOTHS: tuple[Tones, ...] = (BRICK, TEAL, PLUM, GROUND, WALL, COAL, FOLIAGE, SLATE)


class Poster:
    """One picture in the making: a canvas, the direction that light comes from, and a source of random numbers."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
        self.light = np.array([self.draw.choice([-1.0, 1.0]), -0.6])
        self.pen = int(self.draw.integers(3, 8))
        self.tint = self.draw.normal(0, 5, 3)

    def between(self, low: float, high: float) -> float:
        return float(self.draw.uniform(low, high))

    def colour(self, code: str) -> tuple[int, ...]:
        values = np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) + self.tint
        return tuple(int(v) for v in np.clip(values, 0, 255))

    def polygon(self, points: NDArray[np.float64]) -> Mask:
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 255)
        return mask

    def blob(self, x: float, y: float, wide: float, high: float, rough: float = 0.08) -> Mask:
        """A closed curve about (x, y): an ellipse with a few random waves on it."""
        angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
        radius = 1 + sum(
            self.draw.normal(0, rough / k) * np.cos(k * angle + self.between(0, 2 * np.pi)) for k in range(2, 9)
        )
        return self.polygon(np.stack([x + wide * radius * np.cos(angle), y + high * radius * np.sin(angle)], axis=1))

    def fill(self, mask: Mask, code: str) -> None:
        box = around(mask, 0)
        self.canvas[box][mask[box] > 0] = self.colour(code)

    def paint(self, mask: Mask, tones: Tones, depth: float, outline: bool = True) -> None:
        """A flat shape in three tones: its rim towards the light and its rim away from it, `depth` pixels wide."""
        box = around(mask, int(depth) + 2 * self.pen)
        canvas, part = self.canvas[box], mask[box]
        canvas[part > 0] = self.colour(tones[1])
        for code, toward in ((tones[2], 1.0), (tones[0], -0.55)):
            x, y = self.light * depth * toward
            canvas[(part & ~moved(part, x, y)) > 0] = self.colour(code)
        if outline:
            edge = cv2.morphologyEx(part, cv2.MORPH_GRADIENT, np.ones((self.pen, self.pen), np.uint8))
            canvas[edge > 0] = self.colour(INK)

    def ridge(self, height: float, amount: float, rough: float) -> NDArray[np.float64]:
        """Heights of a skyline in pixels from the top, one for every column."""
        x = np.linspace(0, 1, SIDE)
        waves = [
            self.draw.normal() * rough**k * np.sin(2 * np.pi * (2**k * 0.7 * x + self.between(0, 1))) for k in range(7)
        ]
        return np.asarray(height + amount * np.sum(waves, axis=0))

    def below(self, line: NDArray[np.float64]) -> Mask:
        return np.asarray((np.arange(SIDE)[:, None] > line[None]) * 255, np.uint8)


def around(mask: Mask, margin: int) -> tuple[slice, slice]:
    """The rows and columns that a mask takes up, with a margin."""
    x, y, wide, high = cv2.boundingRect(mask)
    return slice(max(0, y - margin), y + high + margin), slice(max(0, x - margin), x + wide + margin)


def moved(mask: Mask, x: float, y: float) -> Mask:
    """The mask shifted by (x, y) pixels, its border repeated."""
    matrix = np.array([[1, 0, -x], [0, 1, -y]], np.float64)
    size = mask.shape[1], mask.shape[0]
    flags, border = cv2.INTER_NEAREST, cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(mask, matrix, size, flags=flags, borderMode=border), np.uint8)


def box(x: float, y: float, right: float, low: float) -> NDArray[np.float64]:
    """The corners of an upright rectangle."""
    return np.array([[x, y], [right, y], [right, low], [x, low]])
