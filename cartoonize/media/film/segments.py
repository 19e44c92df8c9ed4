"""The hidden folder in which a film's finished segments wait, so that a run that was stopped can go on."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from cartoonize.errors import CartoonizeError
from cartoonize.media.files import write_atomically, write_errors

_JOURNAL, _LOCK = "journal.jsonl", "lock"
_HEAD_AND_TAIL = 1 << 20  # bytes at both ends of a file that tell it from another of the same size


class BusyError(CartoonizeError):
    """Another run is at work on the same film."""

    def __init__(self) -> None:
        super().__init__("another run is working on it: let it finish, or stop it")


@dataclass(frozen=True)
class Segment:
    """A finished segment: size and number of its frames, how many were computed, how many were broken up to its end.

    start, end: its first tick and the one behind its last frame; next_pts: where the next one begins, None: nowhere.
    """

    number: int
    width: int
    height: int
    frames: int
    computed: float
    broken: int
    start: int
    end: int
    next_pts: int | None


class Segments:
    """The segments of one result; `identity` names all that shapes them, what differs begins anew."""

    def __init__(self, target: Path, identity: dict[str, Any]) -> None:
        # Short whatever the result is called: the longest name allowed must do.
        self.folder = target.with_name(f".cartoonize-{sha256(os.fsencode(target.name)).hexdigest()[:12]}")
        self._identity: dict[str, Any] = json.loads(json.dumps({"result": target.name, **identity}))
        self.finished: list[Segment] = []
        self.began_anew = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the folder for this run and read what is there; raises BusyError, EncodeError."""
        with write_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = open(self.folder / _LOCK, "ab")  # noqa: SIM115  closed below
        with lock:
            _claim(lock)
            self._read()
            yield

    def path(self, number: int) -> Path:
        """Return where a segment's packets are."""
        return self.folder / f"{number:06}.packets"

    def state(self, number: int) -> Path:
        """Return where what the next segment needs to know of this one is kept."""
        return self.folder / f"{number:06}.npz"

    def add(self, segment: Segment) -> None:
        """Enter a segment whose packets and state are written."""
        self.finished.append(segment)
        with write_errors(), open(self.folder / _JOURNAL, "a", encoding="utf-8") as journal:
            journal.write(json.dumps(asdict(segment)) + "\n")
            journal.flush()
            os.fsync(journal.fileno())
        self.state(segment.number - 1).unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self) -> None:
        lines = self._lines()
        if lines and lines[0] == self._identity:
            for line in lines[1:]:
                segment = Segment(**line)
                if segment.number != len(self.finished) or not self.path(segment.number).exists():
                    break
                self.finished.append(segment)
        self.began_anew = bool(lines) and lines[0] != self._identity
        rows = [self._identity, *map(asdict, self.finished)]
        if rows != lines:  # new, or its end was lost
            text = "".join(json.dumps(row) + "\n" for row in rows)
            write_atomically(self.folder / _JOURNAL, text.encode(), overwrite=True)

    def _lines(self) -> list[dict[str, Any]]:
        """Return the journal as far as it is whole: a power cut may have taken the end of its last line."""
        lines: list[dict[str, Any]] = []
        try:
            content = (self.folder / _JOURNAL).read_text("utf-8")
            for line in content.splitlines():
                lines.append(json.loads(line))
        except (OSError, ValueError):
            pass
        return lines


def fingerprint(path: Path) -> dict[str, Any]:
    """Return what tells a file's content from another's without reading all of it."""
    size = path.stat().st_size
    digest = sha256()
    with open(path, "rb") as file:
        digest.update(file.read(_HEAD_AND_TAIL))
        file.seek(max(0, size - _HEAD_AND_TAIL))
        digest.update(file.read())
    return {"name": path.name, "size": size, "ends": digest.hexdigest()}


def _claim(lock: BinaryIO) -> None:
    """Hold the lock as long as the file is open, also through kill -9; a system without such locks has none."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise BusyError from error
