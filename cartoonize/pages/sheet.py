"""Labelled grids of pictures, for people to look at."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from cartoonize.method.pixels import Image, resize

GAP = 12  # pixels between pictures and around them
PADDING = 4  # pixels between a label and its picture
LEAST_WIDTH = 120  # of a column, for its labels
_PAPER, _INK, _FAINT = (244, 244, 244), (30, 30, 30), (90, 90, 90)
_NO_CHARACTER = "\U0010fffe"  # what every font lacks

_Line: TypeAlias = tuple[str, ImageFont.FreeTypeFont, tuple[int, int, int]]


@dataclass(frozen=True)
class Tile:
    """A picture, uint8 (H, W, 3), its title and the settings it was made with; a title of "" is none."""

    pixels: Image
    title: str = ""
    settings: str = ""


def sheet(rows: Sequence[Sequence[Tile | None]], longest: int | None = None) -> Image:
    """Lay out rows of tiles in columns of one width, each picture below its label; None leaves a place free.

    Pictures with a side of more than `longest` pixels are shrunk to it; none is enlarged. Characters that the font
    lacks (it has those of English) are shown as question marks. Returns uint8 (H, W, 3).
    """
    fitted = [[tile and replace(tile, pixels=shrink(tile.pixels, longest)) for tile in row] for row in rows]
    widths = [tile.pixels.shape[1] for row in fitted for tile in row if tile]
    column = max(LEAST_WIDTH, *widths)
    width = GAP + max(map(len, fitted)) * (column + GAP)
    margin = np.full((GAP, width, 3), _PAPER, np.uint8)
    return np.vstack([margin, *(_draw_row(row, column, width) for row in fitted)])


def shrink(picture: Image, longest: int | None) -> Image:
    """Bring a picture, uint8 (H, W, 3), down to at most `longest` pixels a side; None leaves it as it is."""
    height, width = picture.shape[:2]
    scale = (longest or max(height, width)) / max(height, width)
    if scale >= 1:
        return picture
    return resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))


def _draw_row(row: Sequence[Tile | None], column: int, width: int) -> Image:
    labels = [_label(tile, column) if tile else [] for tile in row]
    head = max(sum(_height(font) for _, font, _ in label) for label in labels)
    head += PADDING if head else 0
    tall = max(tile.pixels.shape[0] for tile in row if tile)
    page = PillowImage.new("RGB", (width, head + tall + GAP), _PAPER)
    pen = ImageDraw.Draw(page)
    for x, tile, label in zip(range(GAP, width, column + GAP), row, labels, strict=False):
        y = 0
        for text, font, ink in label:
            pen.text((x, y), text, ink, font)
            y += _height(font)
        if tile:
            page.paste(PillowImage.fromarray(tile.pixels), (x, head))
    return np.asarray(page)


def _label(tile: Tile, width: int) -> list[_Line]:
    """Break title and settings into lines that fit; the wider the column, the larger the letters."""
    size = min(24, max(12, width // 22))
    lines: list[_Line] = []
    for text, points, ink in ((tile.title, size, _INK), (tile.settings, max(11, size * 3 // 4), _FAINT)):
        font = ImageFont.load_default(points)
        assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101  Pillow's type for no size as well
        lines += [(line, font, ink) for line in _wrap(_legible(text, font), font, width)]
    return lines


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Break text into the longest lines that fit into a width; a word that alone does not is broken too."""
    for letters in range(len(text), 1, -1):
        lines = textwrap.wrap(text, letters)
        if max(map(font.getlength, lines), default=0) <= width:
            return lines
    return list(text)


def _legible(text: str, font: ImageFont.FreeTypeFont) -> str:
    """Put a question mark for each character that the font would draw as an empty box, or that is none to draw."""
    box = font.getmask(_NO_CHARACTER)

    def is_drawn(character: str) -> bool:
        mask = font.getmask(character)
        return character.isprintable() and (mask.size, bytes(mask)) != (box.size, bytes(box))

    return "".join(character if is_drawn(character) else "?" for character in text)


def _height(font: ImageFont.FreeTypeFont) -> int:
    return sum(font.getmetrics())
