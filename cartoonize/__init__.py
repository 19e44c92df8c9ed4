"""Photos in, clean white-box cartoons out (Wang & Yu, CVPR 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cartoonize.films.options import STEADY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any

    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.method.pixels import Image

__version__ = "0.1.0"
__all__ = ["Cartoonizer", "__version__", "frames"]


def __getattr__(name: str) -> object:
    """Import `Cartoonizer` on first use, so that `import cartoonize` stays instant."""
    if name == "Cartoonizer":
        from cartoonize.cartoonizer import Cartoonizer

        return Cartoonizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def frames(
    pictures: Iterable[Image], weights: str | Path = "fast", *, steady: float = STEADY, **settings: Any
) -> Iterator[Image]:
    """Cartoonize the frames of a film in order: what `Cartoonizer(weights, **settings).frames` does."""
    from cartoonize.cartoonizer import Cartoonizer

    return Cartoonizer(weights, **settings).frames(pictures, steady=steady)
