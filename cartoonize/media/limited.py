"""Decoding within a time: in a process of its own, which is stopped when it takes longer and may die without us."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from cartoonize.errors import DecodeError
from cartoonize.media.codec import Photo, decode
from cartoonize.media.opening import configure_pillow

_START = 120.0  # seconds within which a process has to be there


class LimitedDecoder:
    """Does what `codec.decode` does, at most `seconds` long; each thread that calls it has a process of its own.

    A process is started with the first photo and kept. Raises DecodeError too where a photo takes longer, or where its
    decoder dies of it.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._mine = threading.local()

    def __call__(self, source: Path | bytes, *, salvage: bool = False) -> Photo:
        """Decode; see `codec.decode`."""
        child: _Child | None = getattr(self._mine, "child", None)
        if child is None:
            child = self._mine.child = _Child()
        try:
            answer = child.ask((source, salvage), self._seconds)
        except (TimeoutError, EOFError, OSError) as error:
            del self._mine.child
            child.stop()
            if isinstance(error, TimeoutError):
                raise DecodeError(f"takes longer than {self._seconds:g} s to decode: --timeout gives it more") from None
            raise DecodeError("its decoder died of it: expected a sound picture") from error
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Child:
    """A process that decodes what it is sent."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._is_there = False

    def ask(self, question: tuple[Path | bytes, bool], seconds: float) -> Photo | Exception:
        """Send a question and return the answer; raises TimeoutError, EOFError or OSError where none comes."""
        if not self._is_there:
            self._receive(_START)
            self._is_there = True
        self._pipe.send(question)
        answer: Photo | Exception = self._receive(seconds)
        return answer

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _receive(self, seconds: float) -> Any:
        if not self._pipe.poll(seconds):
            raise TimeoutError
        return self._pipe.recv()


def _serve(pipe: Connection) -> None:
    """Answer until the other end is gone; Ctrl-C is the other's to notice."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_pillow()
    with suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            source, salvage = pipe.recv()
            try:
                answer: Photo | Exception = decode(source, salvage=salvage)
            except Exception as error:
                answer = error if isinstance(error, DecodeError) else DecodeError(f"cannot be read: {error}")
                answer.__cause__ = answer.__context__ = None
            pipe.send(answer)
