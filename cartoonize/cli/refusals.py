"""How the command line refuses: our errors as click's, each kind with its exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cartoonize.errors import CartoonizeError, shown

if TYPE_CHECKING:
    from cartoonize.cli.options import Options


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


_TRAINING = "tensorflow keras h5py pydantic pyyaml tensorboard scikit-image"
_PACKAGES = {"skimage": "scikit-image", "onnx": "onnx", "av": "av"} | dict.fromkeys(
    ("tensorflow", "keras", "h5py", "pydantic", "yaml", "tensorboard"), _TRAINING
)


@contextmanager
def naming_what_is_not_installed() -> Iterator[None]:
    """Turn the import of a library that a lean install leaves out into a line that says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        packages = _PACKAGES.get((error.name or "").partition(".")[0])
        if packages is None:
            raise
        raise ConfigurationError(
            f"this needs {error.name}, which a lean install leaves out: pip install {packages}"
        ) from error


def check_stdout(chosen: Options) -> None:
    """Raise click.UsageError where a picture cannot go to standard output."""
    if chosen.json:
        raise click.UsageError("--json and the picture both go to standard output: give --out FILE.")
    if not chosen.dry_run and sys.stdout.isatty():
        raise click.UsageError("a picture is not written to a terminal: redirect standard output or give --out FILE.")
