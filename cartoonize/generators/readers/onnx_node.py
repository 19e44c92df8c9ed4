"""An ONNX node with its inputs worked out: pictures, or numbers that are known without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import WeightsError

NCHW = (0, 3, 1, 2)

Numbers: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Picture:
    """A tensor of the flatbuffer.

    axes: which of its axes [n, h, w, c] each of ONNX's is; a Transpose changes these alone.
    """

    tensor: int
    axes: tuple[int, ...] = NCHW


Value: TypeAlias = "Picture | Numbers"


@dataclass(frozen=True)
class Node:
    """One step; inputs that are left out are None."""

    kind: str
    inputs: tuple[Value | None, ...]
    attributes: dict[str, Any]

    def refused(self, why: str) -> WeightsError:
        """Return the error that says what is not known of this operator."""
        return WeightsError(f"the operator {self.kind} {why} is not one that is read from ONNX")

    def picture(self, index: int = 0, axes: tuple[int, ...] | None = None) -> Picture:
        """Return an input that has to be a picture, with its axes in this order."""
        given = self.inputs[index] if index < len(self.inputs) else None
        if not isinstance(given, Picture):
            raise self.refused("of what is no picture")
        if axes is not None and given.axes != axes:
            raise self.refused("of a picture whose axes are in another order than NCHW")
        return given

    def numbers(self, index: int) -> Numbers | None:
        """Return an input that has to be known; None where it is left out."""
        given = self.inputs[index] if index < len(self.inputs) else None
        if isinstance(given, Picture):
            raise self.refused("by what depends on the picture")
        return given

    def weights(self, index: int) -> NDArray[np.float32]:
        """Return an input that has to be there, as float32."""
        given = self.numbers(index)
        if given is None:
            raise self.refused("without its weights")
        return given.astype(np.float32)

    def option(self, name: str, index: int) -> list[Any] | None:
        """Return what is an attribute in earlier versions of ONNX, and an input in later ones; None where neither."""
        given = self.attributes.get(name, self.numbers(index))
        return None if given is None else np.atleast_1d(np.asarray(given)).tolist()

    def pair(self, name: str, default: int = 1) -> tuple[int, int]:
        """Return an attribute of two whole numbers, of height and width."""
        given = self.attributes.get(name) or [default, default]
        if len(given) != 2:
            raise self.refused(f"of {len(given)} dimensions")
        return int(given[0]), int(given[1])

    def text(self, name: str, default: str) -> str:
        """Return an attribute of text."""
        given = self.attributes.get(name, default)
        return given.decode(errors="replace") if isinstance(given, bytes) else str(given)
