"""Standard streams that are closed, full or gone: words may be lost, work and exit codes are not."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import BinaryIO

from cartoonize.jobs.running import Interrupted

_CANNOT_WRITE = 1  # exit code, as of any program whose output is lost


def occupy_closed() -> None:
    """Put something in the place of streams that the shell closed, lest a file of ours get their number.

    Standard input is then empty, standard error goes nowhere, and standard output fails when it is written to.
    """
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:  # the lowest free number is the stream's own
            setattr(sys, name, open(os.open(os.devnull, flags), mode))  # noqa: SIM115  as long as the process


def guard() -> None:
    """Let writing to standard output and error end well, whatever they are; call it once, as this process begins."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, TextIOWrapper):
            encoding = stream.encoding
            setattr(sys, name, _Guarded(stream.detach(), encoding, lossy=name == "stderr"))


class _Guarded(TextIOWrapper):
    """A standard stream; a file name it cannot show is escaped.

    A disk that is full ends the run with one line when it is standard output's, and is silently nowhere from then on
    when it is standard error's. A reader that went away is nothing of this class: BrokenPipeError.
    """

    def __init__(self, buffer: BinaryIO, encoding: str, *, lossy: bool) -> None:
        super().__init__(buffer, encoding, "backslashreplace", write_through=True)
        self._lossy = lossy

    def write(self, text: str) -> int:
        try:
            super().write(text)
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Send what is still in the buffer, and all that follows, to nowhere."""
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, self.fileno())
        os.close(sink)
        if self._lossy:
            return
        print(f"cartoonize: standard output cannot be written: {error.strerror}", file=sys.stderr)
        raise Interrupted(_CANNOT_WRITE) from error
