"""Nodes of an ONNX graph as they are added, and the constants they use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray


@dataclass
class Nodes:
    """Nodes so far, and the constants they use."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output, and return that."""
        output = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def keep(self, array: NDArray[Any]) -> str:
        """Add a constant, and return its name."""
        name = f"constant{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def numbers(self, *values: float) -> str:
        """Add a float32 number, or several."""
        return self.keep(np.array(values if len(values) > 1 else values[0], np.float32))

    def sizes(self, *values: int) -> str:
        """Add whole numbers: axes, sizes."""
        return self.keep(np.array(values, np.int64))
