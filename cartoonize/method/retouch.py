"""What people ask for on top of a look: ink, the photo's own colours, more or less of the effect."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cartoonize.errors import ArgumentError
from cartoonize.method.inking import dim, inked_paper
from cartoonize.method.lines import ink_lines
from cartoonize.method.pixels import Array, Image, bands


@dataclass(frozen=True)
class Retouch:
    """What to do to a cartoon; at its defaults nothing. Raises ArgumentError for numbers out of range.

    lines: in [0, 2], 0 no ink, 2 more and bolder lines; None is the look's own, 1 for one that draws ink, 0 for others.
    keep_colors: in [0, 1], how far hue and saturation are the photo's. strength: in [0, 2], 0 the photo, 1 the cartoon,
    2 as far again beyond it.
    """

    lines: float | None = None
    keep_colors: float = 0.0
    strength: float = 1.0

    def __post_init__(self) -> None:
        for name, value, most in (
            ("lines", self.lines, 2),
            ("keep_colors", self.keep_colors, 1),
            ("strength", self.strength, 2),
        ):
            if value is not None and not 0 <= value <= most:
                raise ArgumentError(f"{name} must be in [0, {most}], got {value}")

    @property
    def needs_photo(self) -> bool:
        """Whether the photo has a part in the result, besides guiding it."""
        return self.keep_colors > 0 or self.strength != 1


AS_IT_IS = Retouch()


def retouched(
    picture: Image,
    photo: Image,
    how: Retouch,
    ink: Array | None = None,
    lines: float = 1.0,
    out: Image | None = None,
) -> Image:
    """Return a picture with ink, the photo's colours and a strength; the same object where nothing is asked.

    picture, photo: uint8 (H, W, 3). ink: float32 (h, w) in [0, 1] of any size, None for none; lines: how it is laid on
    (`inking.paper`), not `how.lines`, which says what the user wants. Ink comes after the colours, so that it stays
    black, and before the strength. out: where the result is put, which may be the picture itself.
    """
    paper = inked_paper(ink, lines, (picture.shape[0], picture.shape[1])) if ink is not None and lines else None
    if paper is None and not how.needs_photo:
        return picture
    result = np.empty_like(picture) if out is None else out
    for rows in bands(picture.shape[0]):
        band = result[rows]
        if how.keep_colors:
            band[:] = _colored(picture[rows], photo[rows], how.keep_colors)
        elif result is not picture:
            band[:] = picture[rows]
        if paper is not None:
            dim(band, paper[rows])
        if how.strength != 1:
            cv2.addWeighted(band, how.strength, photo[rows], 1 - how.strength, 0, band)
    return result


def colors_and_ink(output: Array, lines: float | None) -> tuple[Array, Array | None, float]:
    """Take a generator's output apart: colours, ink or None, and the `lines` it is to be laid on with (`inking.paper`).

    output: float32 (h, w, 3), or (h, w, 4) with ink in [0, 1] as its last channel. lines: `Retouch.lines`; for a look
    without ink of its own, lines are drawn along the edges of its colours.
    """
    if output.shape[2] == 4:
        split: Array = cv2.cvtColor(output, cv2.COLOR_RGBA2RGB)  # type: ignore[assignment]  # as above
        return split, cv2.extractChannel(output, 3), 1.0 if lines is None else lines  # type: ignore[return-value]  # as above
    colors: Array = np.ascontiguousarray(output)
    if not lines:
        return colors, None, 0.0
    light = colors + 1
    light /= 2
    lab: Array = cv2.cvtColor(np.clip(light, 0, 1, out=light), cv2.COLOR_RGB2LAB)  # type: ignore[assignment]  # as above
    return colors, ink_lines(lab, amount=lines), min(1.0, lines)


def _colored(picture: Image, photo: Image, share: float) -> Image:
    """Mix the colours, not the light, of two pictures: the second's `share` of them (ITU-R BT.601's Y'CrCb)."""
    cartoon, own = (cv2.cvtColor(p, cv2.COLOR_RGB2YCrCb) for p in (picture, photo))
    mixed = cv2.addWeighted(cartoon, 1 - share, own, share, 0)
    mixed[..., 0] = cartoon[..., 0]
    return cv2.cvtColor(mixed, cv2.COLOR_YCrCb2RGB)  # type: ignore[return-value]
