"""The command line: which command the first word stands for, its help, and how the process ends."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from cartoonize import __version__
from cartoonize.cli import streams, words
from cartoonize.cli.compare import compare
from cartoonize.cli.convert import convert
from cartoonize.cli.devices import devices
from cartoonize.cli.evaluate import evaluate
from cartoonize.cli.inspect import inspect
from cartoonize.cli.options import Options
from cartoonize.cli.options import options as with_options
from cartoonize.cli.refusals import naming_what_is_not_installed
from cartoonize.cli.training import distill, train
from cartoonize.cli.weights import weights_group
from cartoonize.jobs.running import Interrupted
from cartoonize.media.formats import format_of

if TYPE_CHECKING:
    from types import FrameType

    from click.shell_completion import CompletionItem

EXAMPLES = (
    ("cartoonize photo.jpg", "writes photo_cartoon.jpg beside it"),
    ("cartoonize holiday/ --out cartoons/", "a folder and all below it, the tree kept"),
    ("cartoonize '*.png' --format webp --quality 85", "several, in another format"),
    ("cartoonize photo.jpg --size 1080 --smooth 0.8", "finer work, more of the photo's texture"),
    ("cartoonize clip.mp4 --from 0:30 --to 0:40", "a film, or a stretch of it"),
    ("cartoonize - < photo.jpg > cartoon.jpg", "in a pipe"),
    ("cartoonize holiday/ --review page.html", "and a page to look at the results"),
    ("cartoonize holiday/ --dry-run", "shows what would be done"),
)
EPILOG = (
    "Every option can be set by an environment variable too: CARTOONIZE_SIZE=full stands for --size full."
    " Weights have licences of their own: fast, quality and whitebox are CC BY-NC-SA 4.0, not for commercial use;"
    " comic is MIT."
    " Exit codes: 0 all done or skipped, 1 some file failed, 2 wrong usage, 3 no image found, 130 interrupted."
)

PIPE_CLOSED = 141  # as the shell says of a program that SIGPIPE ended


class DefaultCommand(click.Command):
    """A command with others beside it: a first word that names one of them is that one, all else is this one's."""

    def __init__(self, *args: Any, others: tuple[click.Command, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others = {str(other.name): other for other in others}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Let the first word decide, also when the shell asks for completions."""
        first, rest = (args[0], args[1:]) if args else ("", [])
        if first == "help":
            return self.make_context(info_name, [*rest, "--help"], parent, **extra)
        if first == "version":
            return self.make_context(info_name, ["--version"], parent, **extra)
        if other := self.others.get(first):
            extra = {"help_option_names": self.context_settings["help_option_names"]} | extra
            return other.make_context(f"{info_name} {first}", rest, parent, **extra)
        if not extra.get("resilient_parsing"):
            words.check_first_word(first, (*self.others, "help", "version"))
        return super().make_context(info_name, args, parent, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; to somebody who types nothing, show the commonest uses."""
        if not args and not ctx.resilient_parsing:
            raise words.CommonUses
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command the context was made for; a reader that closed the pipe ends it without a word."""
        try:
            with naming_what_is_not_installed():
                return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)
        except BrokenPipeError as error:
            raise Interrupted(PIPE_CLOSED) from error

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples first: they are what most people look for."""
        with formatter.section("Examples"):
            formatter.write_dl(EXAMPLES)
        formatter.write("\n")
        super().format_help(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the other commands."""
        super().format_options(ctx, formatter)
        with formatter.section("Other commands"):
            formatter.write_dl(
                [(f"{ctx.info_name} {name}", other.get_short_help_str(limit=90)) for name, other in self.others.items()]
            )


def complete_input(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Offer files, and for the first word the other commands that begin like it."""
    from click.shell_completion import CompletionItem

    files = [CompletionItem(incomplete, type="file")]
    if not incomplete or ctx.params.get("inputs") or not isinstance(ctx.command, DefaultCommand):
        return files
    return files + [CompletionItem(name) for name in ctx.command.others if name.startswith(incomplete)]


@click.command(
    "cartoonize",
    cls=DefaultCommand,
    others=(inspect, compare, train, distill, evaluate, weights_group, devices),
    context_settings={"auto_envvar_prefix": "CARTOONIZE", "help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
@click.argument("inputs", metavar="INPUTS...", nargs=-1, type=click.Path(), shell_complete=complete_input)
@with_options
@click.version_option(__version__, prog_name="cartoonize", allow_from_autoenv=False)
@click.pass_context
def cartoonize(ctx: click.Context, /, **chosen: Any) -> None:
    """Turn photos and films into cartoons.

    INPUTS are photos, films, folders (with all below them), quoted globs, or - for standard input. A result is written
    beside its photo as NAME_cartoon, or below --out. A file called like another command is reached as ./weights.
    """
    options = Options(**(chosen | _outranked(ctx, chosen)))
    for line in () if options.quiet else words.misspelt_variables(os.environ, chosen):
        click.echo(f"cartoonize: {line}", err=True)
    ctx.exit(convert(options))


def _outranked(ctx: click.Context, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return what options from the environment become that contradict others of the command line."""
    typed, ours = (
        {name for name in chosen if ctx.get_parameter_source(name) is source}
        for source in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    )
    changed: dict[str, Any] = {}
    for one, other in (("quiet", "verbose"), ("verbose", "quiet")):
        if one in typed and other in ours:
            changed[other] = False
    out = Path(chosen["out"] or "")
    if "out" in typed and "format" in ours and format_of(out) and not out.is_dir():
        changed["format"] = None
    return changed


def main() -> None:
    """Run the command line as this process; it ends here."""
    streams.guard()
    for signum in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) is not signal.SIG_IGN:  # as under nohup
            signal.signal(signum, _stop)
    sys.unraisablehook = _unraisable
    try:
        cartoonize.main(prog_name="cartoonize", windows_expand_args=False)
    except Interrupted as stop:
        with suppress(OSError):
            sys.stdout.flush()
        # Workers may be inside a native call of a minute: neither wait for them, nor tear down under their feet.
        os._exit(stop.exit_code)


def _stop(signum: int, _: FrameType | None) -> None:
    """Leave once: a second Ctrl-C must not disturb the clearing up after the first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Interrupted(128 + signum)


def _unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Stop again a moment later where Python swallowed the stop: no exception leaves a __del__ or a callback."""
    error = unraisable.exc_value
    if not isinstance(error, Interrupted):
        sys.__unraisablehook__(unraisable)
        return
    signum = error.exit_code - 128
    signal.signal(signum, _stop)
    threading.Timer(0.01, _thread.interrupt_main, (signum,)).start()
