"""The hidden folder in which a film's finished segments wait, so that a run that was stopped can go on."""

from __future__ import annotations

import json
import os
import shutil
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from cartoonize.errors import CartoonizeError
from cartoonize.media.files import publish, write_atomically, write_errors

_JOURNAL, _LOCK, _PUBLISHED = "journal.jsonl", "lock", "published.json"
_HEAD_AND_TAIL = 1 << 20  # bytes at both ends of a file that tell it from another of the same size


class BusyError(CartoonizeError):
    """Another run is at work on the same film."""

    def __init__(self) -> None:
        super().__init__("another run is working on it: let it finish, or stop it")


@dataclass(frozen=True)
class Segment:
    """A finished segment: size and number of its frames, how many were computed, how many were broken.

    start, end: its first tick and the one behind its last frame.
    """

    number: int
    width: int
    height: int
    frames: int
    computed: float
    broken: int
    start: int
    end: int


class Segments:
    """The segments of one result; `identity` names all that shapes them, what differs begins anew."""

    def __init__(self, target: Path, identity: dict[str, Any]) -> None:
        self.folder = _folder(target)
        self._target = target
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

    def add(self, segment: Segment) -> None:
        """Enter a segment whose packets are written."""
        insort(self.finished, segment, key=_number)
        with write_errors(), open(self.folder / _JOURNAL, "a", encoding="utf-8") as journal:
            journal.write(json.dumps(asdict(segment)) + "\n")
            journal.flush()
            os.fsync(journal.fileno())

    def publish(self, joined: Path, *, overwrite: bool) -> None:
        """Give the joined segments their name, so that `clear_published` knows them; raises OSError."""
        write_atomically(self.folder / _PUBLISHED, json.dumps(_same_file(joined)).encode(), overwrite=True)
        publish(joined, self._target, overwrite=overwrite)

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self) -> None:
        lines = self._lines()
        if lines and lines[0] == self._identity:
            found = {segment.number: segment for segment in (Segment(**line) for line in lines[1:])}
            self.finished = [found[number] for number in sorted(found) if self.path(number).exists()]
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


def clear_published(target: Path) -> None:
    """Remove the folder of a run that was killed when its result had its name and the folder was still to go."""
    folder = _folder(target)
    with suppress(OSError, ValueError):
        if json.loads((folder / _PUBLISHED).read_bytes()) == _same_file(target):
            shutil.rmtree(folder, ignore_errors=True)


def _folder(target: Path) -> Path:
    # Short whatever the result is called: the longest name allowed must do.
    return target.with_name(f".cartoonize-{sha256(os.fsencode(target.name)).hexdigest()[:12]}")


def _same_file(path: Path) -> list[int]:
    """Return what a file keeps when it gets another name."""
    about = path.stat()
    return [about.st_ino, about.st_size, about.st_mtime_ns]


def _number(segment: Segment) -> int:
    return segment.number


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
