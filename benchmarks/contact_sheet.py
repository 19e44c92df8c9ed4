"""One sheet to look at: photo, the released look, the comic procedure, and other weights, a row for each photo.

    python benchmarks/contact_sheet.py --teacher whitebox --out sheet.png [PHOTOS...]

Without photos it shows the authors' test photos. Pictures are at working size 720; --zoom cuts 480 pixels
out of the middle of each, to be looked at pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from PIL import Image as PillowImage

from cartoonize import Cartoonizer
from cartoonize.generators.weights import BUILTIN
from cartoonize.method.comic import comic
from cartoonize.method.pixels import Image, resize, working_shape
from cartoonize.pages.sheet import Tile, sheet
from cartoonize.training.photos import read_photo

SAMPLES = Path(__file__).parents[2] / "shared" / "samples"
PATH = click.Path(exists=True, path_type=Path)
ZOOM = 480


@click.command(help=__doc__)
@click.argument("photos", nargs=-1, type=PATH)
@click.option("--weights", multiple=True, default=BUILTIN, show_default=True, help="Repeat to show several.")
@click.option("--teacher", default="whitebox", show_default=True, help="Weights to be close to.")
@click.option("--zoom", is_flag=True, help="Show the middle pixel for pixel.")
@click.option("--out", type=click.Path(path_type=Path), default="contact_sheet.png", show_default=True)
def main(photos: tuple[Path, ...], weights: tuple[str, ...], teacher: str, zoom: bool, out: Path) -> None:
    """Write the sheet."""
    generators = {"released": teacher} | {name: name for name in weights}
    draw: dict[str, Callable[[Image], Image]] = {"procedure": comic}
    draw |= {title: Cartoonizer(name, output_size="work") for title, name in generators.items()}
    rows = []
    for path in photos or sorted(SAMPLES.glob("*.jpg")):
        photo = read_photo(path)
        work = resize(photo, working_shape((photo.shape[0], photo.shape[1]), None))
        pictures = {path.stem: work} | {title: drawn(work) for title, drawn in draw.items()}
        rows.append([Tile(middle(picture) if zoom else picture, title) for title, picture in pictures.items()])
    PillowImage.fromarray(sheet(rows, longest=ZOOM)).save(out)
    click.echo(f"wrote {out}")


def middle(picture: Image) -> Image:
    top, left = (max(0, side - ZOOM) // 2 for side in picture.shape[:2])
    return picture[top : top + ZOOM, left : left + ZOOM]


if __name__ == "__main__":
    main()
