"""What the architectures are called; apart from them, since reading a configuration needs no Keras."""

from __future__ import annotations

from typing import Literal, TypeAlias

ColorArchitecture: TypeAlias = Literal[
    "unet", "compact", "compact_deep"
]  # colours alone, which is what a GAN can teach
ArchitectureName: TypeAlias = Literal["unet", "compact", "compact_deep", "compact_ink"]
