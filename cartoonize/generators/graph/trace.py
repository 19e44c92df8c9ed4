"""Follows a picture's size through a graph: each tensor's shape, and how far around it a pixel of the result looks.

Nothing is computed but shapes and the rows and columns of the picture that each row and column depends on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

from cartoonize.errors import WeightsError
from cartoonize.generators.graph.operators import follow, multiplications
from cartoonize.generators.graph.reading import Graph, Operator
from cartoonize.generators.graph.values import Side, Value

_MAX_NUMBERS = 8192  # of a tensor, per pixel of the picture: far above any generator's
_MAX_RANK = 6


@dataclass
class Trace:
    """What a graph makes of a picture of one size.

    whole: the operator that sees the whole picture, if there is one. work: multiplications. peak: bytes of the
    tensors that are needed at one time. steps: how many pixels of the picture the rows of each tensor are apart.
    values: every tensor by its number.
    """

    output: Value
    whole: str | None = None
    work: int = 0
    peak: int = 0
    steps: set[Fraction] = field(default_factory=set)
    values: dict[int, Value] = field(default_factory=dict)


def trace(graph: Graph, height: int, width: int) -> Trace:
    """Follow a picture of this size through the graph; raises WeightsError where it does not go through."""
    picture = Value((1, height, width, 3), sides=(Side.of_picture(height), Side.of_picture(width)))
    values = _constants(graph) | {graph.source: picture}
    result = Trace(picture, values=values)
    for operator in graph.operators:
        inputs = [_defined(operator, i, values) for i in operator.inputs if i >= 0]
        followed = follow(operator, inputs)
        if len(followed.values) != len(operator.outputs):
            raise WeightsError(f"{operator.name} with {len(operator.outputs)} results")
        if followed.sees_all and result.whole is None:
            result.whole = operator.name
        for i, value in zip(operator.outputs, followed.values, strict=True):
            # What is not cut may grow faster than the picture does: see `peak`.
            check_size(operator.name, value, None if result.whole else height * width)
            values[i] = value
            result.steps |= {side.step for side in value.sides or ()}
        result.work += multiplications(operator, inputs, followed)
    if graph.target not in values:
        raise WeightsError("its result is never computed")
    result.output = values[graph.target]
    result.peak = _peak(graph, values)
    return result


def _constants(graph: Graph) -> dict[int, Value]:
    constants = ((i, tensor.shape, tensor.constant) for i, tensor in enumerate(graph.tensors))
    return {
        i: Value(shape, array if array.dtype.kind == "i" else None, constant=True)
        for i, shape, array in constants
        if array is not None
    }


def _defined(operator: Operator, tensor: int, values: dict[int, Value]) -> Value:
    if tensor not in values:
        raise WeightsError(f"{operator.name} of a tensor that is computed later, or never")
    return values[tensor]


def check_size(name: str, value: Value, pixels: int | None) -> None:
    """Raise WeightsError where an operator's result is no tensor of a generator; pixels: of the picture that is cut."""
    if len(value.shape) > _MAX_RANK or any(side < 1 for side in value.shape):
        raise WeightsError(f"{name} gives a tensor of shape {list(value.shape)}")
    if pixels and not value.constant and (each := math.prod(value.shape) // pixels) > _MAX_NUMBERS:
        raise WeightsError(f"{name} gives {each:,} numbers a pixel: larger than any generator")


def _peak(graph: Graph, values: dict[int, Value]) -> int:
    last_use = {i: n for n, operator in enumerate(graph.operators) for i in operator.inputs}
    last_use[graph.target] = len(graph.operators)
    alive = {graph.source}
    peak = 0
    for n, operator in enumerate(graph.operators):
        alive |= {i for i in operator.outputs if not values[i].constant}
        peak = max(peak, sum(4 * math.prod(values[i].shape) for i in alive))
        alive = {i for i in alive if last_use.get(i, -1) > n}
    return peak
