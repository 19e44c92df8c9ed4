"""Keeps the greetings that LiteRT and TensorFlow print from C++ off the user's terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_lock = threading.Lock()
_inside = 0  # threads that want silence
_saved: int | None = None  # where descriptor 2 went before the first of them


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Send file descriptor 2 to nowhere meanwhile; whole-process, so not for use while other threads print.

    Any number of threads may be inside; the last to leave puts it back. Does nothing where it is closed.
    """
    _enter()
    try:
        yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _saved  # a process has one descriptor 2
    with _lock:
        if _inside == 0:
            with suppress(OSError):  # closed: nothing can be printed
                _saved = os.dup(2)
        if _inside == 0 and _saved is not None:
            sink = os.open(os.devnull, os.O_WRONLY)
            os.dup2(sink, 2)
            os.close(sink)
        _inside += 1


def _leave() -> None:
    global _inside, _saved
    with _lock:
        _inside -= 1
        if _inside == 0 and _saved is not None:
            os.dup2(_saved, 2)
            os.close(_saved)
            _saved = None
