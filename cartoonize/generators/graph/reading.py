"""Reads what a generator's flatbuffer computes: its operators, tensors and constants, without running any of it.

Foreign files come through here before an engine sees them: operators are checked against a list, everything against
the end of the file. The schema is LiteRT's own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from cartoonize.errors import WeightsError

Options: TypeAlias = "dict[str, float]"

_MAX_OPERATORS = 4096  # the largest generator here has 130
_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.BOOL: np.bool_,
}
_WINDOW = ("Padding", "StrideH", "StrideW")
_DILATION = ("DilationHFactor", "DilationWFactor")
_FUSED = ("FusedActivationFunction",)
_CORNERS = ("AlignCorners", "HalfPixelCenters")
# Every operator that has options and that a generator may have: their name in the schema, and those that are read.
OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", (*_WINDOW, *_DILATION, *_FUSED)),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", ("DepthMultiplier", *_WINDOW, *_DILATION, *_FUSED)),
    "TRANSPOSE_CONV": ("TransposeConvOptions", (*_WINDOW, *_FUSED)),
    "AVERAGE_POOL_2D": ("Pool2DOptions", (*_WINDOW, "FilterHeight", "FilterWidth", *_FUSED)),
    "MAX_POOL_2D": ("Pool2DOptions", (*_WINDOW, "FilterHeight", "FilterWidth", *_FUSED)),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", _CORNERS),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _CORNERS),
    "MIRROR_PAD": ("MirrorPadOptions", ("Mode",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", *_FUSED)),
    "SPLIT": ("SplitOptions", ("NumSplits",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask"),
    ),
    "SHAPE": ("ShapeOptions", ("OutType",)),
    "PACK": ("PackOptions", ("Axis",)),
    "GATHER": ("GatherOptions", ("Axis",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "ADD": ("AddOptions", _FUSED),
    "SUB": ("SubOptions", _FUSED),
    "MUL": ("MulOptions", _FUSED),
    "DIV": ("DivOptions", _FUSED),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "SUM": ("ReducerOptions", ("KeepDims",)),
    "REDUCE_MAX": ("ReducerOptions", ("KeepDims",)),
    "BATCH_MATMUL": ("BatchMatMulOptions", ("AdjX", "AdjY")),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("KeepNumDims", *_FUSED)),
}
_WITHOUT_OPTIONS = (
    "ABS CAST DEQUANTIZE ELU EXP FLOOR FLOOR_DIV GELU HARD_SWISH LOGISTIC MAXIMUM MINIMUM NEG PAD PADV2 PRELU RELU"
    " RELU6 RELU_N1_TO_1 RESHAPE RSQRT SLICE SOFTMAX SQRT SQUARE SQUARED_DIFFERENCE TANH TRANSPOSE"
)
KNOWN = frozenset(OPTIONS) | frozenset(_WITHOUT_OPTIONS.split())
_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


@dataclass(frozen=True)
class Tensor:
    """A tensor: -1 in `shape` stands for any size; `constant` is what it holds, where that is in the file."""

    name: str
    shape: tuple[int, ...]
    dtype: type[np.generic]
    constant: NDArray[Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Operator:
    """One step: its name in LiteRT's schema, the numbers of its tensors (-1: left out), its options by schema name."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options


@dataclass(frozen=True)
class Graph:
    """What a flatbuffer computes, in order; `metadata` are its named blobs."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    source: int
    target: int
    metadata: dict[str, bytes]


def read_graph(content: bytes) -> Graph:
    """Read a generator's flatbuffer; raises WeightsError when it is damaged, no generator, or has unknown operators."""
    try:
        return _graph(schema.Model.GetRootAs(content, 0))
    except WeightsError:
        raise
    except (struct.error, IndexError, ValueError, TypeError, OverflowError, AttributeError, MemoryError) as error:
        raise WeightsError(f"a damaged or truncated flatbuffer ({error or type(error).__name__})") from error


def _graph(model: Any) -> Graph:
    names = [_code_name(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    if model.SubgraphsLength() < 1:
        raise ValueError("no graph")
    subgraph = model.Subgraphs(0)
    count = subgraph.OperatorsLength()
    if count > _MAX_OPERATORS or subgraph.TensorsLength() > 4 * _MAX_OPERATORS:
        raise WeightsError(f"{count:,} operators: larger than any generator")
    # Before anything else, so that a file of another kind is refused for what it is.
    used = [names[subgraph.Operators(i).OpcodeIndex()] for i in range(count)]
    if unknown := sorted(set(used) - KNOWN):
        raise WeightsError(f"the operator {unknown[0]} is not one that a generator may have")
    tensors = tuple(_tensor(model, subgraph.Tensors(i)) for i in range(subgraph.TensorsLength()))
    operators = tuple(_operator(name, subgraph.Operators(i), len(tensors)) for i, name in enumerate(used))
    source, target = _ends(subgraph, tensors)
    return Graph(tensors, operators, source, target, _metadata(model))


def _code_name(code: Any) -> str:
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name: str = _NAMES.get(number, str(number))
    if name == "CUSTOM":
        return repr((code.CustomCode() or b"CUSTOM").decode(errors="replace")[:40])
    return name


def _ends(subgraph: Any, tensors: tuple[Tensor, ...]) -> tuple[int, int]:
    ends = [*_numbers(subgraph.InputsAsNumpy()), *_numbers(subgraph.OutputsAsNumpy())]
    shapes = [tensors[i].shape for i in ends]
    if all(tensors[i].dtype is np.uint8 for i in ends):
        raise WeightsError("takes pictures of uint8: export the generator itself, without --image")
    if shapes not in ([(1, -1, -1, 3)] * 2, [(1, -1, -1, 3), (1, -1, -1, 4)]) or any(
        tensors[i].dtype is not np.float32 for i in ends
    ):
        raise WeightsError(f"not a generator: expected float32 [1, any, any, 3] in and out, found {shapes}")
    return ends[0], ends[1]


def _tensor(model: Any, tensor: Any) -> Tensor:
    dtype = _DTYPES.get(tensor.Type())
    if dtype is None:
        raise WeightsError(f"a tensor of a type that no generator has (number {tensor.Type()} in the schema)")
    signature = tensor.ShapeSignatureAsNumpy() if tensor.ShapeSignatureLength() else tensor.ShapeAsNumpy()
    shape = _numbers(signature)
    if len(shape) > 6 or any(not -1 <= side <= 2**24 for side in shape):
        raise ValueError(f"a tensor of shape {shape}")
    name = (tensor.Name() or b"").decode(errors="replace")
    buffer = model.Buffers(tensor.Buffer())
    if not buffer.DataLength():
        return Tensor(name, shape, dtype)
    if -1 in shape:
        raise ValueError("a constant of any size")
    return Tensor(name, shape, dtype, buffer.DataAsNumpy().view(dtype).reshape(shape))


def _operator(name: str, operator: Any, tensors: int) -> Operator:
    inputs, outputs = _numbers(operator.InputsAsNumpy()), _numbers(operator.OutputsAsNumpy())
    if any(not -1 <= i < tensors for i in inputs) or any(not 0 <= i < tensors for i in outputs):
        raise ValueError(f"{name} of a tensor that is not there")
    return Operator(name, inputs, outputs, _options(name, operator))


def _options(name: str, operator: Any) -> Options:
    if name not in OPTIONS:
        return {}
    type_name, wanted = OPTIONS[name]
    table = operator.BuiltinOptions()
    if table is None or operator.BuiltinOptionsType() != getattr(schema.BuiltinOptions, type_name):
        raise ValueError(f"{name} without its options")
    options = getattr(schema, type_name)()
    options.Init(table.Bytes, table.Pos)
    return {each: getattr(options, each)() for each in wanted}


def _metadata(model: Any) -> dict[str, bytes]:
    found = {}
    for i in range(min(model.MetadataLength(), 64)):
        entry = model.Metadata(i)
        data = model.Buffers(entry.Buffer()).DataAsNumpy()
        found[(entry.Name() or b"").decode(errors="replace")] = b"" if isinstance(data, int) else data.tobytes()
    return found


def _numbers(vector: Any) -> tuple[int, ...]:
    return () if isinstance(vector, int) else tuple(vector.tolist())  # the schema says 0 for an empty vector
