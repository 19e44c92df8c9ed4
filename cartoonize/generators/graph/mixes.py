"""Operators that work pixel by pixel, join and cut pictures, or mix all pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from cartoonize.generators.graph.numbers import lengths, slices_of
from cartoonize.generators.graph.reading import Operator
from cartoonize.generators.graph.values import Followed, Value, joined, known, local


def _same_rows(_operator: Operator, inputs: Sequence[Value]) -> Followed:
    """Follow what works pixel by pixel, on one input or several."""
    shape = np.broadcast_shapes(*(value.shape for value in inputs))
    pictures = [value for value in inputs if not value.constant]
    if not pictures:
        return Followed((Value(shape, constant=True),))
    # A mean, one pixel large, is added to all.
    full = [value for value in pictures if value.sides is not None and value.shape[1:3] == shape[1:3]]
    return Followed((Value(shape, sides=joined(full)),), len(full) < len(pictures))


def _concatenation(operator: Operator, inputs: Sequence[Value]) -> Followed:
    axis = int(operator.options["Axis"]) % 4
    shapes = [[n for k, n in enumerate(value.shape) if k != axis] for value in inputs]
    if any(shape != shapes[0] for shape in shapes) or any(len(value.shape) != 4 for value in inputs):
        raise ValueError("pictures of several shapes")
    shape = list(inputs[0].shape)
    shape[axis] = sum(value.shape[axis] for value in inputs)
    pictures = [value for value in inputs if not value.constant]
    sides = joined(pictures) if axis == 3 else None
    return Followed((Value(tuple(shape), sides=sides),), sides is None)


def _split(operator: Operator, inputs: Sequence[Value]) -> Followed:
    axis, picture = inputs
    count = int(operator.options["NumSplits"])
    at = int(known(axis)) % len(picture.shape)
    if count < 1 or picture.shape[at] % count:
        raise ValueError(f"{picture.shape[at]} in {count} parts")
    shape = tuple(n // count if k == at else n for k, n in enumerate(picture.shape))
    sides = picture.sides if at == 3 else None
    return Followed((Value(shape, sides=sides),) * count, sides is None)


def _strided_slice(operator: Operator, inputs: Sequence[Value]) -> Followed:
    picture = inputs[0]
    options = operator.options
    if options["EllipsisMask"] or options["NewAxisMask"] or options["ShrinkAxisMask"]:
        raise ValueError("a picture that loses or gains an axis")
    return _sliced(picture, slices_of(operator, [known(value) for value in inputs[1:]]))


def _slice(_operator: Operator, inputs: Sequence[Value]) -> Followed:
    picture, begin, size = inputs
    return _sliced(picture, lengths(known(begin), known(size)))


def _sliced(picture: Value, slices: Sequence[slice]) -> Followed:
    if len(slices) > 4 or len(picture.shape) != 4:
        raise ValueError(f"{len(slices)} axes of {picture.shape}")
    slices = [*slices, *[slice(None)] * (4 - len(slices))]
    kept = [np.arange(n)[part] for n, part in zip(picture.shape, slices, strict=True)]
    if any((np.diff(indices) < 1).any() for indices in kept):
        raise ValueError("rows in reverse order")
    return local(picture, len(kept[3]), lambda axis, _: (kept[axis + 1][:, None], Fraction(slices[axis + 1].step or 1)))


def _reduce(operator: Operator, inputs: Sequence[Value]) -> Followed:
    picture, axes = inputs
    reduced = {int(axis) % len(picture.shape) for axis in np.atleast_1d(known(axes))}
    keep = bool(operator.options["KeepDims"])
    shape = tuple(1 if k in reduced else n for k, n in enumerate(picture.shape) if keep or k not in reduced)
    if reduced == {3} and keep and picture.sides is not None:
        return Followed((Value(shape, sides=picture.sides),))
    return Followed((Value(shape),), True)


def _reshape(_operator: Operator, inputs: Sequence[Value]) -> Followed:
    size = math.prod(inputs[0].shape)
    wanted = [int(n) for n in known(inputs[1])]
    rest = size // math.prod(n for n in wanted if n != -1)
    shape = tuple(rest if n == -1 else n for n in wanted)
    if math.prod(shape) != size:
        raise ValueError(f"{inputs[0].shape} as {wanted}")
    return Followed((Value(shape),), True)


def _transpose(_operator: Operator, inputs: Sequence[Value]) -> Followed:
    order = [int(n) for n in known(inputs[1])]
    if sorted(order) != list(range(len(inputs[0].shape))):
        raise ValueError(f"axes in the order {order}")
    return Followed((Value(tuple(inputs[0].shape[n] for n in order)),), True)


def _matmul(operator: Operator, inputs: Sequence[Value]) -> Followed:
    left, right = (list(value.shape) for value in inputs)
    if operator.options["AdjX"]:
        left[-2:] = left[:-3:-1]
    if operator.options["AdjY"]:
        right[-2:] = right[:-3:-1]
    if left[-1] != right[-2]:
        raise ValueError(f"{left} times {right}")
    return Followed((Value((*np.broadcast_shapes(tuple(left[:-2]), tuple(right[:-2])), left[-2], right[-1])),), True)


def _fully_connected(_operator: Operator, inputs: Sequence[Value]) -> Followed:
    picture, kernel = inputs[:2]
    units, depth = kernel.shape
    if picture.shape[-1] != depth:
        raise ValueError(f"{kernel.shape} for {picture.shape}")
    return Followed((Value((*picture.shape[:-1], units)),), True)


def _shape(_operator: Operator, inputs: Sequence[Value]) -> Followed:
    numbers = np.asarray(inputs[0].shape)
    return Followed((Value(numbers.shape, numbers, constant=True),))


_POINTWISE = (
    "ABS ADD CAST DEQUANTIZE DIV ELU EXP FLOOR FLOOR_DIV GELU HARD_SWISH LEAKY_RELU LOGISTIC MAXIMUM MINIMUM MUL NEG"
    " PRELU RELU RELU6 RELU_N1_TO_1 RSQRT SOFTMAX SQRT SQUARE SQUARED_DIFFERENCE SUB TANH"
)
MIXES: dict[str, Callable[[Operator, Sequence[Value]], Followed]] = dict.fromkeys(_POINTWISE.split(), _same_rows) | {
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
    "MEAN": _reduce,
    "SUM": _reduce,
    "REDUCE_MAX": _reduce,
    "RESHAPE": _reshape,
    "TRANSPOSE": _transpose,
    "BATCH_MATMUL": _matmul,
    "FULLY_CONNECTED": _fully_connected,
    "SHAPE": _shape,
}
