"""`cartoonize compare`: one photo in several settings, on one labelled sheet."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartoonize.cli import sheets
from cartoonize.cli.options import NumberRange, complete_weights, working_size
from cartoonize.cli.refusals import refusing
from cartoonize.jobs.planning import COMPARE_SUFFIX

if TYPE_CHECKING:
    from cartoonize.method.pixels import Image, Size
    from cartoonize.pages.sheet import Tile

ACROSS = 4  # most variants in a row


def _sizes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Size, ...]:
    return tuple(working_size(ctx, param, value) for value in values) or (None,)


@click.command("compare")
@sheets.photo_argument
@click.option("-o", "--out", type=click.Path(), help="File or folder to write.  [default: PHOTO_compare.png beside it]")
@click.option(
    "-w",
    "--weights",
    type=click.Path(),
    shell_complete=complete_weights,
    multiple=True,
    default=("fast",),
    metavar="NAME|PATH",
    help="Generator: fast, quality, whitebox or a file.  [default: fast]",
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    callback=_sizes,
    metavar="N|full",
    help="Short side it works at.  [default: 720, smaller photos as they are]",
)
@click.option(
    "--detail",
    "details",
    type=NumberRange(0, 1),
    multiple=True,
    default=(1.0,),
    metavar="0..1",
    help="1 is the smooth picture, 0 the generator's own.  [default: 1]",
)
@click.option(
    "--zoom",
    type=NumberRange(0, 1),
    nargs=2,
    metavar="X Y",
    help="Show the part around a point pixel for pixel; 0 0 is the top left corner, 0.5 0.5 the centre.",
)
@sheets.overwrite_option
def compare(
    photo: Path,
    out: str | None,
    weights: tuple[str, ...],
    sizes: tuple[Size, ...],
    details: tuple[float, ...],
    zoom: tuple[float, float] | None,
    overwrite: bool,
) -> None:
    """Show a photo in several settings on one labelled sheet, to choose before a long run.

    --weights, --size and --detail may each be given several times; every combination is shown, as the main command
    would make it.
    """
    from cartoonize.pages.sheet import Tile, sheet

    target = sheets.target_of(photo, out, COMPARE_SUFFIX)
    sheets.check(photo, [target], weights, overwrite)
    with refusing(prefix=str(photo)):
        image = sheets.read(photo)
        extent = f"{image.shape[1]} x {image.shape[0]} pixels{', a part 1:1' if zoom else ''}"
        own = Tile(_visible(image, zoom), "photo", extent)
        variants = list(_variants(image, list(product(weights, sizes)), details, zoom))
    rows = _rows(variants, (len(weights), len(sizes), len(details)))
    page = sheet([[None if n else own, *row] for n, row in enumerate(rows)])
    sheets.write(photo, target, page, overwrite)


def _variants(
    image: Image, passes: list[tuple[str, Size]], details: Sequence[float], zoom: tuple[float, float] | None
) -> Iterator[Tile]:
    """Run the generator once a pass, and make every detail of it."""
    from tqdm import tqdm

    from cartoonize.cartoonizer import finish
    from cartoonize.pages.sheet import Tile

    for weights, size in tqdm(passes, unit="pass", leave=False, disable=not sys.stderr.isatty()):
        work, cartoon = sheets.load(weights, size).generate(image)
        side = "full" if size == "full" else min(work.shape[:2])
        for detail in details:
            result = _visible(finish(image, work, cartoon, detail), zoom)
            yield Tile(result, weights, f"size {side}, detail {detail:g}")


def _visible(picture: Image, zoom: tuple[float, float] | None) -> Image:
    """Return what of a full-size picture goes on the sheet: all of it made small, or a part as it is."""
    from cartoonize.pages.sheet import shrink

    if zoom is None:
        return shrink(picture, sheets.LONGEST)
    (top, bottom), (left, right) = (
        _window(center, side) for center, side in zip(reversed(zoom), picture.shape[:2], strict=True)
    )
    return picture[top:bottom, left:right].copy()


def _window(center: float, side: int) -> tuple[int, int]:
    """Return the LONGEST pixels around a point given as a share of a side, moved to lie inside."""
    length = min(side, sheets.LONGEST)
    start = min(max(0, round(center * side) - length // 2), side - length)
    return start, start + length


def _rows(variants: Sequence[Tile], counts: tuple[int, int, int]) -> list[Sequence[Tile]]:
    """Break variants into rows along the last setting that varies, and rows too long into several about as long."""
    group = next((count for count in reversed(counts) if count > 1), 1)
    across = math.ceil(group / math.ceil(group / ACROSS))
    rows = (variants[start : start + group] for start in range(0, len(variants), group))
    return [row[start : start + across] for row in rows for start in range(0, group, across)]
