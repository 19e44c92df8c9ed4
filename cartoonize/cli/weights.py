"""`cartoonize weights`: list, show, fetch, verify and export generator weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from cartoonize.cli.refusals import naming_what_is_not_installed, refusing
from cartoonize.cli.values import complete_weights
from cartoonize.cli.words import Choice
from cartoonize.errors import WeightsError, shown
from cartoonize.generators import authors_release, weights
from cartoonize.generators.writers import FORMATS


@click.group("weights")
def weights_group() -> None:
    """List, show, fetch, verify and export generator weights."""


@weights_group.command("list")
def list_weights() -> None:
    """Show every named generator: size, licence, where it is."""
    rows = [
        (info.name, _megabytes(info.size), info.licence, shown(info.location or "-"), info.note)
        for info in weights.listing()
    ]
    table = [("NAME", "SIZE", "LICENCE", "WHERE", "NOTE"), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo(f"{authors_release.LICENCE}: for non-commercial use, with attribution; what is made from them likewise")
    click.echo(f"{weights.OWN_LICENCE}: for every use; keep the notice with the weights")


@weights_group.command("show")
@click.argument("name", metavar="NAME|PATH", shell_complete=complete_weights)
def show_weights(name: str) -> None:
    """Show what a generator says of itself: title, licence, source, what it is meant for, how it may be cut."""
    from cartoonize.generators.generator import load

    with naming_what_is_not_installed(), refusing():
        generator = load(name)
    card, field = generator.card, generator.field
    halo = (
        f"{field.halo} pixels around each" if field.halo is not None else f"the whole picture ({field.whole_because})"
    )
    rows = {
        "title": card.title or "not said",
        "licence": card.licence or "not said: ask who made it",
        "source": card.source or "not said",
        "working size": f"short side {card.short_side}",
        "guided filter": f"radius {card.radius}, eps {card.eps:g}",
        "draws": "colours and ink" if generator.inks else "colours",
        "sees": halo,
        "takes": f"sides that are multiples of {field.alignment}",
    }
    for label, text in rows.items():
        click.echo(f"{label:<14} {shown(text)}")


@weights_group.command("fetch")
@click.argument("name", type=Choice([authors_release.RELEASED]))
@click.option("--url", help="A mirror: address of a folder with the same files.")
def fetch_weights(name: str, url: str | None) -> None:
    """Download the authors' released weights into the cache, checked; a broken download is continued."""
    from tqdm import tqdm

    click.echo(authors_release.LICENCE_NOTICE)
    click.echo(f"Please cite: {authors_release.CITATION}")
    total, quiet = authors_release.TOTAL_BYTES, not sys.stderr.isatty()
    with refusing(), tqdm(desc=name, total=total, unit="B", unit_scale=True, disable=quiet) as bar:

        def progress(done: int) -> None:
            bar.update(done - bar.n)

        folder = authors_release.fetch(url, progress)
    click.echo(f"{name} is in {shown(folder)}; use it with --weights {name}")


@weights_group.command("verify")
@click.argument("name", required=False, type=Choice([*weights.BUILTIN, authors_release.RELEASED]))
@click.pass_context
def verify_weights(ctx: click.Context, name: str | None) -> None:
    """Check weights on this machine against their checksums: NAME, or all that are here."""
    names = [name] if name else [info.name for info in weights.listing() if info.location]
    broken = False
    for each in names:
        try:
            weights.verify(each)
        except WeightsError as error:
            click.echo(f"cartoonize: {each}: {shown(str(error))}", err=True)
            broken = True
        else:
            click.echo(f"{each}: OK")
    ctx.exit(1 if broken else 0)


@weights_group.command("export")
@click.argument("name", metavar="NAME|PATH", shell_complete=complete_weights)
@click.option("--format", "form", type=Choice(FORMATS), required=True, help="Of the file: another runtime's.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="File to write (a SavedModel: folder)."
)
@click.option("--image", is_flag=True, help="Whole cartoons: uint8 in and out, of any size, filter and ink inside.")
@click.option("--layout", type=Choice(["NHWC", "NCHW"]), default="NHWC", show_default=True, help="ONNX: of the axes.")
@click.option("--overwrite", is_flag=True, help="Replace what exists; without it that is an error.")
def export_weights(
    name: str, form: str, out: Path, image: bool, layout: Literal["NHWC", "NCHW"], overwrite: bool
) -> None:
    """Write a generator for another runtime: ONNX, TensorFlow Lite, ncnn, SavedModel, Keras.

    It takes and gives RGB float32 in [-1, 1] of any size, [1, height, width, 3], and says whose it is: its licence
    goes with it.
    """
    from cartoonize.generators.writers.export import Order, export

    with naming_what_is_not_installed(), refusing(prefix=str(out)):
        written = export(Order(name, form, out, image, layout, overwrite))
    for path in written:
        click.echo(f"{shown(name)} -> {shown(path)}")


def _megabytes(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.1f} MB"
