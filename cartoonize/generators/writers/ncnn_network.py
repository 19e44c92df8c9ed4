"""Layers of an ncnn network as they are added, and the weights that they read one after another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cartoonize.generators.graph.steps import Weights

_MAGIC = "7767517"
_FLOAT32, _FLOAT16 = 0, 0x01306B47  # how a layer's weights are kept
BINARY = {"ADD": 0, "SUB": 1, "MUL": 2, "DIV": 3, "MAXIMUM": 4, "MINIMUM": 5}


@dataclass(frozen=True)
class _Layer:
    kind: str
    inputs: tuple[str, ...]
    output: str
    parameters: str = ""


@dataclass
class Network:
    """Layers so far; blobs by their names, of which each may be used as often as need be.

    tensors: the blobs that a graph's tensors are, by number.
    """

    layers: list[_Layer] = field(default_factory=list)
    weights: bytearray = field(default_factory=bytearray)
    tensors: dict[int, str] = field(default_factory=dict)

    def apply(self, kind: str, inputs: Sequence[str], parameters: str = "", output: str = "") -> str:
        """Add a layer with one output, and return that."""
        layer = _Layer(kind, tuple(inputs), output or f"b{len(self.layers)}", parameters)
        self.layers.append(layer)
        return layer.output

    def keep(self, array: Weights, *, tagged: bool = True) -> None:
        """Add weights; in half the bytes where that loses nothing."""
        with np.errstate(over="ignore"):  # what is too large for it is kept in float32
            half = array.astype(np.float16)
        if not tagged:
            self.weights += array.tobytes()
        elif np.array_equal(half.astype(np.float32), array):
            self.weights += _FLOAT16.to_bytes(4, "little") + half.tobytes() + bytes(-half.nbytes % 4)
        else:
            self.weights += _FLOAT32.to_bytes(4, "little") + array.tobytes()

    def text(self) -> str:
        """Return the `.param`; a blob that is used more than once is split, since ncnn takes each name once."""
        uses = Counter(blob for layer in self.layers for blob in layer.inputs)
        ready: dict[str, list[str]] = {}
        lines: list[str] = []
        blobs = 0
        for layer in self.layers:
            taken = [ready[blob].pop(0) for blob in layer.inputs]
            lines.append(_line(layer.kind, len(lines), taken, [layer.output], layer.parameters))
            ready[layer.output] = [layer.output]
            blobs += 1
            if (count := uses[layer.output]) > 1:
                ready[layer.output] = [f"{layer.output}_{n}" for n in range(count)]
                lines.append(_line("Split", len(lines), [layer.output], ready[layer.output]))
                blobs += count
        return "\n".join([_MAGIC, f"{len(lines)} {blobs}", *lines, ""])


def number(value: float) -> str:
    """Write a float32 in its shortest form: earlier versions of ncnn read 15 characters."""
    return str(np.float32(value))


def _line(kind: str, index: int, inputs: list[str], outputs: list[str], parameters: str = "") -> str:
    count = f"{len(inputs)} {len(outputs)}"
    return " ".join([kind, f"{kind.lower()}{index}", count, *inputs, *outputs, parameters]).rstrip()
