"""How a generator may be cut: what its pixels see, and where tiles may begin, worked out from its graph."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cartoonize.errors import WeightsError
from cartoonize.generators.graph.reading import Graph
from cartoonize.generators.graph.trace import trace
from cartoonize.generators.graph.values import Side

_SIDES = (960, 3840, 7680)  # of the square that is followed through; a halo of more than a quarter sees all
_MAX_ALIGNMENT = 64
_MAX_WORK = 20_000_000  # multiplications per pixel; the paper's generator does 270,000


@dataclass(frozen=True)
class ReceptiveField:
    """alignment: what the sides of a picture and the origins of tiles must be multiples of.

    halo: pixels around it that a pixel of the result depends on, at most; None when that is the whole picture, and
    then `whole_because` is the operator that sees it. peak: bytes of tensors a pixel.
    """

    alignment: int
    halo: int | None
    whole_because: str = ""
    peak: int = 0

    @property
    def margin(self) -> int:
        """The halo in whole steps of the alignment."""
        return -(-(self.halo or 0) // self.alignment) * self.alignment


# Of what this program trains: the widest is `compact_deep`.
TRAINED = ReceptiveField(alignment=4, halo=121)


def receptive_field(graph: Graph) -> ReceptiveField:
    """Work out how a generator may be cut; raises WeightsError when it cannot be one, or is too large."""
    for side in _SIDES:
        traced = trace(graph, side, side)
        if traced.output.shape not in ((1, side, side, 3), (1, side, side, 4)):
            raise WeightsError(f"makes {list(traced.output.shape)} of {[1, side, side, 3]}: expected the same size")
        if not traced.whole and traced.work > _MAX_WORK * side**2:
            raise WeightsError(f"{traced.work // side**2:,} multiplications a pixel: larger than any generator")
        alignment = math.lcm(*(step.numerator for step in traced.steps))
        if alignment > _MAX_ALIGNMENT:
            raise WeightsError(f"takes only sides that are multiples of {alignment}")
        halo = None if traced.whole or not traced.output.sides else max(map(_halo, traced.output.sides))
        if halo is None or halo <= side // 4:
            return ReceptiveField(alignment, halo, traced.whole or "", traced.peak // side**2)
    return ReceptiveField(alignment, None, "its many convolutions", traced.peak // side**2)


def _halo(side: Side) -> int:
    rows = np.arange(len(side.first))
    return max(int((rows - side.first).max()), int((side.last - rows).max()), 0)
