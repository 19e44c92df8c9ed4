"""What options take: their kinds of values, checks and completions."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import click

from cartoonize.cli.words import Choice, did_you_mean, is_address
from cartoonize.errors import CartoonizeError, shown
from cartoonize.generators.authors_release import RELEASED
from cartoonize.generators.engines.engine import DEVICE_NAME
from cartoonize.generators.weights import BUILTIN
from cartoonize.jobs.sharding import Shard
from cartoonize.media.film.containers import CONTAINERS
from cartoonize.media.formats import EXTENSIONS, PREFERRED_EXTENSION

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


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


class PictureFormat(Choice):
    """An extension of a format that photos are written in, without its dot."""

    def __init__(self) -> None:
        super().__init__([extension[1:] for extension in EXTENSIONS], case_sensitive=False)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Say what the formats are; of a film's, how that is asked for."""
        if f".{value}".lower() in CONTAINERS:
            return f"{value!r} is of films: give --out a name that ends in it, or leave it out to keep each film's own"
        return super().get_invalid_choice_message(value, ctx)


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


def extension(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Return the extension that a --format stands for, such as ".jpg"."""
    return None if value is None else PREFERRED_EXTENSION[EXTENSIONS[f".{value}"]]


def shard(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Shard | None:
    """Return the part of a plan that a --shard names; raises click.BadParameter."""
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


def color(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, int, int]:
    """Return a --background as (red, green, blue), 0 to 255 each; raises click.BadParameter."""
    if value == "white":  # the default needs no Pillow, which takes its time to import
        return 255, 255, 255
    from PIL import ImageColor

    try:
        rgb: tuple[int, ...] | None = ImageColor.getrgb(value)
    except ValueError:
        rgb = None
    if rgb is None or len(rgb) != 3:
        hint = did_you_mean(value, ImageColor.colormap)
        raise click.BadParameter(f"{value!r} is no opaque colour: expected a name such as white, or #rrggbb.{hint}")
    return rgb[0], rgb[1], rgb[2]


def complete_weights(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer the names of weights that begin like it, and files."""
    from click.shell_completion import CompletionItem

    names = [name for name in (*BUILTIN, RELEASED) if name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *map(CompletionItem, names)]
