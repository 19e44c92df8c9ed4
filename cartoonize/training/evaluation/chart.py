"""Measures as a bar chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from cartoonize.method.pixels import Image
from cartoonize.training.evaluation.distances import Estimate

WIDTH, ROW, NAME = 720, 26, 180  # pixels: of a chart, a bar's line, the names beside bars
_INK, _BAR, _WHISKER = (40, 40, 40), (120, 165, 215), (20, 60, 120)


def chart(panels: Sequence[tuple[str, Sequence[tuple[str, Estimate]]]]) -> Image:
    """Draw a panel per measure, one bar per look, its interval as a whisker; uint8 (H, W, 3)."""
    height = sum(ROW * (len(bars) + 2) for _, bars in panels)
    page = PillowImage.new("RGB", (WIDTH, height), "white")
    pen = ImageDraw.Draw(page)
    top = 0
    for title, bars in panels:
        pen.text((8, top + 8), title, fill=_INK)
        longest = max(max(estimate.high for _, estimate in bars), 1e-12)
        for n, (name, found) in enumerate(bars, 1):
            _bar(pen, top + n * ROW, name, found, (WIDTH - NAME - 90) / longest)
        top += ROW * (len(bars) + 2)
    return np.asarray(page)


def _bar(pen: ImageDraw.ImageDraw, top: int, name: str, found: Estimate, scale: float) -> None:
    value, low, high = (NAME + max(0.0, number) * scale for number in found)
    centre = top + ROW // 2
    pen.text((8, top + 7), name[-28:], fill=_INK)
    pen.rectangle((NAME, top + 5, value, top + ROW - 5), fill=_BAR)
    pen.line((low, centre, high, centre), fill=_WHISKER, width=2)
    pen.text((high + 8, top + 7), f"{found.value:.3g}", fill=_INK)
