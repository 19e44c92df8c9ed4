"""What an engine is, and what a device is called; light, since the command line reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from cartoonize.method.pixels import Array

Precision: TypeAlias = Literal["float16", "float32"]

DEVICE_NAME = re.compile(r"cpu|auto|gpu(?::\d{1,3})?")


class Engine(Protocol):
    """A generator, loaded on a device; may be called from several threads."""

    def __call__(self, photo: Array) -> Array:
        """Run the generator: float32 (1, h, w, 3) RGB in nominal [-1, 1] to (1, h, w, 3), or 4 with ink.

        h and w are multiples of its alignment. Raises EngineError, OutOfMemoryError where smaller tiles may do.
        """


@dataclass(frozen=True)
class Device:
    """A line of `cartoonize devices`; `is_software`: a GPU driver that computes on the CPU."""

    name: str
    description: str
    is_software: bool = False
