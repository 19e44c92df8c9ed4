"""Writes a generator as ONNX, of any size: "photo" to "cartoon", float32 RGB in nominal [-1, 1], or uint8 (`image`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from cartoonize.errors import WeightsError
from cartoonize.generators.generator import Generator
from cartoonize.generators.graph.steps import Step, Weights, borders, steps, surplus
from cartoonize.generators.writers.onnx_image import around
from cartoonize.generators.writers.onnx_nodes import Nodes

Layout: TypeAlias = Literal["NHWC", "NCHW"]

_OPSET = 17  # from 2022: what browsers and phones have
_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
_PLAIN = {
    "ABS": "Abs",
    "ADD": "Add",
    "DIV": "Div",
    "EXP": "Exp",
    "FLOOR": "Floor",
    "LOGISTIC": "Sigmoid",
    "MAXIMUM": "Max",
    "MINIMUM": "Min",
    "MUL": "Mul",
    "NEG": "Neg",
    "RELU": "Relu",
    "SQRT": "Sqrt",
    "SUB": "Sub",
    "TANH": "Tanh",
}
_FUSED = {
    schema.ActivationFunctionType.RELU: ("Relu", ()),
    schema.ActivationFunctionType.RELU6: ("Clip", (0, 6)),
    schema.ActivationFunctionType.RELU_N1_TO_1: ("Clip", (-1, 1)),
    schema.ActivationFunctionType.TANH: ("Tanh", ()),
}


def write_onnx(generator: Generator, layout: Layout = "NHWC", *, image: bool = False) -> bytes:
    """Return a generator as an ONNX model with its card in the metadata.

    image: uint8 in and out, of any size, with the guided filter and the ink inside; else float32 of sides that are
    multiples of the generator's alignment. Raises WeightsError naming an operator that cannot be written.
    """
    nodes = Nodes()
    channels = 4 if generator.inks and not image else 3
    photo = nodes.add("Transpose", "photo", perm=_TO_NCHW) if layout == "NHWC" else "photo"
    if image:
        drawn = around(nodes, photo, generator, lambda picture: add_generator(nodes, generator, picture))
    else:
        drawn = add_generator(nodes, generator, photo)
    if layout == "NHWC":
        drawn = nodes.add("Transpose", drawn, perm=_TO_NHWC)
    nodes.nodes.append(onnx.helper.make_node("Identity", [drawn], ["cartoon"]))
    return _model(nodes, generator, layout, channels, onnx.TensorProto.UINT8 if image else onnx.TensorProto.FLOAT)


def _model(nodes: Nodes, generator: Generator, layout: Layout, channels: int, dtype: int) -> bytes:
    def end(name: str, channels: int) -> Any:
        size: list[str | int | None] = ["height", "width"]
        shape = [1, *size, channels] if layout == "NHWC" else [1, channels, *size]
        return onnx.helper.make_tensor_value_info(name, dtype, shape)

    graph = onnx.helper.make_graph(
        nodes.nodes, "generator", [end("photo", 3)], [end("cartoon", channels)], nodes.constants
    )
    opset = [onnx.helper.make_opsetid("", _OPSET)]
    model = onnx.helper.make_model(graph, opset_imports=opset, producer_name="cartoonize")
    model.ir_version = 8  # of the opset's time
    card = generator.card
    notes = {"title": card.title, "licence": card.licence, "source": card.source}
    numbers = {"short_side": card.short_side, "radius": card.radius, "eps": card.eps, "layout": layout}
    onnx.helper.set_model_props(model, {name: str(value) for name, value in (notes | numbers).items()})
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def add_generator(nodes: Nodes, generator: Generator, photo: str) -> str:
    """Add the generator's steps on a picture [1, 3, h, w]; returns its output."""
    blobs = {generator.graph.source: photo}
    for step in steps(generator.graph):
        if step.name not in _WRITERS:
            raise WeightsError(f"the operator {step.name} cannot be written as ONNX")
        inputs = [blobs[each] if isinstance(each, int) else "" for each in step.inputs]
        outputs = _WRITERS[step.name](nodes, step, inputs)
        for tensor, blob in zip(step.outputs, outputs if isinstance(outputs, list) else [outputs], strict=True):
            blobs[tensor] = _activated(nodes, step, blob)
    return blobs[generator.graph.target]


def _activated(nodes: Nodes, step: Step, blob: str) -> str:
    function = int(step.options.get("FusedActivationFunction", schema.ActivationFunctionType.NONE))
    if function == schema.ActivationFunctionType.NONE:
        return blob
    kind, bounds = _FUSED[function]
    return nodes.add(kind, blob, *(nodes.numbers(bound) for bound in bounds))


def _conv(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    kernel = step.constants[0]
    depthwise = step.name == "DEPTHWISE_CONV_2D"
    weights = kernel.transpose(3, 0, 1, 2) if depthwise else kernel.transpose(0, 3, 1, 2)
    constants = [nodes.keep(array) for array in (weights, *step.constants[1:])]
    groups = step.depth if depthwise else step.depth // kernel.shape[3]
    return nodes.add("Conv", inputs[0], *constants, group=groups, **_window(step, kernel.shape[1:3]))


def _transposed_conv(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    _, kernel, *bias = step.constants
    constants = [nodes.keep(array) for array in (kernel.transpose(3, 0, 1, 2), *bias)]
    beyond = surplus(step)
    before = [max(more, 0) // 2 for more in beyond]
    after = [max(more, 0) - first for more, first in zip(beyond, before, strict=True)]
    options = {"pads": before + after, "output_padding": [max(-more, 0) for more in beyond]}
    strides = [int(step.options["StrideH"]), int(step.options["StrideW"])]
    (picture,) = (blob for blob in inputs if blob)
    return nodes.add("ConvTranspose", picture, *constants, strides=strides, **options)


def _strided_slice(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    taken = {_TO_NHWC[axis]: pair for axis, pair in enumerate(borders(step)) if any(pair)}
    last = np.iinfo(np.int64).max
    starts, ends = [first for first, _ in taken.values()], [-after or last for _, after in taken.values()]
    return nodes.add("Slice", inputs[0], *(nodes.sizes(*each) for each in (starts, ends, taken)))


def _split(nodes: Nodes, step: Step, inputs: list[str]) -> list[str]:
    (axis,) = step.constants
    if int(axis.ravel()[0]) % 4 != 3:
        raise WeightsError("SPLIT of anything but channels cannot be written as ONNX")
    each = step.channels
    cuts = ((n * each, (n + 1) * each) for n in range(len(step.outputs)))
    (picture,) = (blob for blob in inputs if blob)
    return [nodes.add("Slice", picture, *(nodes.sizes(n) for n in (*cut, 1))) for cut in cuts]


def _pool(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    kind = "AveragePool" if step.name == "AVERAGE_POOL_2D" else "MaxPool"
    window = [int(step.options["FilterHeight"]), int(step.options["FilterWidth"])]
    return nodes.add(kind, inputs[0], kernel_shape=window, **_window(step, window))


def _window(step: Step, window: Sequence[int]) -> dict[str, Any]:
    options = step.options
    strides = [int(options["StrideH"]), int(options["StrideW"])]
    dilations = [int(options.get("DilationHFactor", 1)), int(options.get("DilationWFactor", 1))]
    dilated = {"dilations": dilations} if dilations != [1, 1] else {}
    if options["Padding"] != schema.Padding.SAME:
        return {"strides": strides, **dilated}
    if strides != [1, 1]:  # how much is padded depends on the size
        return {"auto_pad": "SAME_UPPER", "strides": strides, **dilated}
    missing = [(side - 1) * dilation for side, dilation in zip(window, dilations, strict=True)]
    return {"pads": [side // 2 for side in missing] + [side - side // 2 for side in missing], **dilated}


def _plain(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    given = (
        blob if isinstance(each, int) else nodes.keep(_in_nchw(each))
        for blob, each in zip(inputs, step.inputs, strict=True)
    )
    return nodes.add(_PLAIN[step.name], *given)


def _in_nchw(array: Weights) -> Weights:
    if array.ndim <= 1:
        return array.reshape(-1, 1, 1) if array.size > 1 else array
    return array.reshape((1,) * (4 - array.ndim) + array.shape).transpose(0, 3, 1, 2)


def _resize(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    if step.options["AlignCorners"] or (step.name != "RESIZE_BILINEAR" and step.scale.denominator != 1):
        raise WeightsError(f"{step.name} of this kind cannot be written as ONNX")
    scales = nodes.numbers(1, 1, float(step.scale), float(step.scale))
    linear = step.name == "RESIZE_BILINEAR"
    half = linear and step.options["HalfPixelCenters"]
    return nodes.add(
        "Resize",
        inputs[0],
        "",
        scales,
        mode="linear" if linear else "nearest",
        coordinate_transformation_mode="half_pixel" if half else "asymmetric",
        nearest_mode="floor",
    )


def _pad(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    before, after = step.constants[0].astype(np.int64).T
    if step.name == "MIRROR_PAD" and step.options["Mode"] != schema.MirrorPadMode.REFLECT:
        raise WeightsError("MIRROR_PAD of this kind cannot be written as ONNX")
    pads = nodes.keep(np.concatenate([before[_TO_NCHW], after[_TO_NCHW]]))
    value = [nodes.numbers(float(step.constants[1].ravel()[0]))] if step.name == "PADV2" else []
    return nodes.add("Pad", inputs[0], pads, *value, mode="reflect" if step.name == "MIRROR_PAD" else "constant")


def _concatenation(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    if step.constants or int(step.options["Axis"]) % 4 != 3:
        raise WeightsError("CONCATENATION of anything but channels cannot be written as ONNX")
    return nodes.add("Concat", *inputs, axis=1)


def _mean(nodes: Nodes, step: Step, inputs: list[str]) -> str:
    axes = sorted(_TO_NHWC[int(axis) % 4] for axis in step.constants[0].ravel())
    if not step.options["KeepDims"]:
        raise WeightsError("MEAN that loses axes cannot be written as ONNX")
    return nodes.add("ReduceMean", inputs[0], axes=axes, keepdims=1)


def _squared_difference(nodes: Nodes, _step: Step, inputs: list[str]) -> str:
    difference = nodes.add("Sub", *inputs)
    return nodes.add("Mul", difference, difference)


_WRITERS: dict[str, Callable[[Nodes, Step, list[str]], str | list[str]]] = dict.fromkeys(_PLAIN, _plain) | {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _conv,
    "TRANSPOSE_CONV": _transposed_conv,
    "STRIDED_SLICE": _strided_slice,
    "SPLIT": _split,
    "AVERAGE_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "LEAKY_RELU": lambda nodes, step, inputs: nodes.add("LeakyRelu", inputs[0], alpha=step.options["Alpha"]),
    "RELU6": lambda nodes, _, inputs: nodes.add("Clip", inputs[0], nodes.numbers(0), nodes.numbers(6)),
    "SPACE_TO_DEPTH": lambda nodes, step, inputs: nodes.add(
        "SpaceToDepth", inputs[0], blocksize=int(step.options["BlockSize"])
    ),
    # DCR is TensorFlow's order of channels.
    "DEPTH_TO_SPACE": lambda nodes, step, inputs: nodes.add(
        "DepthToSpace", inputs[0], blocksize=int(step.options["BlockSize"]), mode="DCR"
    ),
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "PAD": _pad,
    "PADV2": _pad,
    "MIRROR_PAD": _pad,
    "CONCATENATION": _concatenation,
    "MEAN": _mean,
    "RSQRT": lambda nodes, _, inputs: nodes.add("Reciprocal", nodes.add("Sqrt", inputs[0])),
    "SQUARED_DIFFERENCE": _squared_difference,
}
