"""Operators on numbers that are known without a picture: the arithmetic by which graphs work out sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartoonize.generators.graph.reading import Operator

Numbers: TypeAlias = NDArray[Any]


def slices_of(operator: Operator, bounds: Sequence[Numbers]) -> list[slice]:
    """Return a STRIDED_SLICE's slices; bounds: first, last and step of each axis."""
    begin_mask, end_mask = int(operator.options["BeginMask"]), int(operator.options["EndMask"])
    return [
        slice(None if begin_mask >> k & 1 else int(first), None if end_mask >> k & 1 else int(last), int(step))
        for k, (first, last, step) in enumerate(zip(*bounds, strict=True))
    ]


def lengths(begin: Numbers, size: Numbers) -> list[slice]:
    """Return a SLICE's slices; a size of -1 reaches to the end."""
    return [slice(int(start), None if n < 0 else int(start + n)) for start, n in zip(begin, size, strict=True)]


def _strided_slice(operator: Operator, numbers: Sequence[Numbers]) -> Any:
    vector, *bounds = numbers
    part = vector[tuple(slices_of(operator, bounds))]
    return part[0] if operator.options["ShrinkAxisMask"] else part


ARITHMETIC: dict[str, Callable[[Operator, Sequence[Numbers]], Any]] = {
    "ADD": lambda _, n: n[0] + n[1],
    "SUB": lambda _, n: n[0] - n[1],
    "MUL": lambda _, n: n[0] * n[1],
    "DIV": lambda _, n: n[0] // n[1],
    "FLOOR_DIV": lambda _, n: n[0] // n[1],
    "MAXIMUM": lambda _, n: np.maximum(n[0], n[1]),
    "MINIMUM": lambda _, n: np.minimum(n[0], n[1]),
    "CAST": lambda _, n: n[0],
    "PACK": lambda operator, n: np.stack(n, int(operator.options["Axis"])),
    "CONCATENATION": lambda operator, n: np.concatenate(n, int(operator.options["Axis"])),
    "GATHER": lambda operator, n: np.take(n[0], n[1], int(operator.options["Axis"])),
    "STRIDED_SLICE": _strided_slice,
    "SLICE": lambda _, n: n[0][tuple(lengths(n[1], n[2]))],
    "RESHAPE": lambda _, n: n[0].reshape(n[1]),
}
