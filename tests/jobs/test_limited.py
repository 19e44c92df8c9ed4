"""Conversions within a time, with real processes: slow ones, dying ones, and ones that lie."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cartoonize.errors import ArgumentError, CartoonizeError, DecodeError, EncodeError
from cartoonize.jobs import limited
from cartoonize.jobs.limited import LimitedConversion
from cartoonize.jobs.requests import Made, Request
from cartoonize.media.thumbnails import Thumbnail, Thumbnails

MADE = Made(b"result", ("a note, é",), Thumbnails(Thumbnail(None, 4, 3), Thumbnail(b"RIFF", 2, 1)))


class Taken:
    """What a process becomes whose decoder was taken over: it says what it likes. A pickle of it would tell on us."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, ("unpickled",)


def work(request: Request) -> Made:
    """Do what the content asks for."""
    match request.content:
        case b"sleep":
            time.sleep(600)
        case b"die":
            os._exit(3)
        case b"decode error":
            raise DecodeError("its words")
        case b"argument error":
            raise ArgumentError("out of range")
        case b"memory":
            raise MemoryError
        case b"a bug":
            raise ZeroDivisionError("by \x1b[31mzero")
        case b"process":
            return Made(str(os.getpid()).encode())
    return MADE


def build() -> Callable[[Request], Made]:
    return work


@pytest.fixture(scope="module")
def conversion() -> LimitedConversion:
    return LimitedConversion(build, 300)


def ask(conversion: LimitedConversion, content: bytes) -> Made:
    return conversion(Request(content, None))


def test_what_is_made_comes_over_whole(conversion: LimitedConversion) -> None:
    assert ask(conversion, b"") == MADE


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        (b"decode error", DecodeError, "^its words$"),
        (b"argument error", ArgumentError, "^out of range$"),
        (b"memory", MemoryError, "^$"),
        (b"a bug", RuntimeError, r"^ZeroDivisionError: by \\x1b\[31mzero$"),
    ],
)
def test_errors_come_over_as_they_are(
    conversion: LimitedConversion, content: bytes, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text) as raised:
        ask(conversion, content)
    assert type(raised.value) is kind
    assert content != b"a bug" or "ZeroDivisionError" in str(raised.value.__cause__), "the traceback for --verbose"


def test_a_photo_that_kills_its_process_is_a_line_and_the_next_one_is_done(conversion: LimitedConversion) -> None:
    with pytest.raises(DecodeError, match=r"^its decoder died of it"):
        ask(conversion, b"die")
    assert ask(conversion, b"") == MADE


def test_a_photo_that_takes_too_long_is_stopped_and_its_process_with_it(conversion: LimitedConversion) -> None:
    ask(conversion, b"")
    process = conversion._mine.child._process
    conversion._seconds = 0.5
    with pytest.raises(DecodeError, match=r"^takes longer than 0\.5 s: --timeout gives it more$"):
        ask(conversion, b"sleep")
    conversion._seconds = 300
    assert not process.is_alive()
    assert ask(conversion, b"") == MADE


def test_threads_have_processes_of_their_own(conversion: LimitedConversion) -> None:
    seen: list[bytes] = []
    threads = [threading.Thread(target=lambda: seen.append(ask(conversion, b"process").data)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 2


def liar(said: list[bytes | None]) -> Callable[[Request], Made]:
    """Build what says other things than it should; None is a pickle, and a stop in the middle of a message."""

    def lie(pipe, made) -> None:  # type: ignore[no-untyped-def]
        for each in said:
            if each is None:
                pipe.send(Taken())
            elif each == b"half":
                os.write(pipe.fileno(), b"\0\0\1\0half")
                time.sleep(600)
            else:
                pipe.send_bytes(each)

    limited._send = lie
    return work


@pytest.mark.parametrize(
    "said",
    [
        [None],
        [b"no JSON"],
        [b"[" * 100_000],
        [b"[]"],
        [b"3"],
        [json.dumps({"notes": 3, "thumbnails": []}).encode(), b""],
        [json.dumps({"notes": [], "thumbnails": [[1, 2]]}).encode(), b""],
        [json.dumps({"notes": [], "thumbnails": [["x", 2, True]]}).encode(), b""],
        [b" " * (limited._MOST_WORDS + 1)],
        [json.dumps({"error": "AlreadyThereError"}).encode()],
    ],
    ids=lambda said: str(said)[:40],
)
def test_a_process_that_lies_is_not_believed(
    said: list[bytes | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    conversion = LimitedConversion(partial(liar, said), 300)
    with pytest.raises(DecodeError, match=r"^its decoder died of it"):
        ask(conversion, b"")
    assert list(tmp_path.iterdir()) == [], "nothing was unpickled"


def test_a_process_that_stops_in_the_middle_of_a_word_is_not_waited_for() -> None:
    conversion = LimitedConversion(partial(liar, [b"half"]), 300)
    conversion._seconds = 2
    with pytest.raises(DecodeError, match=r"^takes longer than 2 s"):
        ask(conversion, b"")


def test_errors_and_notes_of_a_process_are_made_fit_for_a_terminal() -> None:
    words = {"notes": ["\x1b[2J" + "x" * 5000] + ["a note"] * 2000, "thumbnails": []}
    made = ask(LimitedConversion(partial(liar, [json.dumps(words).encode(), b"data"]), 300), b"")
    assert made.data == b"data"
    assert len(made.notes) == limited._MOST_NOTES
    assert made.notes[0].startswith("\\x1b[2Jxxx")
    assert len(made.notes[0]) == limited._MOST_NOTE
    words = {"error": "EncodeError", "text": "\x1b[2J", "trace": ""}
    with pytest.raises(EncodeError, match=r"^\\x1b\[2J$"):
        ask(LimitedConversion(partial(liar, [json.dumps(words).encode()]), 300), b"")
    words = {"error": "os", "text": "no error of ours", "trace": ""}
    with pytest.raises(RuntimeError, match=r"^os: no error of ours$") as raised:
        ask(LimitedConversion(partial(liar, [json.dumps(words).encode()]), 300), b"")
    assert not isinstance(raised.value, CartoonizeError)
