"""What `cartoonize inspect` shows: the three representations of a photo, its cartoon before and after the filter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cartoonize.cartoonizer import Cartoonizer
from cartoonize.method import views
from cartoonize.method.comic import ComicLook, comic_views
from cartoonize.method.constants import REGIONS, SURFACE_EPS, SURFACE_RADIUS
from cartoonize.method.guided_filter import filter_image
from cartoonize.method.inking import inked
from cartoonize.method.pixels import Array, Image, to_image, to_network
from cartoonize.method.retouch import colors_and_ink
from cartoonize.method.superpixels import adaptive_coloring, segment
from cartoonize.method.views import SPREAD
from cartoonize.pages.sheet import Tile

NAMES = ("photo", "surface", "structure", "texture", "raw", "filtered")
"""Of the views, for files of them."""
COMIC_NAMES = ("calm", "flat", "toned", "ink", "drawn_ink", "inked")
"""Of further views where the generator draws ink: the steps of the procedure that taught it, what it made of them."""


@dataclass(frozen=True)
class Knobs:
    """Settings of the representations: radius and eps of surface, regions of structure, seed of texture's weights."""

    radius: int = SURFACE_RADIUS
    eps: float = SURFACE_EPS
    regions: int = REGIONS
    seed: int = 0


def take_apart(photo: Image, cartoonizer: Cartoonizer, weights: str, knobs: Knobs) -> dict[str, Tile]:
    """Take a photo apart: a tile for each of NAMES, all at the cartoonizer's working size.

    A generator that draws ink has those of COMIC_NAMES too.
    photo: uint8 (H, W, 3); weights: what to call the cartoonizer's. Raises EngineError.
    """
    work, cartoon = cartoonizer.generate(photo)
    array = to_network(work)
    colors, ink, _ = colors_and_ink(cartoon, None)
    radius, eps = cartoonizer.card.radius, cartoonizer.card.eps
    filtered = filter_image(work, colors, radius=radius, eps=eps)
    after = f"radius {radius}, eps {eps:g}"
    tiles = (
        Tile(work, "photo", f"working size, {work.shape[1]} x {work.shape[0]} pixels"),
        _surface(array, knobs),
        _structure(array, knobs),
        _texture(array, knobs),
        Tile(to_image(colors), "generator's raw output", f"weights {weights}"),
        Tile(filtered, "after the guided filter", after),
    )
    shown = dict(zip(NAMES, tiles, strict=True))
    return shown if ink is None else shown | _comic(work, filtered, ink)


def _comic(work: Image, filtered: Image, ink: Array) -> dict[str, Tile]:
    steps, own = comic_views(work), ComicLook()
    tiles = (
        Tile(steps.calm, "calm", "the photo without noise and fine texture"),
        Tile(steps.flat, "flat", "smoothed further, its features kept"),
        Tile(steps.toned, "toned", f"lightness in {own.tones:g} steps, colours times {own.color:g}"),
        Tile(_on_paper(steps.ink), "ink", f"lines of the calm picture, {own.thickness:g} pixels"),
        Tile(_on_paper(ink), "generator's ink", "what it learnt of it"),
        Tile(inked(filtered, ink), "the cartoon", "the generator's colours after the filter, and its ink"),
    )
    return dict(zip(COMIC_NAMES, tiles, strict=True))


def _on_paper(ink: Array) -> Image:
    return inked(np.full((*ink.shape, 3), 255, np.uint8), ink)


def _surface(array: Array, knobs: Knobs) -> Tile:
    view = views.surface(array, knobs.radius, knobs.eps)
    return Tile(to_image(view), "surface", f"the photo guided by itself, radius {knobs.radius}, eps {knobs.eps:g}")


def _structure(array: Array, knobs: Knobs) -> Tile:
    labels = segment(array, regions=knobs.regions)
    count = int(labels.max()) + 1
    return Tile(to_image(adaptive_coloring(array, labels)), "structure", f"{count} regions")


def _texture(array: Array, knobs: Knobs) -> Tile:
    """Mix one channel with the release's weights, and show it as grey."""
    spread = SPREAD["release"]
    draw = np.random.default_rng(knobs.seed).uniform(-spread, spread, 3).astype(np.float32)
    weights = views.texture_weights(draw, "release")
    grey = np.repeat(views.texture(array, weights), 3, axis=-1)
    red, green, blue = weights.tolist()
    return Tile(to_image(grey), "texture", f"{red:.2f} R + {green:.2f} G + {blue:.2f} B, seed {knobs.seed}")
