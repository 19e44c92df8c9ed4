"""Draws posters for a training: flat shapes, three tones each, a small palette, a navy pen.

python examples/posters runs/posters [--count 480] [--seed 0]

Landscapes, streets, portraits and still lifes put together from random numbers, nobody's pictures: what is trained on
them, with photos that allow it, is free for every use. examples/train_poster.yaml trains on them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import cv2
from canvas import Poster
from people import portrait
from scenes import landscape, street
from things import still_life

KINDS: tuple[Callable[[Poster], None], ...] = (landscape, landscape, street, portrait, portrait, still_life)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--count", default=480, show_default=True, help="Posters.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, count: int, seed: int) -> None:
    """Draws COUNT posters of 512x512 into FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        poster = Poster(seed * 100_003 + n)
        KINDS[n % len(KINDS)](poster)
        small = cv2.resize(poster.canvas, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"poster_{n:04}.png"), cv2.cvtColor(small, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
