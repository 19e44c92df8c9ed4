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


_TRAINING = "tensorflow keras h5py pydantic pyyaml tensorboard scikit-image"
_PACKAGES = {"skimage": "scikit-image"} | dict.fromkeys(
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
