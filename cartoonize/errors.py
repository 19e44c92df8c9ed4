"""Errors a user can act on, each one line that says what was expected and what to do; names fit for a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PASSWORD = re.compile(r"(?<=://)(?<!zip://)[^/?#\s]*@")
_SECRET = re.compile(
    r"(?P<name>[?&;](?:sig|key|[\w.%-]*?"
    r"(?:signature|token|secret|passw|pwd|credential|auth|(?:api|access|account)[_-]?key|policy)[^=&;\s]*)=)"
    r"[^&;\s'\"<>)]*[^&;\s'\"<>):]",
    re.IGNORECASE,
)


class CartoonizeError(ValueError):
    """Base of every error this package raises on purpose: what it was given, a file or an argument, cannot be used.

    ends_after: so many such failures in a row are the end of a run, since what follows would fail alike; 0: none are.
    """

    ends_after = 0


def first_line(error: BaseException) -> str:
    """Return the first line of a library's error message, or the error's type where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def without_secrets(text: str) -> str:
    """Return a text with the passwords and signatures of the addresses in it replaced, fit to be shown and kept."""
    return _SECRET.sub(r"\g<name>***", _PASSWORD.sub("***@", text)) if "://" in text else text


def shown(name: Path | str | None) -> str:
    """Return a name, or a line with names in it, fit for a terminal; None is "-".

    Control characters and bytes that are no text are escaped, what is secret in addresses is replaced.
    """
    if name is None:
        return "-"
    text = without_secrets(str(name))
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class ArgumentError(CartoonizeError):
    """What a program asked for cannot be: an option out of range, an array that is no picture."""


class DecodeError(CartoonizeError):
    """A source could not be read as a picture."""


class EncodeError(CartoonizeError):
    """A result could not be encoded or written."""


class AlreadyThereError(EncodeError):
    """A result has a name that is taken, and nothing is to be overwritten; `reason` is what a skip says of it."""

    def __init__(self, reason: str = "exists by now") -> None:
        super().__init__("already exists: use --overwrite to replace it")
        self.reason = reason


class WeightsError(CartoonizeError):
    """Weights are unknown, missing, damaged or of the wrong kind."""


class UnknownWeightsError(WeightsError, ArgumentError):
    """There are no weights of that name, and no file."""


class EngineError(CartoonizeError):
    """The generator could not be run, or its output is not finite."""


class OutOfMemoryError(EngineError):
    """The device has not the memory for a picture of this size; a smaller piece of it may do."""


class ConfigError(CartoonizeError):
    """A training configuration is not valid."""


class DatasetError(CartoonizeError):
    """Training photos are missing or cannot be used."""
