"""What the architectures are called; apart from them, since reading a configuration needs no Keras."""

from __future__ import annotations

from typing import Literal, TypeAlias

ArchitectureName: TypeAlias = Literal["unet", "compact", "compact_deep"]
