"""A graph as other runtimes need it: the operators that work on pictures, their constants as float32."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import WeightsError
from cartoonize.generators.graph.reading import Graph, Options
from cartoonize.generators.graph.trace import trace

Weights: TypeAlias = NDArray[np.float32]

_SIDE = 960  # of the picture by which scales are found


@dataclass(frozen=True)
class Step:
    """One operator on pictures [1, h, w, c].

    inputs: each a tensor's number, or the constant itself. depth, channels: the first picture's, and the output's.
    scale: rows of the output for each of the first picture's.
    """

    name: str
    inputs: tuple[int | Weights, ...]
    outputs: tuple[int, ...]
    options: Options
    depth: int
    channels: int
    scale: Fraction

    @property
    def pictures(self) -> tuple[int, ...]:
        """The numbers of the tensors among the inputs."""
        return tuple(each for each in self.inputs if isinstance(each, int))

    @property
    def constants(self) -> tuple[Weights, ...]:
        """The constants among the inputs."""
        return tuple(each for each in self.inputs if not isinstance(each, int))


def steps(graph: Graph) -> list[Step]:
    """Return what a graph does to a picture, in order; raises WeightsError where constants are quantised."""
    values = trace(graph, _SIDE, _SIDE).values
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
        scale = Fraction(result[1], shapes[0][1])
        found.append(Step(operator.name, inputs, operator.outputs, operator.options, shapes[0][3], result[3], scale))
    return found


def uses(found: list[Step], target: int) -> Counter[int]:
    """Count how often each tensor is used, the result once more."""
    return Counter([*(i for step in found for i in step.pictures), target])
