"""Values in a trace: what is known of a tensor, and what of the picture its rows and columns depend on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.int64]
Taps: TypeAlias = Callable[[int, int], "tuple[Indices, Fraction]"]
"""(axis 0 or 1, rows) -> for each row of the result the rows it is computed from, -1 for none; and their step."""

_OUTSIDE = -1


@dataclass(frozen=True)
class Side:
    """Rows (or columns) of a tensor: the picture's rows each depends on, and how many picture rows one is apart."""

    first: Indices
    last: Indices
    step: Fraction

    @classmethod
    def of_picture(cls, length: int) -> Side:
        """Return a side of the picture itself."""
        return cls(np.arange(length), np.arange(length), Fraction(1))

    def through(self, taps: Indices, step: Fraction) -> Side:
        """Return the side of what is computed from the rows `taps` (rows, taps each) of this one; -1 is no row."""
        inside = taps != _OUTSIDE
        first = np.where(inside, self.first[taps], np.iinfo(np.int64).max).min(axis=1)
        last = np.where(inside, self.last[taps], np.iinfo(np.int64).min).max(axis=1)
        return Side(first, last, self.step * step)

    def joined(self, other: Side) -> Side:
        """Return the side of what depends on the same row of both."""
        return Side(np.minimum(self.first, other.first), np.maximum(self.last, other.last), self.step)


@dataclass(frozen=True)
class Value:
    """A tensor in the trace: its shape; `numbers` where they are known without a picture; `sides` of a local picture.

    `sides` is None for constants, and for what is no picture any more (reshaped, say).
    """

    shape: tuple[int, ...]
    numbers: NDArray[Any] | None = None
    sides: tuple[Side, Side] | None = None
    constant: bool = False


@dataclass(frozen=True)
class Followed:
    """What an operator gives; `sees_all`: each pixel of it may depend on the whole picture."""

    values: tuple[Value, ...]
    sees_all: bool = False


def known(value: Value) -> NDArray[Any]:
    """Return a value's numbers; raises ValueError where they depend on the picture."""
    if value.numbers is None:
        raise ValueError("a size that depends on the picture's content")
    return value.numbers


def joined(pictures: Sequence[Value]) -> tuple[Side, Side] | None:
    """Return the sides of what is computed pixel by pixel from pictures of one size; None where one has none."""
    followed = [value.sides for value in pictures if value.sides is not None]
    if not followed or len(followed) < len(pictures):
        return None
    rows, columns = followed[0]
    for other_rows, other_columns in followed[1:]:
        rows, columns = rows.joined(other_rows), columns.joined(other_columns)
    return rows, columns


def local(value: Value, channels: int, taps: Taps) -> Followed:
    """Follow what computes each row of a result [1, h, w, channels] from a few rows of one picture."""
    batch, *shape, _ = value.shape
    looks = [taps(axis, length) for axis, length in enumerate(shape)]
    result = (batch, *(len(rows) for rows, _ in looks), channels)
    if value.sides is None or 0 in result:
        return Followed((Value(result, constant=value.constant),), not value.constant)
    rows, columns = (side.through(*look) for side, look in zip(value.sides, looks, strict=True))
    return Followed((Value(result, sides=(rows, columns)),))
