"""`cartoonize inspect`: what the method sees in a photo, on one labelled sheet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cartoonize.cli import sheets
from cartoonize.cli.numbers import NumberRange
from cartoonize.cli.options import weights_option
from cartoonize.cli.refusals import refusing
from cartoonize.cli.values import working_size
from cartoonize.jobs.planning import INSPECT_SUFFIX
from cartoonize.method.constants import REGIONS, SURFACE_EPS, SURFACE_RADIUS

if TYPE_CHECKING:
    from cartoonize.method.pixels import Size


ACROSS = 3


@click.command("inspect")
@sheets.photo_argument
@click.option("-o", "--out", type=click.Path(), help="File or folder to write.  [default: PHOTO_inspect.png beside it]")
@click.option("--separate", is_flag=True, help="Write each view as a file of its own too, at working size.")
@click.option(
    "--superpixels",
    "regions",
    type=click.IntRange(1),
    default=REGIONS,
    show_default=True,
    metavar="N",
    help="Structure: the most regions.",
)
@click.option(
    "--radius",
    type=click.IntRange(1),
    default=SURFACE_RADIUS,
    show_default=True,
    metavar="N",
    help="Surface: reach of its filter.",
)
@click.option(
    "--eps",
    type=NumberRange(0, min_open=True),
    default=SURFACE_EPS,
    show_default=True,
    metavar="NUMBER",
    help="Surface: how strong an edge must be to stay.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Texture: draw of its weights."
)
@weights_option
@click.option(
    "--size",
    callback=working_size,
    metavar="N|full",
    help="Short side of the views.  [default: 720, smaller photos as they are]",
)
@sheets.overwrite_option
def inspect(
    photo: Path, out: str | None, separate: bool, weights: str, size: Size, overwrite: bool, **knobs: Any
) -> None:
    """Show what the method sees in a photo, on one labelled sheet.

    The photo, its surface, structure and texture as in training, the generator's raw output, and the same after the
    guided filter; of a look that draws ink, the steps of the procedure that taught it too. --radius and --eps act on
    the surface, not on the last filter.
    """
    from cartoonize.pages.photo_views import COMIC_NAMES, NAMES, Knobs, take_apart
    from cartoonize.pages.sheet import sheet

    target = sheets.target_of(photo, out, INSPECT_SUFFIX)
    names = (*NAMES, *COMIC_NAMES)
    parts = {name: target.with_name(f"{target.stem}_{name}{target.suffix}") for name in names if separate}
    sheets.check(photo, [target, *parts.values()], [weights], overwrite)
    cartoonizer = sheets.load(weights, size)
    with refusing(prefix=str(photo)):
        image = sheets.read(photo)
        sheets.tell_if_costly(image, size, cartoonizer)
        tiles = take_apart(image, cartoonizer, weights, Knobs(**knobs))
    shown = list(tiles.values())
    page = sheet([shown[start : start + ACROSS] for start in range(0, len(shown), ACROSS)], sheets.LONGEST)
    sheets.write(photo, target, page, overwrite)
    for name, tile in tiles.items() if separate else ():
        sheets.write(photo, parts[name], tile.pixels, overwrite)
