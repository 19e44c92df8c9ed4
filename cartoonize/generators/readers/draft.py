"""A generator's flatbuffer in the making: operators are added one by one, and followed on a picture of one size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from cartoonize.errors import WeightsError
from cartoonize.generators.card import Card, with_card
from cartoonize.generators.graph.operators import follow
from cartoonize.generators.graph.reading import OPTIONS, Operator
from cartoonize.generators.graph.trace import check_size
from cartoonize.generators.graph.values import Side, Value

MAX_BYTES = 128 * 1024**2  # of all constants together; the paper's generator has 6 MB
_TYPES = {"f": (np.float32, schema.TensorType.FLOAT32), "i": (np.int32, schema.TensorType.INT32)}


class Draft:
    """Tensors by number, of pictures [1, h, w, c]: the first is the photo, whose size here is height x width."""

    def __init__(self, height: int, width: int) -> None:
        self._tensors: list[Any] = []
        self._buffers = [schema.BufferT()]  # the first is empty, for what is no constant
        self._operators: list[Any] = []
        self._codes: dict[str, int] = {}
        self._values: list[Value] = []
        self._room = MAX_BYTES
        sides = Side.of_picture(height), Side.of_picture(width)
        self.source = self._add(Value((1, height, width, 3), sides=sides))

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return a tensor's shape, for the photo's size."""
        return self._values[tensor].shape

    def constant(self, numbers: NDArray[Any] | Sequence[Any]) -> int:
        """Add a constant, float32 or int32; raises WeightsError when there is too much of them."""
        array = np.asarray(numbers)
        dtype, _ = _TYPES[array.dtype.kind]
        array = np.array(array, dtype, order="C")  # keeps what has no axis
        self._room -= array.nbytes
        if self._room < 0:
            raise WeightsError(f"more than {MAX_BYTES:,} bytes of weights: larger than any generator")
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self._buffers.append(buffer)
        value = Value(array.shape, array if array.dtype.kind == "i" else None, constant=True)
        return self._add(value, buffer=len(self._buffers) - 1)

    def add(self, name: str, *inputs: int, **options: float) -> int:
        """Add an operator with one result and return that; raises WeightsError where it does not fit."""
        (result,) = self.add_several(name, *inputs, **options)
        return result

    def add_several(self, name: str, *inputs: int, **options: float) -> list[int]:
        """Add an operator, its options by their names in the schema (0 where left out), and return its results."""
        wanted = OPTIONS[name][1] if name in OPTIONS else ()
        all_options = dict.fromkeys(wanted, 0) | {"DilationHFactor": 1, "DilationWFactor": 1} | options
        followed = follow(Operator(name, inputs, (), all_options), [self._values[i] for i in inputs])
        for value in followed.values:
            check_size(name, value, math.prod(self._values[self.source].shape[1:3]))
        results = [self._add(value) for value in followed.values]
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.setdefault(name, len(self._codes))
        operator.inputs, operator.outputs = list(inputs), results
        if name in OPTIONS:
            type_name, _ = OPTIONS[name]
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type_name)
            operator.builtinOptions = getattr(schema, type_name + "T")()
            for option in wanted:
                setattr(operator.builtinOptions, option[0].lower() + option[1:], all_options[option])
        self._operators.append(operator)
        return results

    def shape_of(self, tensor: int) -> int:
        """Add a tensor's shape for pictures of any size, and return that."""
        return self.add("SHAPE", tensor, OutType=schema.TensorType.INT32)

    def finished(self, target: int, card: Card) -> bytes:
        """Return the flatbuffer that gives this tensor."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = [self.source], [target]
        model = schema.ModelT()
        model.version = 3
        model.subgraphs, model.buffers = [graph], self._buffers
        model.operatorCodes = [operator_code(name) for name in self._codes]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return with_card(bytes(builder.Output()), card)

    def _add(self, value: Value, buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.name = f"t{len(self._tensors)}"
        whole = value.numbers is not None
        tensor.type = _TYPES["i" if whole else "f"][1]
        tensor.shape = list(value.shape)
        tensor.buffer = buffer
        if not value.constant:
            batch, _, _, channels = value.shape if len(value.shape) == 4 else (0, 0, 0, 0)
            if batch != 1 or not math.prod(value.shape):
                raise WeightsError(f"gives a tensor of shape {list(value.shape)}: expected a picture")
            tensor.shape, tensor.shapeSignature = [1, 1, 1, channels], [1, -1, -1, channels]
        self._tensors.append(tensor)
        self._values.append(value)
        return len(self._tensors) - 1


def operator_code(name: str) -> Any:
    """Return an operator's entry in a flatbuffer's list of those it has."""
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)  # what older readers look at
    code.version = 1
    return code
