"""The generator's output -> the cartoon: guided by the photo, brought to its size, retouched."""

from __future__ import annotations

from typing import Literal

from cartoonize.generators.card import UNKNOWN, Card
from cartoonize.method.guided_filter import bring_up, detail_coefficients, filter_image
from cartoonize.method.pixels import Array, Image, is_grey, resize, to_grey
from cartoonize.method.retouch import AS_IT_IS, Retouch, colors_and_ink, retouched


def finish(
    photo: Image,
    work: Image,
    cartoon: Array,
    smooth: float = 1.0,
    output_size: Literal["photo", "work"] = "photo",
    retouch: Retouch = AS_IT_IS,
    card: Card = UNKNOWN,
    *,
    use_up: bool = False,
) -> Image:
    """Guide the generator's output by the photo and retouch it, as `Cartoonizer` does; a grey photo stays grey.

    photo: uint8 (H, W, 3); work, cartoon: what `Cartoonizer.generate` returned for it; card: the generator's. use_up:
    nobody needs the photo any more, and the result may be put in its place. Returns uint8 (H, W, 3), or (h, w, 3) with
    output_size="work".
    """
    colors, ink, lines = colors_and_ink(cartoon, retouch.lines)
    goal = photo if output_size == "photo" else work
    grey = is_grey(photo)
    out = goal if use_up and goal is not work and goal.flags.writeable and not retouch.needs_photo else None
    guided = _guided(goal, work, colors, smooth, card, out)
    result = retouched(guided, goal, retouch, ink, lines, guided)
    return to_grey(result, result) if grey else result


def _guided(goal: Image, work: Image, colors: Array, smooth: float, card: Card, out: Image | None) -> Image:
    if work.shape < goal.shape:
        return bring_up(goal, *detail_coefficients(work, colors, smooth, card.radius, card.eps), out)
    return resize(filter_image(work, colors, smooth, card.radius, card.eps), (goal.shape[0], goal.shape[1]))
