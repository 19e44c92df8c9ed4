"""Operators that compute a pixel from a window of pixels, or move pixels: convolutions, pooling, resizing, padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cartoonize.generators.graph.reading import Operator
from cartoonize.generators.graph.values import Followed, Indices, Taps, Value, known, local

_MAX_WINDOW = 1024  # rows that one operator looks at
_SAME = schema.Padding.SAME


def _window(operator: Operator, window: tuple[int, int]) -> Taps:
    options = operator.options
    strides = int(options["StrideH"]), int(options["StrideW"])
    dilations = int(options.get("DilationHFactor", 1)), int(options.get("DilationWFactor", 1))
    if min(*strides, *dilations) < 1 or max(*window, *strides) > _MAX_WINDOW:
        raise ValueError(f"a window of {window}, strides {strides}, dilation {dilations}")

    def taps(axis: int, length: int) -> tuple[Indices, Fraction]:
        stride, extent = strides[axis], (window[axis] - 1) * dilations[axis] + 1
        if options["Padding"] == _SAME:
            count = -(-length // stride)
            before = max((count - 1) * stride + extent - length, 0) // 2
        else:
            count, before = (length - extent) // stride + 1, 0
        rows = np.arange(max(count, 0))[:, None] * stride - before + np.arange(window[axis]) * dilations[axis]
        return np.where((rows >= 0) & (rows < length), rows, -1), Fraction(stride)

    return taps


def _conv(operator: Operator, inputs: Sequence[Value]) -> Followed:
    picture, kernel = inputs[:2]
    filters, height, width, depth = kernel.shape
    if not kernel.constant or picture.shape[3] % depth:
        raise ValueError(f"a kernel {kernel.shape} for {picture.shape}")
    return local(picture, filters, _window(operator, (height, width)))


def _depthwise(operator: Operator, inputs: Sequence[Value]) -> Followed:
    picture, kernel = inputs[:2]
    one, height, width, filters = kernel.shape
    if not kernel.constant or one != 1 or filters % picture.shape[3]:
        raise ValueError(f"a kernel {kernel.shape} for {picture.shape}")
    return local(picture, filters, _window(operator, (height, width)))


def _pool(operator: Operator, inputs: Sequence[Value]) -> Followed:
    (picture,) = inputs
    window = int(operator.options["FilterHeight"]), int(operator.options["FilterWidth"])
    return local(picture, picture.shape[3], _window(operator, window))


def _transpose_conv(operator: Operator, inputs: Sequence[Value]) -> Followed:
    size, kernel, picture = inputs[:3]
    filters, *window, _ = kernel.shape
    target = [int(n) for n in known(size)[1:3]]
    strides = int(operator.options["StrideH"]), int(operator.options["StrideW"])
    if min(strides) < 1 or max(*window, *strides) > _MAX_WINDOW or any(n > 16 * max(picture.shape) for n in target):
        raise ValueError(f"a window of {window}, strides {strides}, to {target}")

    def taps(axis: int, length: int) -> tuple[Indices, Fraction]:
        stride, out = strides[axis], target[axis]
        before = max((length - 1) * stride + window[axis] - out, 0) // 2 if operator.options["Padding"] == _SAME else 0
        reached = np.arange(out)[:, None] + before - np.arange(window[axis])
        rows = reached // stride
        return np.where((reached % stride == 0) & (rows >= 0) & (rows < length), rows, -1), Fraction(1, stride)

    return local(picture, filters, taps)


def _space_to_depth(operator: Operator, inputs: Sequence[Value]) -> Followed:
    (picture,) = inputs
    block = int(operator.options["BlockSize"])

    def taps(_axis: int, length: int) -> tuple[Indices, Fraction]:
        if not 1 <= block <= _MAX_WINDOW or length % block:
            raise ValueError(f"{length} rows in blocks of {block}")
        return np.arange(length).reshape(-1, block), Fraction(block)

    return local(picture, picture.shape[3] * block**2, taps)


def _depth_to_space(operator: Operator, inputs: Sequence[Value]) -> Followed:
    (picture,) = inputs
    block = int(operator.options["BlockSize"])
    if not 1 <= block <= 64 or picture.shape[3] % block**2:
        raise ValueError(f"{picture.shape[3]} channels in blocks of {block}")

    def taps(_axis: int, length: int) -> tuple[Indices, Fraction]:
        return np.arange(length * block)[:, None] // block, Fraction(1, block)

    return local(picture, picture.shape[3] // block**2, taps)


def _resize(operator: Operator, inputs: Sequence[Value]) -> Followed:
    """Follow a resize; only by a power of two do a tile's pixels lie between the same neighbours as the picture's."""
    picture, size = inputs
    target = [int(n) for n in known(size)]
    factors = [Fraction(new, old) for new, old in zip(target, picture.shape[1:3], strict=True)]
    if any(not 0 < factor <= 64 for factor in factors):
        raise ValueError(f"resized to {target}")
    half = 0.5 if operator.options["HalfPixelCenters"] else 0.0
    linear = operator.name == "RESIZE_BILINEAR"

    def taps(axis: int, length: int) -> tuple[Indices, Fraction]:
        position = (np.arange(target[axis]) + half) / float(factors[axis]) - (half if linear else 0)
        rows = np.stack([np.floor(position), np.ceil(position) if linear else np.floor(position)], axis=1)
        return np.clip(rows, 0, length - 1).astype(np.int64), 1 / factors[axis]

    followed = local(picture, picture.shape[3], taps)
    regular = not operator.options["AlignCorners"] and all(_is_power_of_two(factor) for factor in factors)
    return followed if regular else replace(followed, sees_all=not picture.constant)


def _is_power_of_two(factor: Fraction) -> bool:
    larger, smaller = max(factor.numerator, factor.denominator), min(factor.numerator, factor.denominator)
    return smaller == 1 and larger & (larger - 1) == 0


def _pad(operator: Operator, inputs: Sequence[Value]) -> Followed:
    picture, paddings = inputs[:2]
    before_after = known(paddings).tolist()
    if before_after[0] != [0, 0] or any(not 0 <= n <= _MAX_WINDOW for pair in before_after for n in pair):
        raise ValueError(f"padding by {before_after}")
    mirrored = operator.name == "MIRROR_PAD"
    mode = "reflect" if mirrored and operator.options["Mode"] == schema.MirrorPadMode.REFLECT else "symmetric"

    def taps(axis: int, length: int) -> tuple[Indices, Fraction]:
        rows = np.arange(length)
        around = before_after[axis + 1]
        rows = np.pad(rows, around, mode) if mirrored else np.pad(rows, around, constant_values=-1)  # type: ignore[call-overload]  # `mode` is a str
        return rows[:, None], Fraction(1)

    return local(picture, picture.shape[3] + sum(before_after[3]), taps)


WINDOWS: dict[str, Callable[[Operator, Sequence[Value]], Followed]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transpose_conv,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "SPACE_TO_DEPTH": _space_to_depth,
    "DEPTH_TO_SPACE": _depth_to_space,
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "PAD": _pad,
    "PADV2": _pad,
    "MIRROR_PAD": _pad,
}
