"""Where pictures come from and go to: files, standard input and output. Nothing heavy: planning needs it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cartoonize.errors import DecodeError, EncodeError
from cartoonize.media.files import read_bounded, write_atomically
from cartoonize.media.formats import format_of


class Source(Protocol):
    """What a picture is read from; `str()` is its name for people and for --json. Pickles."""

    @property
    def format(self) -> str | None:
        """Pillow's name of the format it is called by; None where the name tells none."""

    def content(self) -> Path | bytes:
        """Return what `codec.decode` reads: a path or the bytes themselves; raises DecodeError."""


class Sink(Protocol):
    """What a result is written to; `str()` is its name for people and for --json. Pickles."""

    @property
    def format(self) -> str | None:
        """Pillow's name of the format it is called by; None where the name tells none."""

    def exists(self) -> bool:
        """Whether something is there already, which only `overwrite` replaces."""

    def write(self, data: bytes, *, overwrite: bool) -> None:
        """Write all of `data` or nothing; raises EncodeError, AlreadyThereError where something is there."""


@dataclass(frozen=True)
class File:
    """A file on a disk, as source or as sink."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def format(self) -> str | None:
        """As of `Source` and `Sink`."""
        return format_of(self.path)

    def content(self) -> Path:
        """Return the path: a large file is never read as a whole."""
        return self.path

    def exists(self) -> bool:
        """Whether the name is taken; unlike `Path.exists` without an error where it is too long to be."""
        return os.path.lexists(self.path)

    def write(self, data: bytes, *, overwrite: bool) -> None:
        """Write atomically, creating missing folders."""
        write_atomically(self.path, data, overwrite=overwrite)


@dataclass(frozen=True)
class StandardInput:
    """The bytes that are piped in; they can be read once."""

    format = None

    def __str__(self) -> str:
        return "-"

    def content(self) -> bytes:
        """Return all there is, up to a bound no picture of ours reaches."""
        if sys.stdin is None:
            raise DecodeError("standard input is closed: pipe a picture in")
        return read_bounded(sys.stdin.buffer)


@dataclass(frozen=True)
class StandardOutput:
    """The stream a result is piped out to."""

    format = None

    def __str__(self) -> str:
        return "-"

    def exists(self) -> bool:
        """Never: a stream is not replaced."""
        return False

    def write(self, data: bytes, *, overwrite: bool) -> None:  # noqa: ARG002  as of every sink
        """Write and flush; raises BrokenPipeError where nobody reads."""
        try:
            # A stream of its own: what cannot be written is not kept in sys.stdout, to fail again at exit.
            with open(sys.stdout.fileno(), "wb", closefd=False) as stream:
                stream.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise EncodeError(f"cannot be written to standard output: {error.strerror}") from error
