"""Pictures a person watches a training by: sheets of samples and the plot of its losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw

from cartoonize.method.pixels import Array, Image, to_image
from cartoonize.pages.sheet import Tile, sheet
from cartoonize.training.whitebox.config import Representations
from cartoonize.training.whitebox.gan import WhiteBoxGAN, draw
from cartoonize.training.whitebox.tensor_views import structure, surface, texture

GAP = 8  # pixels around a loss
TITLE = 16  # pixels of height for a line of text
PANEL = (360, 160)  # width, height of one loss
_INK, _LINE, _FRAME = (40, 40, 40), (20, 90, 180), (200, 200, 200)
_TEXTURE_SEED = (0, 0)  # the same random channel on every sheet


def sample_sheet(model: WhiteBoxGAN, photos: Array, views: Representations) -> Image:
    """Show photos (N, H, W, 3) in [-1, 1] and what the averaged generator makes of them, a row each."""
    cartoons = draw(model.average, photos).numpy()
    (channel,) = texture([cartoons], _TEXTURE_SEED, variant=views.texture)
    columns = {
        "photo": photos,
        "surface": surface(cartoons).numpy(),
        "structure": structure(np.clip(cartoons, -1, 1), regions=views.regions, mu=views.mu),
        "texture": np.repeat(channel.numpy(), 3, axis=-1),
        "cartoon": cartoons,
    }
    return columns_sheet({name: to_image(pictures) for name, pictures in columns.items()})


def columns_sheet(columns: Mapping[str, NDArray[np.uint8]]) -> Image:
    """Lay out columns of pictures (N, H, W, 3) under their titles."""
    rows = zip(*columns.values(), strict=True)
    return sheet(
        [
            [Tile(picture, "" if n else title) for title, picture in zip(columns, row, strict=True)]
            for n, row in enumerate(rows)
        ]
    )


def loss_plot(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Image:
    """Draw a panel per loss over steps; rows are lines of the log, without the losses of the other phase."""
    across = 3
    width, height = PANEL
    page = PillowImage.new("RGB", (across * width, math.ceil(len(names) / across) * height), "white")
    pen = ImageDraw.Draw(page)
    for n, name in enumerate(names):
        points = [(row["step"], row[name]) for row in rows if name in row]
        _panel(pen, (n % across * width, n // across * height), name, points)
    return np.asarray(page)


def _panel(pen: ImageDraw.ImageDraw, corner: tuple[int, int], name: str, points: list[tuple[float, float]]) -> None:
    """Draw one loss with its range of steps and values; the range is all there is of axes."""
    left, top = corner[0] + GAP, corner[1] + TITLE + GAP
    right, bottom = corner[0] + PANEL[0] - GAP, corner[1] + PANEL[1] - TITLE
    steps, values = zip(*points, strict=True)
    low, high = min(values), max(values)
    pen.text((left, top - TITLE), f"{name}: {low:.4g} to {high:.4g}, last {values[-1]:.4g}", fill=_INK)
    pen.text((left, bottom + 1), f"step {steps[0]:g} to {steps[-1]:g}", fill=_INK)
    pen.rectangle((left, top, right, bottom), outline=_FRAME)
    x = np.interp(steps, (steps[0], max(steps[-1], steps[0] + 1)), (left, right))
    y = np.interp(values, (low, high if high > low else low + 1), (bottom, top))
    pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=_LINE, width=2)
