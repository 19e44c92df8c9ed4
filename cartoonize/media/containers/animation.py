"""Frames laid over each other as browsers lay them: what stays of one under the next, what is see-through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from PIL import Image


@dataclass(frozen=True)
class Part:
    """A piece of an animation: RGBA, where it goes, its time in milliseconds, and what is done with it afterwards.

    `after`: "keep" leaves it, "clear" makes its place transparent, "restore" brings back what was there before.
    `blend`: laid over what is there, rather than in its place.
    """

    image: Image.Image
    x: int
    y: int
    duration: int
    after: Literal["keep", "clear", "restore"]
    blend: bool


def composed(size: tuple[int, int], parts: Iterable[Part]) -> Iterator[tuple[Image.Image, int]]:
    """Yield every whole frame, RGBA of `size` in pixels, and its time; parts outside are cut off."""
    canvas = Image.new("RGBA", size)
    for part in parts:
        before = canvas.copy() if part.after == "restore" else None
        box = (part.x, part.y, min(part.x + part.image.width, size[0]), min(part.y + part.image.height, size[1]))
        if box[0] < box[2] and box[1] < box[3]:
            image = part.image.crop((0, 0, box[2] - box[0], box[3] - box[1]))
            if part.blend:
                canvas.alpha_composite(image, box[:2])
            else:
                canvas.paste(image, box)
        yield canvas.copy(), part.duration
        if before is not None:
            canvas = before
        elif part.after == "clear":
            canvas.paste((0, 0, 0, 0), box)
