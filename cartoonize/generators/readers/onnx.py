"""Reads a generator from ONNX into a flatbuffer. Files are hostile: known operators only, bounded, nothing outside.

A model is followed twice, on pictures of two sizes, so that sizes it works out by itself become numbers; what is
written has to be the same both times.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from cartoonize.errors import WeightsError, first_line
from cartoonize.generators.card import METADATA_NAME, UNKNOWN, Card, read_card
from cartoonize.generators.readers.draft import MAX_BYTES, Draft
from cartoonize.generators.readers.onnx_node import NCHW, Node, Numbers, Picture, Value
from cartoonize.generators.readers.onnx_numbers import known
from cartoonize.generators.readers.onnx_pictures import drawn

_SIZES = ((960, 1920), (1920, 2880))  # multiples of what sides usually have to be
_MAX_NODES = 4096
_NHWC = (0, 1, 2, 3)
_ITEM_BYTES = 1 / 2  # of the smallest type there is
_NUMBERS = ("short_side", "radius", "eps")


def read_onnx(content: bytes) -> bytes:
    """Return the flatbuffer of an ONNX generator, float32 RGB in nominal [-1, 1], NHWC or NCHW, of any size.

    Raises WeightsError naming the operator, or the limit, for which it cannot be.
    """
    try:
        model = onnx.ModelProto.FromString(content)
        _check(model)
        first, second = (_Reading(model.graph, *size).flatbuffer(_card(model)) for size in _SIZES)
    except WeightsError:
        raise
    except (DecodeError, ValueError, KeyError, IndexError, TypeError, ArithmeticError, AttributeError) as error:
        raise WeightsError(f"a damaged ONNX model ({type(error).__name__}: {first_line(error)[:200]})") from error
    if first != second:
        raise WeightsError("its sizes depend on the picture's in a way that is not read from ONNX")
    return first


def _check(model: Any) -> None:
    graph = model.graph
    if len(graph.node) > _MAX_NODES or len(graph.initializer) > 4 * _MAX_NODES:
        raise WeightsError(f"{len(graph.node):,} operators: larger than any generator")
    held = [*graph.initializer, *(a.t for node in graph.node for a in node.attribute if a.HasField("t"))]
    room = MAX_BYTES
    for tensor in held:
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise WeightsError(f"its weights {tensor.name[:60]!r} lie in another file: export it as one")
        size = math.prod(tensor.dims)
        room -= 4 * size
        if any(side < 0 for side in tensor.dims) or size * _ITEM_BYTES > tensor.ByteSize() or room < 0:
            raise WeightsError(
                f"weights of shape {list(tensor.dims)[:8]}: more than there are, or than a generator has"
            )


def _card(model: Any) -> Card:
    if model.producer_name != "cartoonize":
        return UNKNOWN
    notes = {entry.key: entry.value for entry in model.metadata_props}
    numbers = {name: json.loads(notes[name]) for name in _NUMBERS if name in notes}
    return read_card({METADATA_NAME: json.dumps(notes | numbers).encode()})


class _Reading:
    """One walk through a model's graph, for a picture of one size."""

    def __init__(self, graph: Any, height: int, width: int) -> None:
        self._graph = graph
        self._draft = Draft(height, width)
        self._values: dict[str, Value] = {each.name: _array(each) for each in graph.initializer}
        self._room = 2 * MAX_BYTES  # for what is worked out

    def flatbuffer(self, card: Card) -> bytes:
        inputs = [each for each in self._graph.input if each.name not in self._values]
        if len(inputs) != 1 or len(self._graph.output) != 1:
            raise WeightsError(f"{len(inputs)} inputs and {len(self._graph.output)} outputs: expected one picture each")
        self._values[inputs[0].name] = Picture(self._draft.source, _axes(inputs[0]))
        for node in self._graph.node:
            self._follow(node)
        result = self._values[self._graph.output[0].name]
        if not isinstance(result, Picture):
            raise WeightsError("its result is no picture")
        return self._draft.finished(result.tensor, card)

    def _follow(self, entry: Any) -> None:
        kind = entry.op_type if entry.domain in ("", "ai.onnx") else f"{entry.domain}.{entry.op_type}"
        attributes = {each.name: _attribute(each) for each in entry.attribute}
        inputs = tuple(self._values[name] if name else None for name in entry.input)
        node = Node(ascii(kind[:60])[1:-1], inputs, attributes)
        results: list[Any] = [self._numbers(node)] if self._is_known(node) else drawn(self._draft, node)
        self._values.update(zip(entry.output, results, strict=False))  # what else it could give nobody may ask for

    def _is_known(self, node: Node) -> bool:
        return node.kind == "Shape" or not any(isinstance(each, Picture) for each in node.inputs)

    def _numbers(self, node: Node) -> Numbers:
        if node.kind == "Shape":
            given = node.inputs[0]
            shape = given.shape if isinstance(given, np.ndarray) else self._shape(node.picture())
            return np.array(shape[node.attributes.get("start", 0) : node.attributes.get("end")], np.int64)
        result = known(node)
        self._room -= result.nbytes
        if self._room < 0:
            raise WeightsError("works out more numbers than any generator")
        return result

    def _shape(self, picture: Picture) -> tuple[int, ...]:
        shape = self._draft.shape(picture.tensor)
        return tuple(shape[axis] for axis in picture.axes)


def _axes(entry: Any) -> tuple[int, ...]:
    """Return the order of the photo's axes; raises WeightsError where it is no photo of any size."""
    tensor = entry.type.tensor_type
    sides = [each.dim_value or -1 for each in tensor.shape.dim]
    if tensor.elem_type == onnx.TensorProto.UINT8:
        raise WeightsError("takes pictures of uint8: export the generator itself, without --image")
    if tensor.elem_type != onnx.TensorProto.FLOAT or len(sides) != 4 or sides[0] not in (1, -1):
        kind = onnx.TensorProto.DataType.Name(tensor.elem_type)
        raise WeightsError(f"takes {kind} {sides}: expected FLOAT, one picture of three channels")
    if sides[1] != 3 and sides[3] != 3:
        raise WeightsError(f"takes {sides}: expected three channels, first or last")
    axes, fixed = (NCHW, sides[2:]) if sides[1] == 3 else (_NHWC, sides[1:3])
    if fixed != [-1, -1]:
        raise WeightsError(f"takes pictures of {fixed[1]}x{fixed[0]} only: export it for any size (dynamic axes)")
    return axes


def _array(tensor: Any) -> Numbers:
    return np.asarray(onnx.numpy_helper.to_array(tensor))


def _attribute(attribute: Any) -> Any:
    if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
        raise WeightsError(f"an operator with a graph of its own ({attribute.name[:60]!a}) is not read from ONNX")
    value = onnx.helper.get_attribute_value(attribute)
    return _array(value) if isinstance(value, onnx.TensorProto) else value
