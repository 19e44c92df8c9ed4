"""ONNX operators that look at a window of pixels, or add a border, as operators of the flatbuffer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cartoonize.generators.readers.draft import Draft
from cartoonize.generators.readers.onnx_node import NCHW, Node, Picture

_SAME, _VALID = schema.Padding.SAME, schema.Padding.VALID


def _conv(draft: Draft, node: Node) -> Picture:
    picture, kernel = node.picture(0, NCHW), _kernel(node)
    depth, groups = draft.shape(picture.tensor)[3], int(node.attributes.get("group", 1))
    if groups < 1 or kernel.shape[1] * groups != depth or kernel.shape[0] % groups:
        raise node.refused(f"with a kernel {list(kernel.shape)} for {depth} channels")
    dilations = node.pair("dilations")
    tensor, padding = _padded(draft, node, picture.tensor, kernel.shape[2:], dilations)
    strides = node.pair("strides")
    options = {"Padding": padding, "StrideH": strides[0], "StrideW": strides[1]}
    options |= {"DilationHFactor": dilations[0], "DilationWFactor": dilations[1]}
    depthwise = groups == depth and groups > 1
    order = (1, 2, 3, 0) if depthwise else (0, 2, 3, 1)
    constants = draft.constant(kernel.transpose(order)), draft.constant(_bias(node, kernel.shape[0]))
    if not depthwise:
        return Picture(draft.add("CONV_2D", tensor, *constants, **options))
    options["DepthMultiplier"] = kernel.shape[0] // depth
    return Picture(draft.add("DEPTHWISE_CONV_2D", tensor, *constants, **options))


def _kernel(node: Node) -> Any:
    kernel = node.weights(1)
    if kernel.ndim != 4:
        raise node.refused(f"with a kernel of {kernel.ndim} axes")
    return kernel


def _bias(node: Node, filters: int) -> Any:
    return np.zeros(filters, np.float32) if node.numbers(2) is None else node.weights(2)


def _padded(
    draft: Draft, node: Node, tensor: int, window: tuple[int, int], dilations: tuple[int, int]
) -> tuple[int, int]:
    """Return what a window slides over, a border added where it has to be, and the padding that is left to it."""
    counted = node.kind == "Conv" or bool(node.attributes.get("count_include_pad"))  # whether a border's zeros count
    same_counts = counted and node.kind == "AveragePool"  # TensorFlow's SAME never counts them in a mean
    auto = node.text("auto_pad", "NOTSET")
    if auto == "VALID" or (auto == "SAME_UPPER" and not same_counts):
        return tensor, _SAME if auto == "SAME_UPPER" else _VALID
    top, left, bottom, right = _pads(node)
    if not any((top, left, bottom, right)):
        return tensor, _VALID
    extents = [(side - 1) * dilation for side, dilation in zip(window, dilations, strict=True)]
    same = [(extent // 2, extent - extent // 2) for extent in extents]
    if node.pair("strides") == (1, 1) and [(top, bottom), (left, right)] == same and not same_counts:
        return tensor, _SAME
    if not counted or node.kind == "MaxPool":
        raise node.refused("with such a border")
    border = draft.constant([[0, 0], [top, bottom], [left, right], [0, 0]])
    return draft.add("PAD", tensor, border), _VALID


def _pads(node: Node) -> list[int]:
    if node.text("auto_pad", "NOTSET") != "NOTSET":
        raise node.refused(f"with auto_pad {node.text('auto_pad', '')}")
    pads = [int(each) for each in node.attributes.get("pads") or [0] * 4]
    if len(pads) != 4:
        raise node.refused(f"of {len(pads) // 2} dimensions")
    return pads


def _pool(draft: Draft, node: Node) -> Picture:
    picture, window = node.picture(0, NCHW), node.pair("kernel_shape")
    if node.attributes.get("ceil_mode") or node.pair("dilations") != (1, 1):
        raise node.refused("with ceil_mode or dilations")
    tensor, padding = _padded(draft, node, picture.tensor, window, (1, 1))
    name = "AVERAGE_POOL_2D" if node.kind == "AveragePool" else "MAX_POOL_2D"
    (rows, columns), (height, width) = node.pair("strides"), window
    options = {"Padding": padding, "StrideH": rows, "StrideW": columns, "FilterHeight": height, "FilterWidth": width}
    return Picture(draft.add(name, tensor, **options))


def _transposed_conv(draft: Draft, node: Node) -> Picture:
    """Without a border, and then cut; as TensorFlow's SAME where the result is as many times as large as the stride."""
    picture, kernel = node.picture(0, NCHW), _kernel(node).transpose(1, 2, 3, 0)
    filters, *window, _ = kernel.shape
    strides, around, added = node.pair("strides"), _transposed_pads(node, tuple(window)), node.pair("output_padding", 0)
    if int(node.attributes.get("group", 1)) != 1 or node.pair("dilations") != (1, 1):
        raise node.refused("with groups or dilations")
    whole = [side - stride for side, stride in zip(window, strides, strict=True)]  # more than the stride times the size
    cut = [(before, after - add) for (before, after), add in zip(around, added, strict=True)]
    same = all(more >= 0 and pair == (more // 2, more - more // 2) for more, pair in zip(whole, cut, strict=True))
    if not same and any(after < 0 for _, after in cut):
        raise node.refused("with such an output_padding")
    more = (0, 0) if same else whole
    grown = draft.add("MUL", draft.shape_of(picture.tensor), draft.constant([1, *strides, 0]))
    size = draft.add("ADD", grown, draft.constant([0, *more, filters]))
    inputs = size, draft.constant(kernel), picture.tensor, draft.constant(_bias(node, filters))
    options = {"Padding": _SAME if same else _VALID, "StrideH": strides[0], "StrideW": strides[1]}
    result = draft.add("TRANSPOSE_CONV", *inputs, **options)
    return Picture(result if same else _cut(draft, result, cut))


def _transposed_pads(node: Node, window: tuple[int, ...]) -> list[tuple[int, int]]:
    auto = node.text("auto_pad", "NOTSET")
    if auto == "SAME_UPPER":
        whole = [max(side - stride, 0) for side, stride in zip(window, node.pair("strides"), strict=True)]
        return [(more // 2, more - more // 2) for more in whole]
    if auto == "VALID":
        return [(0, 0), (0, 0)]
    top, left, bottom, right = _pads(node)
    if "output_shape" in node.attributes:
        raise node.refused("of a fixed size")
    return [(top, bottom), (left, right)]


def _cut(draft: Draft, tensor: int, cut: list[tuple[int, int]]) -> int:
    begins, ends = [0, *(before for before, _ in cut), 0], [0, *(-after for _, after in cut), 0]
    end_mask = sum(1 << axis for axis, end in enumerate(ends) if not end)
    bounds = [draft.constant(each) for each in (begins, ends, [1] * 4)]
    return draft.add("STRIDED_SLICE", tensor, *bounds, BeginMask=9, EndMask=end_mask)


def _pad(draft: Draft, node: Node) -> Picture:
    picture, mode = node.picture(), node.text("mode", "constant")
    pads, value, axes = node.option("pads", 1) or [], node.option("value", 2), node.option("axes", 3) or [0, 1, 2, 3]
    if mode not in ("constant", "reflect") or len(pads) != 2 * len(axes):
        raise node.refused(f"of mode {mode}")
    border = np.zeros((4, 2), np.int32)
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        border[picture.axes[int(axis) % 4]] = before, after
    inputs = picture.tensor, draft.constant(border)
    if mode == "reflect":
        result = draft.add("MIRROR_PAD", *inputs, Mode=schema.MirrorPadMode.REFLECT)
    elif value and value[0]:
        result = draft.add("PADV2", *inputs, draft.constant([float(value[0])]))
    else:
        result = draft.add("PAD", *inputs)
    return Picture(result, picture.axes)


WINDOWS: dict[str, Callable[[Draft, Node], Picture]] = {
    "AveragePool": _pool,
    "Conv": _conv,
    "ConvTranspose": _transposed_conv,
    "MaxPool": _pool,
    "Pad": _pad,
}
