"""Operators added before and after those of a generator's flatbuffer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from cartoonize.generators.card import Card, with_card
from cartoonize.generators.generator import Generator
from cartoonize.generators.readers.draft import operator_code

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.uint8): schema.TensorType.UINT8,
}
_ANY = -1


class Additions:
    """A flatbuffer to which operators are added in the order in which they run."""

    def __init__(self, generator: Generator) -> None:
        self._model = schema.ModelT.InitFromPackedBuf(generator.content, 0)
        (self._graph,) = self._model.subgraphs
        self._drawing, self._graph.operators = self._graph.operators, []
        self._codes: dict[str, int] = {}
        self._drawn_from, self._drawn = int(self._graph.inputs[0]), int(self._graph.outputs[0])
        self._channels = generator.graph.tensors[self._drawn].shape[3]

    def picture(self, name: str, dtype: type[np.generic]) -> Tensor:
        """Add a picture [1, any, any, 3] that comes from outside."""
        return self._tensor((1, _ANY, _ANY, 3), dtype, name=name)

    def constant(self, array: NDArray[Any]) -> Tensor:
        """Add a constant."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        return self._tensor(array.shape, array.dtype.type, buffer=len(self._model.buffers) - 1)

    def whole_numbers(self, count: int) -> Tensor:
        """Return what a list of whole numbers looks like, for `add`."""
        return Tensor(self, -1, (count,), np.int32)

    def add(self, name: str, *inputs: Tensor | NDArray[Any], options: Any = None, like: Tensor) -> Tensor:
        """Add an operator whose result is one more of the shape and type of `like`, and return that.

        options: of the schema's kind, None for an operator without.
        """
        result = self._tensor(like.shape, like.dtype)
        self._operator(name, inputs, result.number, options)
        return result

    def draw(self, picture: Tensor) -> Tensor:
        """Add the generator's own operators on a picture, float32 [1, h, w, 3], and return what they give; once."""
        renamed = {self._drawn_from: picture.number}
        for operator in self._drawing:
            operator.inputs = [renamed.get(int(number), int(number)) for number in operator.inputs]
        self._graph.operators += self._drawing
        return Tensor(self, self._drawn, (1, _ANY, _ANY, self._channels), np.float32)

    def finished(self, source: Tensor, target: Tensor, card: Card) -> bytes:
        """Return the flatbuffer that makes `target`, its only output, of `source`, its only input."""
        self._graph.inputs, self._graph.outputs = [source.number], [target.number]
        self._graph.tensors[target.number].name = "cartoon"
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs, signature.outputs = [_named("photo", source)], [_named("cartoon", target)]
        self._model.signatureDefs = [signature]
        self._model.metadata = (
            None  # the converter's notes on the generator alone: half precision would spoil the filter
        )
        builder = flatbuffers.Builder(1024)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return with_card(bytes(builder.Output()), card)

    def _operator(self, name: str, inputs: tuple[Tensor | NDArray[Any], ...], result: int, options: Any) -> None:
        operator = schema.OperatorT()
        if name not in self._codes:
            self._codes[name] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(operator_code(name))
        operator.opcodeIndex = self._codes[name]
        given = [each if isinstance(each, Tensor) else self.constant(each) for each in inputs]
        operator.inputs, operator.outputs = [each.number for each in given], [result]
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self._graph.operators.append(operator)

    def _tensor(self, shape: tuple[int, ...], dtype: type[np.generic], name: str = "", buffer: int = 0) -> Tensor:
        tensor = schema.TensorT()
        tensor.name = name or f"added{len(self._graph.tensors)}"
        tensor.type, tensor.buffer = _TYPES[np.dtype(dtype)], buffer
        tensor.shape = [max(1, side) for side in shape]
        if _ANY in shape:
            tensor.shapeSignature = list(shape)
        self._graph.tensors.append(tensor)
        return Tensor(self, len(self._graph.tensors) - 1, shape, dtype)


@dataclass(frozen=True)
class Tensor:
    """A tensor by number; arithmetic with it adds operators, so that `method`'s formulas can be written with it."""

    of: Additions
    number: int
    shape: tuple[int, ...]
    dtype: type[np.generic]

    def of_channels(self, count: int) -> Tensor:
        """Return what it would look like with another number of channels, for `add`."""
        return replace(self, number=-1, shape=(*self.shape[:3], count))

    def __add__(self, other: Tensor | np.float32) -> Tensor:
        return self._with("ADD", other, schema.AddOptionsT())

    def __sub__(self, other: Tensor | np.float32) -> Tensor:
        return self._with("SUB", other, schema.SubOptionsT())

    def __mul__(self, other: Tensor | np.float32) -> Tensor:
        return self._with("MUL", other, schema.MulOptionsT())

    def __truediv__(self, other: Tensor | np.float32) -> Tensor:
        return self._with("DIV", other, schema.DivOptionsT())

    def clipped(self, low: float, high: float) -> Tensor:
        """Add bounds."""
        lowest = self._with("MAXIMUM", np.float32(low), schema.MaximumMinimumOptionsT())
        return lowest._with("MINIMUM", np.float32(high), schema.MaximumMinimumOptionsT())

    def rounded(self) -> Tensor:
        """Add rounding, halves to the even number."""
        return self.of.add("ROUND", self, like=self)

    def cast(self, dtype: type[np.generic]) -> Tensor:
        """Add a change of type; fractions are cut off."""
        return self.of.add("CAST", self, options=schema.CastOptionsT(), like=replace(self, number=-1, dtype=dtype))

    def _with(self, name: str, other: Tensor | np.generic, options: Any) -> Tensor:
        given = other if isinstance(other, Tensor) else np.asarray(other)
        return self.of.add(name, self, given, options=options, like=self)


def _named(name: str, tensor: Tensor) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor.number
    return entry
