"""The options of the default command: their names, help, checks, and the values they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypeVar

import click

from cartoonize.cli.film_options import film_options
from cartoonize.cli.numbers import NumberRange
from cartoonize.cli.words import Choice, did_you_mean, is_address
from cartoonize.errors import CartoonizeError, shown
from cartoonize.generators.authors_release import RELEASED
from cartoonize.generators.engines.engine import DEVICE_NAME, Precision
from cartoonize.generators.weights import BUILTIN
from cartoonize.jobs.sharding import Shard
from cartoonize.media.formats import EXTENSIONS, PREFERRED_EXTENSION

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

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


class WithHiddenName(click.Option):
    """An option that an earlier name still stands for, which the help does not show."""

    def __init__(self, *args: Any, hidden_name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hidden_name = hidden_name

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Let the parser know both names."""
        shown = self.opts
        self.opts = [*shown, self.hidden_name]
        super().add_to_parser(parser, ctx)
        self.opts = shown


class ListFile(click.File):
    """A file to read, or the address of one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file, opened; what an address stands for is read whole."""
        if not isinstance(value, str) or not is_address(value):
            return super().convert(value, param, ctx)
        from cartoonize.remote.objects import read

        try:
            return BytesIO(read(value))
        except CartoonizeError as error:
            self.fail(shown(f"{value}: {error}"), param, ctx)


def working_size(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | Literal["full"] | None:
    """Check a --size: None where it is not given; raises click.BadParameter."""
    if value is None or value == "full":
        return "full" if value else None
    if not value.isdecimal() or int(value) < 1:
        hint = did_you_mean(value, ["full"])
        raise click.BadParameter(f"{value!r} is neither a number of pixels nor full.{hint}")
    return int(value)


def _extension(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    return None if value is None else PREFERRED_EXTENSION[EXTENSIONS[f".{value}"]]


def _shard(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Shard | None:
    try:
        return None if value is None else Shard.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


class DeviceName(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """What `cartoonize devices` lists, "gpu" or "auto"."""

    name = "device"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; fails when it is none."""
        if not DEVICE_NAME.fullmatch(value):
            hint = did_you_mean(value, ("cpu", "gpu", "auto"))
            self.fail(f"{value!r} is none of cpu, gpu, gpu:N (gpu:0, gpu:1, ...) and auto.{hint}", param, ctx)
        return value

    def shell_complete(
        self, _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """Offer the names that every machine has."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in ("cpu", "gpu", "auto") if word.startswith(incomplete)]


def _color(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, int, int]:
    if value == "white":  # the default needs no Pillow, which takes its time to import
        return 255, 255, 255
    from PIL import ImageColor

    try:
        color: tuple[int, ...] | None = ImageColor.getrgb(value)
    except ValueError:
        color = None
    if color is None or len(color) != 3:
        hint = did_you_mean(value, ImageColor.colormap)
        raise click.BadParameter(f"{value!r} is no opaque colour: expected a name such as white, or #rrggbb.{hint}")
    return color[0], color[1], color[2]


def complete_weights(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer the names of weights that begin like it, and files."""
    from click.shell_completion import CompletionItem

    names = [name for name in (*BUILTIN, RELEASED) if name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *map(CompletionItem, names)]


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
        type=Choice([extension[1:] for extension in EXTENSIONS], case_sensitive=False),
        callback=_extension,
        metavar="|".join(extension[1:] for extension in PREFERRED_EXTENSION.values()),
        help="Format of the results.  [default: the photo's]",
    ),
    click.option("--quality", type=click.IntRange(1, 100), metavar="1..100", help="Of JPEG, WebP, AVIF and HEIC."),
    click.option(
        "--background",
        callback=_color,
        default="white",
        show_default=True,
        metavar="COLOR",
        help="Laid under transparency in formats without it.",
    ),
    click.option("--strip-metadata", is_flag=True, help="Leave EXIF, XMP and the like out."),
    click.option("--salvage", is_flag=True, help="Take what is there of files that are cut short."),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="Give up on a photo that takes longer to decode.",
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
        callback=_shard,
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
