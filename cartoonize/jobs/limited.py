"""Converting within a time: in a process of its own, which is stopped when it takes longer and may die without us.

What it says is taken for the word of a stranger, since a file may have taken its decoder over: bytes of bounded length,
and JSON of a known form. Nothing of it is unpickled.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cartoonize import errors
from cartoonize.errors import CartoonizeError, DecodeError, shown
from cartoonize.jobs.requests import Made

if TYPE_CHECKING:
    from cartoonize.jobs.requests import Request
    from cartoonize.media.thumbnails import Thumbnail

Work: TypeAlias = Callable[["Request"], Made]

_Said = TypeVar("_Said")
_START = 120.0  # seconds within which a process has to be there
_MOST_WORDS, _MOST_PICTURE, _MOST_DATA = 1 << 20, 1 << 24, 1 << 32  # bytes of JSON, of a thumbnail, of a result
_MOST_NOTES, _MOST_NOTE = 1000, 1000
_READY = b"ready"


class LimitedConversion:
    """Does what the work does that `build` makes, at most `seconds` long; each calling thread has a process of its own.

    A process is started with the first photo and kept. Raises what the work raises, and DecodeError too where a photo
    takes longer, or where its process dies of it. `build` pickles.
    """

    def __init__(self, build: Callable[[], Work], seconds: float) -> None:
        self._build, self._seconds = build, seconds
        self._mine = threading.local()

    def __call__(self, request: Request) -> Made:
        """Convert; see `converting.convert`."""
        child: _Child | None = getattr(self._mine, "child", None)
        if child is None:
            child = self._mine.child = _Child(self._build)
        try:
            answer = child.ask(request, self._seconds)
        except TimeoutError:
            del self._mine.child
            raise DecodeError(f"takes longer than {self._seconds:g} s: --timeout gives it more") from None
        except (EOFError, OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            del self._mine.child
            child.stop()
            raise DecodeError("its decoder died of it: expected a sound picture") from error
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Child:
    """A process that converts what it is sent."""

    def __init__(self, build: Callable[[], Work]) -> None:
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, build), daemon=True)
        self._process.start()
        theirs.close()
        self._is_there = False

    def ask(self, request: Request, seconds: float) -> Made | Exception:
        """Send a request and return what comes of it; raises TimeoutError when the process was too slow and stopped.

        Raises EOFError, OSError, ValueError, TypeError, KeyError or RecursionError where no answer comes, or none that
        makes sense.
        """
        if not self._is_there:
            if self._within(_START, lambda: self._pipe.recv_bytes(len(_READY))) != _READY:
                raise ValueError("no greeting")
            self._is_there = True
        return self._within(seconds, lambda: self._answer(request))

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _answer(self, request: Request) -> Made | Exception:
        self._pipe.send(request)
        return _received(self._pipe)

    def _within(self, seconds: float, receive: Callable[[], _Said]) -> _Said:
        """Receive, however slowly it comes: at the end of the time the process is killed."""
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            return receive()
        except (EOFError, OSError):
            if late.is_set():
                self.stop()
                raise TimeoutError from None
            raise
        finally:
            timer.cancel()


def _serve(pipe: Connection, build: Callable[[], Work]) -> None:
    """Answer until the other end is gone; Ctrl-C is the other's to notice."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        work = build()
        pipe.send_bytes(_READY)
        while True:
            request = pipe.recv()  # of the process that has started this one
            try:
                made = work(request)
            except Exception as error:
                pipe.send_bytes(json.dumps(_failure(error)).encode())
            else:
                _send(pipe, made)


def _failure(error: Exception) -> dict[str, str]:
    trace = "".join(traceback.format_exception(error))[-_MOST_WORDS // 16 :]
    return {"error": type(error).__name__, "text": str(error)[: _MOST_WORDS // 16], "trace": trace}


def _send(pipe: Connection, made: Made) -> None:
    both = made.thumbnails
    pictures = [both.photo, both.result] if both else []
    sizes = [[picture.width, picture.height, picture.data is not None] for picture in pictures]
    pipe.send_bytes(json.dumps({"notes": list(made.notes), "thumbnails": sizes}).encode())
    for picture in pictures:
        pipe.send_bytes(picture.data or b"")
    pipe.send_bytes(made.data)


def _received(pipe: Connection) -> Made | Exception:
    """Take what `_send` sends, or the error that is told instead; see `_Child.ask` for what makes no sense."""
    from cartoonize.media.thumbnails import Thumbnails

    words = json.loads(pipe.recv_bytes(_MOST_WORDS))
    if "error" in words:
        return _error(str(words["error"]), str(words["text"]), str(words["trace"]))
    notes = tuple(shown(str(note))[:_MOST_NOTE] for note in list(words["notes"])[:_MOST_NOTES])
    pictures = [_thumbnail(size, pipe.recv_bytes(_MOST_PICTURE)) for size in list(words["thumbnails"])[:2]]
    data = pipe.recv_bytes(_MOST_DATA)
    return Made(data, notes, Thumbnails(*pictures) if pictures else None)


def _thumbnail(size: Any, data: bytes) -> Thumbnail:
    from cartoonize.media.thumbnails import Thumbnail

    width, height, there = size
    return Thumbnail(data if there else None, int(width), int(height))


def _error(name: str, text: str, trace: str) -> Exception:
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, CartoonizeError) and kind is not errors.AlreadyThereError:
        return kind(shown(text))
    if name == "MemoryError":
        return MemoryError()
    error = RuntimeError(f"{shown(name)}: {shown(text)}")
    error.__cause__ = RuntimeError(trace)
    return error
