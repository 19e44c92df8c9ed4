"""ONNX operators on numbers that are known without a picture: constants, and the arithmetic that works out sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cartoonize.generators.readers.draft import MAX_BYTES
from cartoonize.generators.readers.onnx_node import Node, Numbers

_LONGEST = 2**16  # of what a shape alone makes
_DTYPES = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}  # of onnx.TensorProto


def known(node: Node) -> Numbers:
    """Work out a node all of whose inputs are known; raises WeightsError, ValueError where that is not to be had."""
    given = [each for each in node.inputs if isinstance(each, np.ndarray)]
    if node.kind not in _NUMBERS or (len(given) < len(node.inputs) and node.kind != "Slice"):
        raise node.refused("of constants")
    result = np.asarray(_NUMBERS[node.kind](node, given))
    if result.nbytes > MAX_BYTES:
        raise node.refused(f"that gives {result.nbytes:,} bytes")
    return result


def _constant(node: Node, _given: list[Numbers]) -> Any:
    (value,) = node.attributes.values()
    if not isinstance(value, np.ndarray | int | float | list):
        raise node.refused("of that kind")
    return value


def _filled(node: Node, given: list[Numbers]) -> Any:
    shape = [int(side) for side in given[0]]
    if any(side < 0 for side in shape) or math.prod(shape) > _LONGEST:
        raise node.refused(f"of shape {shape}")
    return np.full(shape, np.asarray(node.attributes.get("value", np.float32(0))).ravel()[0])


def _slice(node: Node, given: list[Numbers]) -> Any:
    axes, slices = sliced(node, given[0].ndim)
    parts = [slice(None)] * given[0].ndim
    for axis, part in zip(axes, slices, strict=True):
        parts[axis] = part
    return given[0][tuple(parts)]


def sliced(node: Node, rank: int) -> tuple[list[int], list[slice]]:
    """Return the axes that a Slice cuts, and how."""
    starts, ends = node.option("starts", 1) or [], node.option("ends", 2) or []
    axes = node.option("axes", 3) or list(range(len(starts)))
    steps = node.option("steps", 4) or [1] * len(starts)
    parts = [slice(*map(int, each)) for each in zip(starts, ends, steps, strict=True)]
    return [int(axis) % rank for axis in axes], parts


def _unsqueeze(node: Node, given: list[Numbers]) -> Any:
    axes = tuple(int(axis) for axis in node.option("axes", 1) or [])
    return np.expand_dims(given[0], axes)


def _squeeze(node: Node, given: list[Numbers]) -> Any:
    axes = node.option("axes", 1)
    return np.squeeze(given[0], None if axes is None else tuple(map(int, axes)))


def _divided(_node: Node, given: list[Numbers]) -> Any:
    whole = all(each.dtype.kind == "i" for each in given)
    return given[0] // given[1] if whole else given[0] / given[1]


_NUMBERS: dict[str, Callable[[Node, list[Numbers]], Any]] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Slice": _slice,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Div": _divided,
    "Identity": lambda _, n: n[0],
    "Add": lambda _, n: n[0] + n[1],
    "Sub": lambda _, n: n[0] - n[1],
    "Mul": lambda _, n: n[0] * n[1],
    "Mod": lambda _, n: n[0] % n[1],
    "Floor": lambda _, n: np.floor(n[0]),
    "Ceil": lambda _, n: np.ceil(n[0]),
    "Cast": lambda node, n: n[0].astype(_DTYPES[int(node.attributes["to"])]),
    "Concat": lambda node, n: np.concatenate(n, int(node.attributes["axis"])),
    "Gather": lambda node, n: np.take(n[0], n[1], int(node.attributes.get("axis", 0))),
    "Reshape": lambda _, n: n[0].reshape([int(side) for side in n[1]]),
    "Transpose": lambda node, n: n[0].transpose(node.attributes.get("perm")),
}
