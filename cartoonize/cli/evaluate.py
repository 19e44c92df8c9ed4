"""`cartoonize evaluate`: how near looks come to the art of a folder, in numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from cartoonize.cli.refusals import refusing
from cartoonize.cli.sheets import check_place
from cartoonize.cli.training import look_for_gpu
from cartoonize.cli.values import complete_weights
from cartoonize.errors import shown

if TYPE_CHECKING:
    from cartoonize.training.evaluation.distances import Estimate
    from cartoonize.training.evaluation.run import Evaluation, Measured

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class Column(NamedTuple):
    """A measure: its heading, the number it is shown times, and how to get it."""

    heading: str
    factor: float
    of: Callable[[Measured], Estimate | None]


COLUMNS = (
    Column("FID to cartoons", 1, lambda m: m.fid_cartoons),
    Column("KID x 1000 to cartoons", 1000, lambda m: m.kid_cartoons),
    Column("FID to photos", 1, lambda m: m.fid_photos),
    Column("KID x 1000 to photos", 1000, lambda m: m.kid_photos),
    Column("content: own photo / others", 1, lambda m: m.content),
    Column("flat share", 1, lambda m: m.flat),
)


@click.command("evaluate")
@click.option("--photos", type=_FOLDER, required=True, help="Photos to draw, with all below the folder.")
@click.option("--cartoons", type=_FOLDER, required=True, help="The art that the results should look like.")
@click.option(
    "-w",
    "--weights",
    type=click.Path(),
    shell_complete=complete_weights,
    multiple=True,
    default=("fast",),
    show_default=True,
    metavar="NAME|PATH",
    help="A look; repeat to compare several.",
)
@click.option(
    "--features",
    default="lite0",
    show_default=True,
    metavar="lite0|inception|FILE",
    help="What FID and KID are taken of; for papers' Inception see docs/training.md.",
)
@click.option("--count", type=click.IntRange(10), default=200, show_default=True, help="Most pictures of each folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output instead of the table.")
@click.option("--chart", type=click.Path(dir_okay=False, path_type=Path), help="Also write a bar chart, a PNG.")
def evaluate(
    photos: Path, cartoons: Path, weights: tuple[str, ...], features: str, count: int, as_json: bool, chart: Path | None
) -> None:
    """Measure how near looks come to the art of a folder.

    FID and KID of the results to that art and to the photos, as the paper's table has them, with 95 % confidence
    intervals, on the features that come with the program or on Inception's; beside them how much of a photo's
    content is left (0 all, 1 nothing) and the share of flat pixels. The untouched photos are the first row.
    """
    if chart:
        if chart.suffix.lower() != ".png":
            raise click.UsageError(f"--chart {shown(chart)}: expected the name of a .png file")
        check_place(chart)
    inception = _inception_file(features)
    look_for_gpu()
    from cartoonize.training.evaluation.run import OTHER_INCEPTION, Folder
    from cartoonize.training.evaluation.run import evaluate as run

    with refusing():
        sources, art = (Folder(folder, count, _note) for folder in (photos, cartoons))
        found = run(sources, art, dict.fromkeys(weights), inception)  # each look once
        if chart:
            _write_chart(chart, found.looks)
    if found.features == OTHER_INCEPTION:
        click.echo("not the weights of Inception that papers use: compare these rows with one another alone", err=True)
    click.echo(_json(found) if as_json else _table(found.looks))


def _note(line: str) -> None:
    click.echo(shown(line), err=True)


def _inception_file(features: str) -> Path | None:
    """Return the file of Inception's weights, None for lite0; raises click.UsageError where there is none."""
    if features == "lite0":
        return None
    from cartoonize.generators.authors_release import cache_folder

    path = cache_folder() / "inception.npz" if features == "inception" else Path(features)
    if path.is_file():
        return path
    if features != "inception":
        raise click.UsageError(
            f"--features {shown(features)}: expected lite0, inception or a file of Inception's weights"
        )
    raise click.UsageError(
        f"--features inception: {shown(path)} is not there; where PyTorch is installed,"
        f" `python examples/inception_features.py {shown(path)}` downloads and converts the weights (96 MB)"
    )


def _table(found: list[Measured]) -> str:
    rows = [["", *(column.heading for column in COLUMNS)]]
    rows += [[measured.name, *(_cell(column, measured) for column in COLUMNS)] for measured in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def _cell(column: Column, measured: Measured) -> str:
    found = column.of(measured)
    if found is None:
        return "-"
    return f"{column.factor * found.value:.3g} ± {column.factor * (found.high - found.value):.2g}"


def _json(found: Evaluation) -> str:
    rows = []
    for measured in found.looks:
        estimates = {name: value for name, value in measured._asdict().items() if name != "name"}
        rows.append({"weights": measured.name} | {k: v and v._asdict() for k, v in estimates.items()})
    return json.dumps({"features": found.features, "looks": rows}, indent=2)


def _write_chart(path: Path, found: list[Measured]) -> None:
    from cartoonize.training.evaluation.chart import chart as draw
    from cartoonize.training.pictures import write_png

    panels = []
    for column in COLUMNS:
        pairs = ((measured.name, column.of(measured)) for measured in found)
        panels.append((column.heading, [(name, estimate.times(column.factor)) for name, estimate in pairs if estimate]))
    write_png(path, draw(panels))
