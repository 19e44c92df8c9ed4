"""`cartoonize compare`: one photo in several settings, on one labelled sheet."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product, starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cartoonize.cli import sheets
from cartoonize.cli.numbers import NumberRange
from cartoonize.cli.refusals import refusing
from cartoonize.cli.values import WithHiddenName, complete_weights, working_size
from cartoonize.errors import shown
from cartoonize.generators.weights import at_hand
from cartoonize.jobs.planning import COMPARE_SUFFIX

if TYPE_CHECKING:
    from tqdm import tqdm

    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.method.pixels import Array, Image, Size
    from cartoonize.pages.sheet import Tile

ACROSS = 4  # most variants in a row


def _sizes(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Size, ...]:
    return tuple(working_size(ctx, param, value) for value in values)


@click.command("compare")
@sheets.photo_argument
@click.option("-o", "--out", type=click.Path(), help="File or folder to write.  [default: PHOTO_compare.png beside it]")
@click.option(
    "-w",
    "--weights",
    "--style",
    "weights",
    type=click.Path(),
    shell_complete=complete_weights,
    multiple=True,
    metavar="NAME|PATH",
    help="Look: fast, quality, comic, whitebox or a file.  [default: fast]",
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
    "--smooth",
    "smooths",
    cls=WithHiddenName,
    hidden_name="--detail",
    type=NumberRange(0, 1),
    multiple=True,
    metavar="0..1",
    help="1 is the smooth picture, 0 the generator's own.  [default: 1]",
)
@click.option(
    "--lines",
    type=NumberRange(0, 2),
    multiple=True,
    metavar="0..2",
    help="Ink: 0 none, 2 more and bolder lines.  [default: the look's own]",
)
@click.option(
    "--keep-colors",
    type=NumberRange(0, 1),
    multiple=True,
    metavar="0..1",
    help="1 is the photo's own colours.  [default: 0]",
)
@click.option(
    "--strength",
    "strengths",
    type=NumberRange(0, 2),
    multiple=True,
    metavar="0..2",
    help="0 is the photo, 1 the cartoon.  [default: 1]",
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
    smooths: tuple[float, ...],
    lines: tuple[float, ...],
    keep_colors: tuple[float, ...],
    strengths: tuple[float, ...],
    zoom: tuple[float, float] | None,
    overwrite: bool,
) -> None:
    """Show a photo in several settings on one labelled sheet, to choose before a long run.

    --weights, --size, --smooth, --lines, --keep-colors and --strength may each be given several times; every
    combination is shown, as the main command would make it. With none of them: all looks there are in three sizes.
    """
    from cartoonize.pages.sheet import Tile, sheet

    asked = (smooths, lines, keep_colors, strengths)
    everything = not any((weights, sizes, *asked))
    weights = weights or (at_hand() if everything else ("fast",))
    nothing = (None,)
    finishes = product(smooths or (1.0,), lines or nothing, keep_colors or nothing, strengths or nothing)
    target = sheets.target_of(photo, out, COMPARE_SUFFIX)
    sheets.check(photo, [target], weights, overwrite)
    with refusing(prefix=str(photo)):
        image = sheets.read(photo)
        sizes = sizes or (_three_sizes(image) if everything else (None,))
        passes = list(product(weights, sizes))
        extent = f"{image.shape[1]} x {image.shape[0]} pixels{', a part 1:1' if zoom else ''}"
        own = Tile(_visible(image, zoom), "photo", extent)
        variants = list(_variants(image, passes, list(starmap(Finish, finishes)), zoom))
    rows = _rows(variants, [max(1, len(values)) for values in (weights, sizes, *asked)])
    page = sheet([[None if n else own, *row] for n, row in enumerate(rows)])
    sheets.write(photo, target, page, overwrite)


def _three_sizes(photo: Image) -> tuple[Size, ...]:
    """Return half the working size a photo has by default, that size, and twice that; none larger than the photo."""
    from cartoonize.method.pixels import DEFAULT_SHORT_SIDE

    own = min(photo.shape[:2])
    default = min(DEFAULT_SHORT_SIDE, own)
    wanted = (default // 2, default, 2 * default) if own >= 1.5 * default else (default // 3, default * 2 // 3, default)
    return tuple(dict.fromkeys(max(1, min(size, own)) for size in wanted))


class Finish(NamedTuple):
    """What is done after the generator; None where nothing was asked for, which the label then does not tell."""

    smooth: float
    lines: float | None
    keep_colors: float | None
    strength: float | None

    def label(self) -> str:
        """Say what was asked for."""
        asked = [("smooth", self.smooth), ("lines", self.lines), ("keep colors", self.keep_colors)]
        asked.append(("strength", self.strength))
        return ", ".join(f"{name} {value:g}" for name, value in asked if value is not None)

    def applied(self, image: Image, cartoonizer: Cartoonizer, work: Image, cartoon: Array) -> Image:
        """Make a result of what `Cartoonizer.generate` returned."""
        from cartoonize.generators.finishing import finish
        from cartoonize.method.retouch import Retouch

        given = {name: getattr(self, name) for name in ("lines", "keep_colors", "strength")}
        retouch = Retouch(**{name: value for name, value in given.items() if value is not None})
        return finish(image, work, cartoon, self.smooth, retouch=retouch, card=cartoonizer.card)


def _variants(
    image: Image, passes: list[tuple[str, Size]], finishes: Sequence[Finish], zoom: tuple[float, float] | None
) -> Iterator[Tile]:
    """Run the generator once a pass, and make every finish of it."""
    from cartoonize.pages.sheet import Tile

    with _bar(len(passes)) as bar:
        for number, (weights, size) in enumerate(passes):
            bar.set_description(f"{shown(weights)}, size {size or 'default'}")
            cartoonizer = sheets.load(weights, size)
            sheets.tell_if_costly(image, size, cartoonizer)
            work, cartoon = cartoonizer.generate(image, partial(_reach, bar, number))
            side = "full" if size == "full" else min(work.shape[:2])
            for finish in finishes:
                result = _visible(finish.applied(image, cartoonizer, work, cartoon), zoom)
                yield Tile(result, weights, f"size {side}, {finish.label()}")
            _reach(bar, number, 1)
            if bar.disable and len(passes) > 1:
                click.echo(f"{number + 1} of {len(passes)}: {shown(weights)}, size {side}", err=True)


def _bar(passes: int) -> tqdm[Any]:
    """Return a bar on the terminal, if there is one, that may stand between two passes."""
    from tqdm import tqdm

    look = "{desc}{percentage:3.0f}% |{bar}| {elapsed}<{remaining}"
    return tqdm(total=passes, leave=False, disable=not sys.stderr.isatty(), bar_format=look, dynamic_ncols=True)


def _reach(bar: tqdm[Any], passes: int, share: float) -> None:
    bar.update(passes + share - bar.n)


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


def _rows(variants: Sequence[Tile], counts: Sequence[int]) -> list[Sequence[Tile]]:
    """Break variants into rows along the last setting that varies, and rows too long into several about as long."""
    group = next((count for count in reversed(counts) if count > 1), 1)
    across = math.ceil(group / math.ceil(group / ACROSS))
    rows = (variants[start : start + group] for start in range(0, len(variants), group))
    return [row[start : start + across] for row in rows for start in range(0, group, across)]
