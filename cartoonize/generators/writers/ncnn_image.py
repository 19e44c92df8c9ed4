"""What lies around a generator in an ncnn network of pictures: levels to [-1, 1], padding, guided filter, ink, levels.

Levels are whole numbers from 0 to 255, as `Mat::from_pixels` makes them of bytes and `Mat::to_pixels` takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from cartoonize.generators.card import Card
from cartoonize.generators.generator import Generator
from cartoonize.generators.writers.ncnn_network import BINARY, Network, number
from cartoonize.method.guided_filter import guided_filter
from cartoonize.method.inking import EDGE, INK, STEEPNESS
from cartoonize.method.pixels import HALF_RANGE, TRUNCATION_GUARD

_REPLICATE = 1
_TO_THE_END = -233


@dataclass(frozen=True)
class _Blob:
    """A blob by name; arithmetic with it adds layers, so that `method`'s formulas can be written with it."""

    of: Network
    name: str

    def __add__(self, other: _Blob | float) -> _Blob:
        return self._with("ADD", other)

    def __sub__(self, other: _Blob | float) -> _Blob:
        return self._with("SUB", other)

    def __mul__(self, other: _Blob | float) -> _Blob:
        return self._with("MUL", other)

    def __truediv__(self, other: _Blob | float) -> _Blob:
        return self._with("DIV", other)

    def then(self, kind: str, parameters: str = "", *others: _Blob) -> _Blob:
        """Add a layer."""
        return _Blob(self.of, self.of.apply(kind, [self.name, *(other.name for other in others)], parameters))

    def clipped(self, low: float, high: float) -> _Blob:
        """Add bounds."""
        return self.then("Clip", f"0={number(low)} 1={number(high)}")

    def floored(self) -> _Blob:
        """Add cutting off of fractions."""
        return self.then("UnaryOp", "0=2")

    def channels(self, first: int, end: int = _TO_THE_END) -> _Blob:
        """Add a cut along the channels."""
        ends = f"{end},{_TO_THE_END},{_TO_THE_END}"
        return self.then("Crop", f"-23309=3,{first},0,0 -23310=3,{ends} -23311=3,0,1,2")

    def _with(self, name: str, other: _Blob | float) -> _Blob:
        if isinstance(other, _Blob):
            return self.then("BinaryOp", f"0={BINARY[name]}", other)
        return self.then("BinaryOp", f"0={BINARY[name]} 1=1 2={number(other)}")


def around(network: Network, photo: str, generator: Generator, draw: Callable[[str], str]) -> str:
    """Add what makes a cartoon, levels [3, h, w], of a photo, the same, with what `draw` adds for the generator."""
    levels = _Blob(network, photo)
    scaled = levels / HALF_RANGE - 1.0
    drawn = _Blob(network, draw(_padded(scaled, generator.field.alignment).name))
    picture = _to_levels(_guided(scaled, drawn.then("Crop", "", levels), generator.card))
    if generator.inks:
        picture = _inked(picture, drawn.channels(3).then("Crop", "", levels.channels(0, 1)))
    return picture.name


def _padded(picture: _Blob, alignment: int) -> _Blob:
    """Repeat the last row and column as `pad_to_multiple` does; what is too much, `Reorg` leaves out."""
    if alignment == 1:
        return picture
    more = alignment - 1
    repeated = picture.then("Padding", f"0=0 1={more} 2=0 3={more} 4={_REPLICATE}")
    return repeated.then("Reorg", f"0={alignment} 1=1").then("PixelShuffle", f"0={alignment} 1=1")


def _guided(guide: _Blob, drawn: _Blob, card: Card) -> _Blob:
    """Add the guided filter, by its own formulas."""
    filtered: Any = guided_filter(cast(Any, guide), cast(Any, drawn), card.radius, card.eps, cast(Any, _mean))
    return cast(_Blob, filtered)


def _mean(x: _Blob, radius: int) -> _Blob:
    return x.then("Pooling", f"0=1 1={2 * radius + 1} 2=1 3={radius} 5=1 6=0")  # counts no padding


def _to_levels(picture: _Blob) -> _Blob:
    """Add `pixels.to_image`."""
    return ((picture + 1.0) * HALF_RANGE + TRUNCATION_GUARD).clipped(0, 255).floored()


def _inked(picture: _Blob, ink: _Blob) -> _Blob:
    """Add `inking.inked` with the look's own lines, the table of `inking.paper` as the formula that it is made by."""
    level = (ink.clipped(0, 1) * 255.0 + 0.5).floored()
    crisp = ((level / 255.0 - EDGE) * STEEPNESS + 0.5).clipped(0, 1)
    light = (crisp * (-255.0 * INK) + (255.0 + 0.5)).floored()
    return (picture * light / 255.0 + 0.5).floored()
