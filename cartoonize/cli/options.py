"""The options of the default command: their names, help, and the values they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar

import click

from cartoonize.cli.film_options import film_options
from cartoonize.cli.numbers import NumberRange
from cartoonize.cli.values import (
    DeviceName,
    ListFile,
    PictureFormat,
    WithHiddenName,
    color,
    complete_weights,
    extension,
    shard,
    working_size,
)
from cartoonize.cli.words import Choice
from cartoonize.generators.engines.engine import Precision
from cartoonize.jobs.sharding import Shard
from cartoonize.media.formats import PREFERRED_EXTENSION

if TYPE_CHECKING:
    pass

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Options:
    """The command line, as click has checked it; `format` is an extension as ".png"."""

    inputs: tuple[str, ...]
    out: str | None
    weights: str
    size: int | Literal["full"] | None
    output_size: Literal["photo", "work"]
    smooth: float
    device: str
    precision: Precision
    format: str | None
    quality: int | None
    background: tuple[int, int, int]
    strip_metadata: bool
    salvage: bool
    timeout: float | None
    preserve_times: bool
    overwrite: bool
    update: bool
    files_from: BinaryIO | None
    dry_run: bool
    json: bool
    quiet: bool
    verbose: bool
    fail_fast: bool
    shard: Shard | None
    ray: str | None
    review: str | None
    jobs: int | None
    include_hidden: bool
    lines: float | None
    keep_colors: float
    strength: float
    videos: bool
    codec: str | None
    crf: int | None
    preset: str | None
    start: Fraction | None
    end: Fraction | None
    steady: float


weights_option = click.option(
    "-w",
    "--weights",
    "--style",
    "weights",
    type=click.Path(),
    shell_complete=complete_weights,
    default="fast",
    show_default=True,
    metavar="NAME|PATH",
    help="Look: fast, quality, comic, whitebox or a file.",
)

retouch_options: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--lines",
        type=NumberRange(0, 2),
        metavar="0..2",
        help="Ink: 0 none, 2 more and bolder lines.  [default: 1 for looks that draw ink, 0 for others]",
    ),
    click.option(
        "--keep-colors",
        type=NumberRange(0, 1),
        default=0.0,
        show_default=True,
        metavar="0..1",
        help="1 is the photo's own colours under the cartoon's light and lines.",
    ),
    click.option(
        "--strength",
        type=NumberRange(0, 2),
        default=1.0,
        show_default=True,
        metavar="0..2",
        help="0 is the photo, 1 the cartoon, 2 as far again beyond it.",
    ),
)

_PARAMETERS: tuple[Callable[[Any], Any], ...] = (
    click.option("-o", "--out", type=click.Path(), help="File or folder to write; - is standard output."),
    weights_option,
    click.option(
        "--size",
        callback=working_size,
        metavar="N|full",
        help="Short side the generator works at; full is the photo's own.  [default: 720, smaller photos as they are]",
    ),
    click.option(
        "--output-size",
        type=Choice(["photo", "work"]),
        default="photo",
        show_default=True,
        help="Size of the result: the photo's, or that of --size.",
    ),
    click.option(
        "--smooth",
        cls=WithHiddenName,
        hidden_name="--detail",
        envvar=["CARTOONIZE_SMOOTH", "CARTOONIZE_DETAIL"],
        type=NumberRange(0, 1),
        default=1.0,
        show_default=True,
        metavar="0..1",
        help="1 is the smooth picture, 0 the generator's own with all its texture.",
    ),
    *retouch_options,
    click.option(
        "--device",
        type=DeviceName(),
        default="cpu",
        show_default=True,
        metavar="cpu|gpu|gpu:N|auto",
        help="Where to run; the command devices lists what there is.",
    ),
    click.option(
        "--precision",
        type=Choice(["float16", "float32"]),
        default="float16",
        show_default=True,
        help="Of what a GPU stores, where it can; a CPU has float32.",
    ),
    click.option(
        "--format",
        type=PictureFormat(),
        callback=extension,
        metavar="|".join(extension[1:] for extension in PREFERRED_EXTENSION.values()),
        help="Format of the results.  [default: the photo's]",
    ),
    click.option("--quality", type=click.IntRange(1, 100), metavar="1..100", help="Of JPEG, WebP, AVIF and HEIC."),
    click.option(
        "--background",
        callback=color,
        default="white",
        show_default=True,
        metavar="COLOR",
        help="Laid under transparency in formats without it.",
    ),
    click.option("--strip-metadata", is_flag=True, help="Leave EXIF, XMP and the like out."),
    click.option("--salvage", is_flag=True, help="Take what is there of files that are cut short."),
    click.option(
        "--timeout",
        type=NumberRange(0, 1e6, min_open=True),
        metavar="SECONDS",
        help="Stop a photo that takes longer.  [default: 600, 20 more a megapixel]",
    ),
    click.option("--preserve-times", is_flag=True, help="Give results the dates of their photos' files."),
    click.option("--overwrite", is_flag=True, help="Replace results that exist; without it they are skipped."),
    click.option(
        "--update", is_flag=True, help="Replace those made with other settings, and those older than their photos."
    ),
    click.option(
        "--files-from", type=ListFile("rb"), help="File with one path a line (or NUL after each); - is stdin."
    ),
    click.option("--dry-run", is_flag=True, help="Print what would be done."),
    click.option("--json", is_flag=True, help="Print an object per file, then a summary, on standard output."),
    click.option("-q", "--quiet", is_flag=True, help="Print errors only."),
    click.option("-v", "--verbose", is_flag=True, help="Print settings, skipped files and what went wrong in full."),
    click.option("--fail-fast", is_flag=True, help="Begin no further photo after a failure."),
    click.option(
        "--include-hidden", is_flag=True, help="Hidden files and folders too, and those of a NAS or the system."
    ),
    click.option(
        "--shard",
        callback=shard,
        metavar="I/N",
        help="Do the I-th of N parts of the sorted plan, as one of N machines.",
    ),
    click.option(
        "--ray",
        metavar="local|auto|ADDRESS",
        help="Do the work on a Ray cluster: one started here, the one running here or of RAY_ADDRESS, or another.",
    ),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Photos to work on at a time.  [default: as many as there are cores, and memory for]",
    ),
    click.option(
        "--review", type=click.Path(), metavar="PAGE.html", help="Page to write: every result beside its photo."
    ),
    *film_options,
)


def options(command: _Command) -> _Command:
    """Add the options of the default command, in the order the help shows them."""
    for decorate in reversed(_PARAMETERS):
        command = decorate(command)
    return command
