"""How the command line refuses: our errors as click's, each kind with its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from cartoonize.errors import CartoonizeError, shown


class ConfigurationError(click.ClickException):
    """What was asked for cannot run here; one line, no usage."""

    exit_code = 2


@contextmanager
def refusing(kind: type[click.ClickException] = click.ClickException, prefix: str = "") -> Iterator[None]:
    """Turn an error of ours into click's `kind`, `prefix` (a file's name, say) and a colon before it."""
    try:
        yield
    except CartoonizeError as error:
        raise kind(shown(f"{prefix}: {error}" if prefix else str(error))) from error
