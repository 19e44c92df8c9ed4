"""Errors a user can act on; each message is one line that says what was expected and what to do."""

from __future__ import annotations


class CartoonizeError(Exception):
    """Base of every error this package raises on purpose."""


def first_line(error: BaseException) -> str:
    """Return the first line of a library's error message, or the error's type where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class DecodeError(CartoonizeError):
    """A source could not be read as a picture."""


class EncodeError(CartoonizeError):
    """A result could not be encoded or written."""


class AlreadyThereError(EncodeError):
    """A result has a name that is taken, and nothing is to be overwritten."""

    def __init__(self) -> None:
        super().__init__("already exists: use --overwrite to replace it")


class WeightsError(CartoonizeError):
    """Weights are unknown, missing, damaged or of the wrong kind."""


class EngineError(CartoonizeError):
    """The generator could not be run, or its output is not finite."""


class ConfigError(CartoonizeError):
    """A training configuration is not valid."""


class DatasetError(CartoonizeError):
    """Training photos are missing or cannot be used."""
