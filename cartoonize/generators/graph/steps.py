"""A graph as other runtimes need it: the operators that work on pictures, their constants as float32."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import WeightsError
from cartoonize.generators.graph.numbers import slices_of
from cartoonize.generators.graph.reading import Graph, Operator, Options
from cartoonize.generators.graph.trace import trace

Weights: TypeAlias = NDArray[np.float32]

_SIDES = (960, 1920)  # of the pictures by which scales are found, and shown to be none of one size


@dataclass(frozen=True)
class Step:
    """One operator on pictures [1, h, w, c].

    inputs: each a tensor's number, or the constant itself. depth, channels: the first picture's, and the output's.
    scale: rows of the output for each of the first picture's, of which there are `side`.
    """

    name: str
    inputs: tuple[int | Weights, ...]
    outputs: tuple[int, ...]
    options: Options
    depth: int
    channels: int
    scale: Fraction
    side: int

    @property
    def pictures(self) -> tuple[int, ...]:
        """The numbers of the tensors among the inputs."""
        return tuple(each for each in self.inputs if isinstance(each, int))

    @property
    def constants(self) -> tuple[Weights, ...]:
        """The constants among the inputs."""
        return tuple(each for each in self.inputs if not isinstance(each, int))


def steps(graph: Graph) -> list[Step]:
    """Return what a graph does to a picture, in order.

    Raises WeightsError where constants are quantised, or where a size is worked out in a way that has no other words.
    """
    found, others = (_steps(graph, side) for side in _SIDES)
    for step, other in zip(found, others, strict=True):
        if not all(map(np.array_equal, _numbers(step), _numbers(other))):
            raise WeightsError(f"the operator {step.name} by what depends on the picture's size runs on LiteRT only")
    return found


def _numbers(step: Step) -> tuple[Weights, ...]:
    """Return what has to be the same for pictures of all sizes."""
    if step.name.startswith("RESIZE"):
        return (np.array([step.scale], np.float32),)
    return (np.array(surplus(step)),) if step.name == "TRANSPOSE_CONV" else step.constants


def _steps(graph: Graph, side: int) -> list[Step]:
    values = trace(graph, side, side).values
    producers = {i: operator for operator in graph.operators for i in operator.outputs}

    def constant(tensor: int) -> Weights:
        array = graph.tensors[tensor].constant
        if array is None and tensor in producers and producers[tensor].name == "DEQUANTIZE":
            array = graph.tensors[producers[tensor].inputs[0]].constant
        if array is None:
            array = values[tensor].numbers
        if array is None or array.dtype.kind not in "fi" or array.dtype == np.int8:
            raise WeightsError("its weights are quantised, or worked out in a way that only LiteRT knows")
        return np.asarray(array, np.float32)

    found = []
    for operator in graph.operators:
        if all(values[i].constant for i in operator.outputs):
            continue
        inputs = tuple(constant(i) if values[i].constant else i for i in operator.inputs if i >= 0)
        shapes = [values[i].shape for i in operator.inputs if i >= 0 and not values[i].constant]
        result = values[operator.outputs[0]].shape
        if any(len(shape) != 4 for shape in (*shapes, result)):
            raise WeightsError(f"the operator {operator.name} of what is no picture runs on LiteRT only")
        rows, depth = shapes[0][2:]
        scale = Fraction(result[1], rows)
        found.append(Step(operator.name, inputs, operator.outputs, operator.options, depth, result[3], scale, rows))
    return found


def surplus(step: Step) -> tuple[int, int]:
    """Return how many rows and columns a TRANSPOSE_CONV computes beyond its result; it lacks some where negative."""
    size, kernel = step.constants[:2]
    strides = int(step.options["StrideH"]), int(step.options["StrideW"])
    rows, columns = (
        (step.side - 1) * stride + window - int(target)
        for stride, window, target in zip(strides, kernel.shape[1:3], size[1:3], strict=True)
    )
    return rows, columns


def borders(step: Step) -> list[tuple[int, int]]:
    """Return how much a STRIDED_SLICE takes off before and after along [n, h, w, c]; raises WeightsError."""
    parts = slices_of(Operator(step.name, (), (), step.options), [each.astype(int) for each in step.constants])
    taken = []
    for axis, part in enumerate([*parts, *[slice(0, None, 1)] * (4 - len(parts))]):
        start, stop = part.start or 0, part.stop or 0
        if axis == 3:
            start, stop, _ = part.indices(step.depth)
            stop -= step.depth
        if part.step != 1 or start < 0 or stop > 0 or (axis == 0 and (start, stop) != (0, 0)):
            raise WeightsError(f"a {step.name} that leaves rows out, or is of a fixed size, runs on LiteRT only")
        taken.append((start, -stop))
    return taken
