"""Writes a generator for ncnn: a text of layers and a file of weights, pictures as [c, h, w] in "in0" and "out0".

The formats: https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure and the layers' parameters in
https://github.com/Tencent/ncnn/wiki/operation-param-weight-table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cartoonize.errors import WeightsError
from cartoonize.generators.generator import Generator
from cartoonize.generators.graph.reading import Graph
from cartoonize.generators.graph.steps import Step, Weights, borders, steps, surplus
from cartoonize.generators.writers.ncnn_image import around
from cartoonize.generators.writers.ncnn_network import BINARY, Network, number

_SAME_UPPER = -233  # padding as TensorFlow's SAME
_TO_THE_END = -233  # of a slice
_REPLICATE, _REFLECT = 1, 2
_ACTIVATIONS = {  # fused ones: a layer of their own each
    schema.ActivationFunctionType.RELU: ("ReLU", ""),
    schema.ActivationFunctionType.RELU6: ("Clip", "0=0.0 1=6.0"),
    schema.ActivationFunctionType.RELU_N1_TO_1: ("Clip", "0=-1.0 1=1.0"),
    schema.ActivationFunctionType.TANH: ("TanH", ""),
}


def write_ncnn(generator: Generator, *, image: bool = False) -> tuple[str, bytes]:
    """Return a generator's `.param` and `.bin`; raises WeightsError naming an operator that ncnn is not told of.

    image: levels from 0 to 255 in and out, of any size, with the guided filter and the ink inside; else RGB in [-1, 1]
    of sides that are multiples of the generator's alignment.
    """
    network = Network()
    photo = network.apply("Input", [], output="in0")
    if image:
        drawn = around(network, photo, generator, lambda picture: _add_generator(network, generator.graph, picture))
    else:
        drawn = _add_generator(network, generator.graph, photo)
    network.apply("Noop", [drawn], output="out0")
    return network.text(), bytes(network.weights)


def _add_generator(network: Network, graph: Graph, photo: str) -> str:
    network.tensors[graph.source] = photo
    for step in steps(graph):
        if step.name not in _WRITERS:
            raise WeightsError(f"the operator {step.name} cannot be written for ncnn, which runs GPUs")
        network.tensors[step.outputs[0]] = _activated(network, step, _WRITERS[step.name](network, step))
    return network.tensors[graph.target]


def _activated(network: Network, step: Step, blob: str) -> str:
    function = int(step.options.get("FusedActivationFunction", schema.ActivationFunctionType.NONE))
    if function == schema.ActivationFunctionType.NONE:
        return blob
    kind, parameters = _ACTIVATIONS[function]
    return network.apply(kind, [blob], parameters)


def _conv(network: Network, step: Step) -> str:
    (kernel, bias), (picture,) = _kernel_and_bias(step), step.pictures
    filters, height, width, depth = kernel.shape
    network.keep(np.ascontiguousarray(kernel.transpose(0, 3, 1, 2)))
    network.keep(bias, tagged=False)
    window = _window(step, filters, (height, width), kernel.size)
    groups = step.depth // depth
    if groups > 1:
        return network.apply("ConvolutionDepthWise", [network.tensors[picture]], f"{window} 7={groups}")
    return network.apply("Convolution", [network.tensors[picture]], window)


def _depthwise(network: Network, step: Step) -> str:
    (kernel, bias), (picture,) = _kernel_and_bias(step), step.pictures
    _, height, width, filters = kernel.shape
    network.keep(np.ascontiguousarray(kernel[0].transpose(2, 0, 1)))
    network.keep(bias, tagged=False)
    parameters = f"{_window(step, filters, (height, width), kernel.size)} 7={step.depth}"
    return network.apply("ConvolutionDepthWise", [network.tensors[picture]], parameters)


def _transposed_conv(network: Network, step: Step) -> str:
    _, kernel, *bias = step.constants
    filters, height, width, _ = kernel.shape
    network.keep(np.ascontiguousarray(kernel.transpose(0, 3, 1, 2)))
    network.keep(bias[0] if bias else np.zeros(filters, np.float32), tagged=False)
    rows, columns = surplus(step)
    top, left = max(rows, 0) // 2, max(columns, 0) // 2
    parameters = (
        f"0={filters} 1={width} 11={height} 3={step.options['StrideW']} 13={step.options['StrideH']}"
        f" 4={left} 15={max(columns, 0) - left} 14={top} 16={max(rows, 0) - top}"
        f" 18={max(-columns, 0)} 19={max(-rows, 0)} 5=1 6={kernel.size}"
    )
    return network.apply("Deconvolution", [network.tensors[step.pictures[0]]], parameters)


def _kernel_and_bias(step: Step) -> tuple[Weights, Weights]:
    kernel = step.constants[0]
    bias = step.constants[1] if len(step.constants) > 1 else np.zeros(step.channels, np.float32)
    return kernel, bias


def _window(step: Step, filters: int, window: tuple[int, int], size: int) -> str:
    options = step.options
    padding = _SAME_UPPER if options["Padding"] == schema.Padding.SAME else 0
    return (
        f"0={filters} 1={window[1]} 11={window[0]} 2={options['DilationWFactor']} 12={options['DilationHFactor']}"
        f" 3={options['StrideW']} 13={options['StrideH']} 4={padding} 14={padding} 15={padding} 16={padding}"
        f" 5=1 6={size}"
    )


def _binary(network: Network, step: Step) -> str:
    operation = BINARY[step.name]
    blobs = [network.tensors[i] for i in step.pictures]
    if len(blobs) == 2:
        return network.apply("BinaryOp", blobs, f"0={operation}")
    (constant,) = step.constants
    if constant.size != 1 or (not isinstance(step.inputs[0], int) and step.name in ("SUB", "DIV")):
        raise WeightsError(f"the operator {step.name} with a picture of constants cannot be written for ncnn")
    return network.apply("BinaryOp", blobs, f"0={operation} 1=1 2={number(constant.ravel()[0])}")


def _bilinear(network: Network, step: Step) -> str:
    """Twice the size as TensorFlow 1 did it: between two pixels their mean, from each pixel repeated and a 2x2 mean."""
    options = step.options
    if options["HalfPixelCenters"] and step.scale.denominator == 1:  # as ncnn has it
        factor = float(step.scale)
        return network.apply("Interp", [network.tensors[step.pictures[0]]], f"0=2 1={factor} 2={factor}")
    if step.scale != 2 or options["AlignCorners"] or options["HalfPixelCenters"]:
        raise WeightsError("RESIZE_BILINEAR of this kind cannot be written for ncnn, which runs GPUs")
    repeated = network.apply("Interp", [network.tensors[step.pictures[0]]], "0=1 1=2.0 2=2.0")
    padded = network.apply("Padding", [repeated], f"0=0 1=1 2=0 3=1 4={_REPLICATE}")
    return network.apply("Pooling", [padded], "0=1 1=2 2=1 5=1")


def _nearest(network: Network, step: Step) -> str:
    if step.scale.denominator != 1 or step.options["AlignCorners"]:
        raise WeightsError("RESIZE_NEAREST_NEIGHBOR by anything but a whole number cannot be written for ncnn")
    factor = float(step.scale)
    return network.apply("Interp", [network.tensors[step.pictures[0]]], f"0=1 1={factor} 2={factor}")


def _pad(network: Network, step: Step) -> str:
    _, (top, bottom), (left, right), channels = step.constants[0].astype(int).tolist()
    symmetric = step.name == "MIRROR_PAD" and step.options["Mode"] != schema.MirrorPadMode.REFLECT
    if any(channels) or symmetric or step.name == "PADV2":
        raise WeightsError(f"the operator {step.name} with such a border cannot be written for ncnn")
    kind = _REFLECT if step.name == "MIRROR_PAD" else 0
    return network.apply(
        "Padding", [network.tensors[step.pictures[0]]], f"0={top} 1={bottom} 2={left} 3={right} 4={kind}"
    )


def _strided_slice(network: Network, step: Step) -> str:
    _, rows, columns, channels = borders(step)
    taken = channels, rows, columns
    starts = ",".join(str(before) for before, _ in taken)
    ends = ",".join(str(-after or _TO_THE_END) for _, after in taken)
    parameters = f"-23309=3,{starts} -23310=3,{ends} -23311=3,0,1,2"
    return network.apply("Crop", [network.tensors[step.pictures[0]]], parameters)


def _concatenation(network: Network, step: Step) -> str:
    if int(step.options["Axis"]) % 4 != 3 or step.constants:
        raise WeightsError("CONCATENATION of anything but channels cannot be written for ncnn")
    return network.apply("Concat", [network.tensors[i] for i in step.pictures], "0=0")


def _simple(kind: str, parameters: Callable[[Step], str] = lambda _: "") -> Callable[[Network, Step], str]:
    def write(network: Network, step: Step) -> str:
        return network.apply(kind, [network.tensors[step.pictures[0]]], parameters(step))

    return write


_WRITERS: dict[str, Callable[[Network, Step], str]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed_conv,
    "STRIDED_SLICE": _strided_slice,
    "LEAKY_RELU": _simple("ReLU", lambda step: f"0={number(step.options['Alpha'])}"),
    "RELU": _simple("ReLU"),
    "RELU6": _simple("Clip", lambda _: "0=0.0 1=6.0"),
    "LOGISTIC": _simple("Sigmoid"),
    "TANH": _simple("TanH"),
    # Mode 1 is TensorFlow's order of channels.
    "SPACE_TO_DEPTH": _simple("Reorg", lambda step: f"0={step.options['BlockSize']} 1=1"),
    "DEPTH_TO_SPACE": _simple("PixelShuffle", lambda step: f"0={step.options['BlockSize']} 1=1"),
    "RESIZE_BILINEAR": _bilinear,
    "RESIZE_NEAREST_NEIGHBOR": _nearest,
    "PAD": _pad,
    "MIRROR_PAD": _pad,
    "CONCATENATION": _concatenation,
} | dict.fromkeys(BINARY, _binary)
