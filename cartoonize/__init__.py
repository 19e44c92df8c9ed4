"""Photos in, clean white-box cartoons out (Wang & Yu, CVPR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cartoonize.cartoonizer import Cartoonizer

__version__ = "0.1.0"
__all__ = ["Cartoonizer", "__version__"]


def __getattr__(name: str) -> object:
    """Import `Cartoonizer` on first use, so that `import cartoonize` stays instant."""
    if name == "Cartoonizer":
        from cartoonize.cartoonizer import Cartoonizer

        return Cartoonizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
