"""Words at the door: what people type that is no word of ours, and what they probably meant."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import click

COMMON_USES = (
    ("cartoonize photo.jpg", "writes photo_cartoon.jpg beside it"),
    ("cartoonize holiday/ --out cartoons/", "a folder and all below it, the tree kept"),
    ("cartoonize '*.png' --format webp", "several, in another format"),
    ("cartoonize photo.jpg --size 360", "bolder; the default is 720"),
    ("cartoonize photo.jpg --style comic", "another look: flat colours and ink"),
    ("cartoonize holiday/ --review page.html", "and a page to look at the results"),
    ("cartoonize compare photo.jpg", "one photo in several looks, on one sheet"),
    ("cartoonize weights list", "the generators: licence, size, where they are"),
    ("cartoonize train --print-config > my.yaml", "begins a look of your own"),
    ("cartoonize --help", "all options and commands"),
)
"""What is shown to somebody who types the program's name alone."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_PREFIX = "CARTOONIZE_"
_NOT_OURS = {"VERSION", "HELP", "DETAIL"}  # container images set the first; the last is --smooth's earlier name


class CommonUses(click.UsageError):
    """Nothing was asked for: show the commonest uses instead of an error."""

    def __init__(self) -> None:
        super().__init__("nothing to do")

    def show(self, file: Any = None) -> None:
        """Print them, one a line, to standard error."""
        width = max(len(command) for command, _ in COMMON_USES)
        for command, meaning in COMMON_USES:
            click.echo(f"{command.ljust(width)}  {meaning}", file=file, err=True)


class Choice(click.Choice[str]):
    """One of several words; a misspelt one is told what it is close to."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Say what the words are, and which was probably meant."""
        return super().get_invalid_choice_message(value, ctx) + did_you_mean(str(value), self.choices)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean X?" for the known word nearest to this one, "" when none is near."""
    close = get_close_matches(word.lower(), list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def check_first_word(word: str, commands: Iterable[str]) -> None:
    """Raise click.UsageError where the first word is no input there is, but nearly a command."""
    if not re.fullmatch(r"[A-Za-z-]+", word) or word.startswith("-") or os.path.lexists(word):
        return
    if close := get_close_matches(word.lower(), list(commands), n=1, cutoff=0.7):
        raise click.UsageError(f"no file, folder or command is called {word!r}: did you mean `cartoonize {close[0]}`?")


def is_address(name: str) -> bool:
    """Whether a name is that of something elsewhere, as s3://bucket/photo.jpg, and not of a file here."""
    return _ADDRESS.match(name) is not None and not os.path.lexists(name)


def misspelt_variables(environment: Mapping[str, str], options: Iterable[str]) -> list[str]:
    """Return a line for each variable of ours that sets nothing and is nearly the name of one that would."""
    known = {name.upper() for name in options}
    lines = []
    for variable in sorted(environment):
        name = variable.removeprefix(_PREFIX)
        if name == variable or name in known | _NOT_OURS:
            continue
        if close := get_close_matches(name, known, n=1, cutoff=0.7):
            lines.append(f"{variable} in the environment sets nothing: did you mean {_PREFIX}{close[0]}?")
    return lines
