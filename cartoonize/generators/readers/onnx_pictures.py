"""ONNX operators on pictures, as operators of the flatbuffer: those that compute pixel by pixel, or move pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cartoonize.generators.readers.draft import Draft
from cartoonize.generators.readers.onnx_node import NCHW, Node, Numbers, Picture
from cartoonize.generators.readers.onnx_numbers import sliced
from cartoonize.generators.readers.onnx_resizes import RESIZES
from cartoonize.generators.readers.onnx_windows import WINDOWS

_MAX_MOVED = 4096  # channels that are put in another order
_BINARY = {"Add": "ADD", "Sub": "SUB", "Mul": "MUL", "Div": "DIV", "Max": "MAXIMUM", "Min": "MINIMUM"}
_PLAIN = {
    "Abs": "ABS",
    "Exp": "EXP",
    "Floor": "FLOOR",
    "HardSwish": "HARD_SWISH",
    "Neg": "NEG",
    "Relu": "RELU",
    "Sigmoid": "LOGISTIC",
    "Sqrt": "SQRT",
    "Tanh": "TANH",
}


def drawn(draft: Draft, node: Node) -> list[Picture]:
    """Add what a node does to pictures, and return its results; raises WeightsError naming what is not known."""
    if node.kind not in _PICTURES:
        raise node.refused("on pictures")
    result = _PICTURES[node.kind](draft, node)
    return result if isinstance(result, list) else [result]


def _plain(draft: Draft, node: Node) -> Picture:
    picture = node.picture()
    return Picture(draft.add(_PLAIN[node.kind], picture.tensor), picture.axes)


def _passed(_draft: Draft, node: Node) -> Picture:
    if node.kind == "Cast" and node.attributes.get("to") != 1:
        raise node.refused("to anything but float32")
    return node.picture()


def _transposed(_draft: Draft, node: Node) -> Picture:
    picture = node.picture()
    order = node.attributes.get("perm", [3, 2, 1, 0])
    if sorted(order) != [0, 1, 2, 3]:
        raise node.refused(f"in the order {order}")
    return Picture(picture.tensor, tuple(picture.axes[k] for k in order))


def _binary(draft: Draft, node: Node) -> Picture:
    axes = next(each.axes for each in node.inputs if isinstance(each, Picture))
    tensors = []
    for index, each in enumerate(node.inputs):
        if isinstance(each, Picture):
            tensors.append(node.picture(index, axes).tensor)
        else:
            tensors.append(draft.constant(_beside(node, node.weights(index), axes)))
    if len(tensors) != 2:
        raise node.refused(f"of {len(tensors)} inputs")
    return Picture(draft.add(_BINARY[node.kind], *tensors), axes)


def _beside(node: Node, numbers: Numbers, axes: tuple[int, ...]) -> Numbers:
    """Return constants beside a picture, in the order of the flatbuffer's axes."""
    if numbers.size == 1:
        return numbers.reshape(1)
    if numbers.ndim > 4:
        raise node.refused(f"with constants of {numbers.ndim} axes")
    four = numbers.reshape((1,) * (4 - numbers.ndim) + numbers.shape)
    return four.transpose([axes.index(k) for k in range(4)])


def _leaky(draft: Draft, node: Node) -> Picture:
    picture = node.picture()
    alpha = float(node.attributes.get("alpha", 0.01))
    return Picture(draft.add("LEAKY_RELU", picture.tensor, Alpha=alpha), picture.axes)


def _prelu(draft: Draft, node: Node) -> Picture:
    picture, slope = node.picture(0, NCHW), node.weights(1)
    if slope.size == 1:
        return Picture(draft.add("LEAKY_RELU", picture.tensor, Alpha=float(slope.ravel()[0])))
    alpha = draft.constant(_beside(node, slope, NCHW)[0])
    return Picture(draft.add("PRELU", picture.tensor, alpha))


def _clip(draft: Draft, node: Node) -> Picture:
    picture = node.picture()
    lowest, highest = (node.option(name, index) for index, name in enumerate(("min", "max"), 1))
    tensor = picture.tensor
    if lowest == [0] and highest == [6]:
        return Picture(draft.add("RELU6", tensor), picture.axes)
    for bound, name in ((lowest, "MAXIMUM"), (highest, "MINIMUM")):
        if bound is not None:
            tensor = draft.add(name, tensor, draft.constant([float(bound[0])]))
    return Picture(tensor, picture.axes)


def _reciprocal(draft: Draft, node: Node) -> Picture:
    picture = node.picture()
    return Picture(draft.add("DIV", draft.constant([1.0]), picture.tensor), picture.axes)


def _concat(draft: Draft, node: Node) -> Picture:
    first = node.picture()
    tensors = [node.picture(index, first.axes).tensor for index in range(len(node.inputs))]
    axis = first.axes[int(node.attributes["axis"]) % 4]
    return Picture(draft.add("CONCATENATION", *tensors, Axis=axis), first.axes)


def _split(draft: Draft, node: Node) -> list[Picture]:
    picture, sizes = node.picture(), node.option("split", 1)
    axis = picture.axes[int(node.attributes.get("axis", 0)) % 4]
    count = len(sizes) if sizes else int(node.attributes.get("num_outputs", 2))
    if axis != 3 or (sizes and len(set(sizes)) > 1):
        raise node.refused("into unequal parts")
    at = draft.constant(np.array(axis, np.int32))
    return [Picture(each, picture.axes) for each in draft.add_several("SPLIT", at, picture.tensor, NumSplits=count)]


def _slice(draft: Draft, node: Node) -> Picture:
    picture = node.picture()
    begins, ends, steps = [0] * 4, [0] * 4, [1] * 4
    begin_mask = end_mask = 15
    for axis, part in zip(*sliced(node, 4), strict=True):
        at = picture.axes[axis]
        length = draft.shape(picture.tensor)[at]
        begins[at], steps[at] = part.start, part.step
        begin_mask &= ~(1 << at)
        if part.stop < length:
            ends[at] = part.stop
            end_mask &= ~(1 << at)
    bounds = [draft.constant(np.clip(each, -(2**31), 2**31 - 1)) for each in (begins, ends, steps)]
    result = draft.add("STRIDED_SLICE", picture.tensor, *bounds, BeginMask=begin_mask, EndMask=end_mask)
    return Picture(result, picture.axes)


def _space_to_depth(draft: Draft, node: Node) -> Picture:
    block = int(node.attributes["blocksize"])
    return Picture(draft.add("SPACE_TO_DEPTH", node.picture(0, NCHW).tensor, BlockSize=block))


def _depth_to_space(draft: Draft, node: Node) -> Picture:
    """CRD, PyTorch's order of channels, is TensorFlow's after they have been moved by a 1x1 convolution."""
    tensor, block = node.picture(0, NCHW).tensor, int(node.attributes["blocksize"])
    if node.text("mode", "DCR") == "CRD":
        depth = draft.shape(tensor)[3]
        if depth > _MAX_MOVED:
            raise node.refused(f"of {depth:,} channels")
        order = np.arange(depth).reshape(-1, block**2).T.ravel()
        kernel = draft.constant(np.eye(depth, dtype=np.float32)[order][:, None, None, :])
        nothing = draft.constant(np.zeros(depth, np.float32))
        tensor = draft.add("CONV_2D", tensor, kernel, nothing, StrideH=1, StrideW=1, Padding=schema.Padding.VALID)
    return Picture(draft.add("DEPTH_TO_SPACE", tensor, BlockSize=block))


def _mean(draft: Draft, node: Node) -> Picture:
    picture = node.picture()
    axes = [2, 3] if node.kind == "GlobalAveragePool" else node.option("axes", 1)
    if not axes or not node.attributes.get("keepdims", 1):
        raise node.refused("that loses axes")
    over = draft.constant(np.array(sorted(picture.axes[int(axis) % 4] for axis in axes), np.int32))
    return Picture(draft.add("MEAN", picture.tensor, over, KeepDims=1), picture.axes)


def _batch_norm(draft: Draft, node: Node) -> Picture:
    picture = node.picture(0, NCHW)
    scale, bias, mean, variance = (node.weights(index) for index in range(1, 5))
    factor = scale / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    grown = draft.add("MUL", picture.tensor, draft.constant(factor))
    return Picture(draft.add("ADD", grown, draft.constant(bias - mean * factor)))


def _instance_norm(draft: Draft, node: Node) -> Picture:
    tensor = node.picture(0, NCHW).tensor
    over = draft.constant([1, 2])
    mean = draft.add("MEAN", tensor, over, KeepDims=1)
    variance = draft.add("MEAN", draft.add("SQUARED_DIFFERENCE", tensor, mean), over, KeepDims=1)
    epsilon = draft.constant([float(node.attributes.get("epsilon", 1e-5))])
    factor = draft.add("RSQRT", draft.add("ADD", variance, epsilon))
    normal = draft.add("MUL", draft.add("SUB", tensor, mean), factor)
    grown = draft.add("MUL", normal, draft.constant(node.weights(1)))
    return Picture(draft.add("ADD", grown, draft.constant(node.weights(2))))


_PICTURES: dict[str, Callable[[Draft, Node], Picture | list[Picture]]] = (
    dict.fromkeys(_PLAIN, _plain)
    | dict.fromkeys(_BINARY, _binary)
    | dict.fromkeys(("Identity", "Dropout", "Cast"), _passed)
    | WINDOWS
    | RESIZES
    | {
        "BatchNormalization": _batch_norm,
        "Clip": _clip,
        "Concat": _concat,
        "DepthToSpace": _depth_to_space,
        "GlobalAveragePool": _mean,
        "InstanceNormalization": _instance_norm,
        "LeakyRelu": _leaky,
        "PRelu": _prelu,
        "Reciprocal": _reciprocal,
        "ReduceMean": _mean,
        "Slice": _slice,
        "SpaceToDepth": _space_to_depth,
        "Split": _split,
        "Transpose": _transposed,
    }
)
