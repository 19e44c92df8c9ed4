"""What made a result: a hidden file in each folder with results, a line of JSON for each that was made there.

Lines are only ever added, each in one write: runs side by side do not disturb each other, a torn line costs itself. A
line is written before its result takes its name, and counts only while a file of that name and size is there: whenever
a run is killed, what is in the folder and what is told of it fit. Paths are relative, so folders can move together;
without the file nothing is known, and a result that exists is one.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from cartoonize import __version__
from cartoonize.jobs.sources import fold
from cartoonize.media.files import write_atomically

MANIFEST = ".cartoonize.jsonl"
MAX_BYTES = 2**28  # half a million results; what is beyond is no manifest of ours

_TIDY_FROM, _TIDY_RATIO = 2**20, 4  # bytes, and lines a result, from which a manifest is written anew
_CHUNK = 2**20

Settings: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Fingerprint:
    """By what a photo is known again: bytes, time of its last change in nanoseconds, SHA-256 (hex) of its content."""

    size: int
    modified: int
    digest: str

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Take a file's fingerprint; raises OSError."""
        about = os.stat(path)
        return cls(about.st_size, about.st_mtime_ns, _digest(path))

    def fits(self, path: str | Path) -> bool:
        """Whether a file is this photo, by size and time or else by content; False where it cannot be read."""
        try:
            about = os.stat(path)
            if about.st_size != self.size:
                return False
            return about.st_mtime_ns == self.modified or _digest(path) == self.digest
        except OSError:
            return False


@dataclass(frozen=True)
class Record:
    """What made a result: name and bytes of its file, its photo (from the folder), how, and the program's version."""

    result: str
    size: int
    source: str
    photo: Fingerprint
    settings: Settings
    program: str = f"cartoonize {__version__}"


@dataclass(frozen=True)
class Origin:
    """What makes a result: a photo, and how."""

    photo: Fingerprint
    settings: Settings


class Manifest:
    """What is told of the results in one folder, as far as they are still there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST
        self._folder = folder
        self._real = os.path.realpath(folder)
        self._records: dict[str, list[Record]] = {}
        self._names: dict[str, dict[str, None]] = {}
        for record in _read(self.path):
            self._records.setdefault(fold(record.result), []).append(record)
            self._names.setdefault(fold(self.source_of(record)), {})[record.result] = None

    def __bool__(self) -> bool:
        return bool(self._records)

    def of(self, result: str) -> Record | None:
        """Return what made the file of this name; None when there is none or it is not as this program left it."""
        records = self._records.get(fold(result))
        if not records:
            return None
        try:
            size = os.stat(self._folder / result).st_size
        except OSError:
            return None
        return next((record for record in reversed(records) if record.size == size), None)

    def results_of(self, real: str) -> list[str]:
        """Return the names of the results that are here of the photo at this real path."""
        names = self._names.get(fold(real), {})
        return [name for name in names if (record := self.of(name)) and fold(self.source_of(record)) == fold(real)]

    def source_of(self, record: Record) -> str:
        """Return the real path of a record's photo as it was when the folders lay as they do now."""
        return os.path.normpath(os.path.join(self._real, record.source))

    def tidy(self) -> None:
        """Write a manifest anew, two lines a result, that has grown far beyond its results; never fails."""
        lines = sum(map(len, self._records.values()))
        try:
            if self.path.stat().st_size < _TIDY_FROM or lines < _TIDY_RATIO * len(self._records):
                return
            kept = (_line(record) for records in self._records.values() for record in records[-2:])
            write_atomically(self.path, b"".join(kept), overwrite=True)
        except Exception:  # it stays as it is
            return


class Manifests:
    """The manifests of folders, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, Manifest] = {}

    def of(self, folder: Path) -> Manifest:
        """Return that of a folder, an empty one where there is none."""
        name = str(folder)
        if name not in self._known:
            self._known[name] = Manifest(folder)
        return self._known[name]


def note(target: Path, size: int, source: Path, origin: Origin) -> None:
    """Tell the manifest beside `target` what makes it, `size` bytes; its folder exists. Raises OSError."""
    _add(target, Record(target.name, size, _place(source, target), origin.photo, origin.settings))


def renew(target: Path, source: Path, record: Record) -> None:
    """Tell the manifest where a photo is now and of what date, so that its content is not read again; never fails."""
    with suppress(OSError):
        photo = replace(record.photo, modified=os.stat(source).st_mtime_ns)
        renewed = replace(record, source=_place(source, target), photo=photo)
        if renewed != record:
            _add(target, renewed)


def _place(source: Path, target: Path) -> str:
    """Return the way from a result's folder to its photo."""
    folder, real = os.path.realpath(target.parent), os.path.realpath(source)
    try:
        return os.path.relpath(real, folder)
    except ValueError:  # on Windows there is no way from one drive to another
        return real


def _add(target: Path, record: Record) -> None:
    descriptor = os.open(target.with_name(MANIFEST), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, b"\n" + _line(record))  # first an end for a line that a crash has torn
    finally:
        os.close(descriptor)


def _line(record: Record) -> bytes:
    return json.dumps(asdict(record), separators=(",", ":")).encode("ascii") + b"\n"


def _read(path: Path) -> Iterator[Record]:
    if not os.path.isfile(path):  # nor a pipe, that would not open
        return
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES)
    except OSError:
        return
    for line in content.splitlines():
        if line and (record := _parsed(line)):
            yield record


def _parsed(line: bytes) -> Record | None:
    """Return a line as a record; None of one that is torn, or that somebody else has written."""
    try:
        told = json.loads(line)
        photo = Fingerprint(**told.pop("photo"))
        record = Record(**told, photo=photo)
        texts = (record.result, record.source, record.program, photo.digest)
        numbers = (record.size, photo.size, photo.modified)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return None
    is_sound = all(type(text) is str and "\0" not in text for text in texts) and all(type(n) is int for n in numbers)
    return record if is_sound and isinstance(record.settings, dict) and os.sep not in record.result else None


def _digest(path: str | Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
