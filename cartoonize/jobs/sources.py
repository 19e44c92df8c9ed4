"""What is to be read: files, folders, globs and lines of lists -> candidates, each file once."""

from __future__ import annotations

import os
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from cartoonize.media.film.containers import is_film
from cartoonize.media.formats import is_readable

STDIN = "-"

LITTER = frozenset(
    name.casefold()
    for name in (
        *("@eaDir", "@tmp", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot"),  # Synology, QNAP
        *("__MACOSX", "lost+found", "$RECYCLE.BIN", "System Volume Information"),
    )
)
"""Folders that a NAS or a system makes, in lower case: they hold copies, thumbnails and what was thrown away."""


@dataclass(frozen=True)
class Candidate:
    """A file to read: `place` is where its result goes below an output folder, `real` its path free of links.

    root: name of the input folder it was found in; "" of a file that was named, and of a glob, whose tree is in place.
    """

    path: Path
    place: PurePath
    real: str
    root: str = ""


@dataclass(frozen=True)
class Line:
    """A line of a list: a path taken literally; a folder is meant only where it ends with a slash."""

    text: str


@dataclass
class Found:
    """What the inputs stand for: files in the order given, folders read (real paths), inputs that are not there.

    several: more than one folder was given. foreign: files in folders that are no pictures by their names. litter:
    folders of a NAS or the system, not looked into.
    """

    candidates: list[Candidate] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    missing: list[tuple[Path, str]] = field(default_factory=list)
    stdin: bool = False
    several: bool = False
    foreign: list[Path] = field(default_factory=list)
    litter: list[Path] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of single things asked for, there or not."""
        return len(self.candidates) + len(self.missing) + self.stdin


def find(
    inputs: Iterable[str | Path | Line], excluded: str | None, *, hidden: bool = False, videos: bool = False
) -> Found:
    """Find every picture the inputs stand for, and every film that is named, as a file or by a glob such as *.mp4.

    A `str` is as typed: a file, a folder, "-" or a glob (a name that exists is never a glob). A `Path` and a `Line`
    are taken literally. `excluded` is the real path of an output folder; it is not read when it lies inside an input
    folder. hidden: hidden files and folders too, and those of a NAS or the system. videos: the films of folders too.
    """
    finder = _Finder(excluded, hidden, videos)
    candidates: dict[str, Candidate] = {}
    for item in inputs:
        for one in finder.of(item):
            candidates[one.real] = max(candidates.get(one.real, one), one, key=_preference)
    found = finder.found
    found.candidates = list(candidates.values())
    found.several = sum(not any(outer in finder.roots for outer in outside(root)) for root in finder.roots) > 1
    return found


def is_inside(path: str, folder: str) -> bool:
    """Whether the real path lies below the real folder; the folder itself does not."""
    return path != folder and path.startswith(os.path.join(folder, ""))


def outside(path: str) -> Iterator[str]:
    """Yield the folders around a real path, from the inside out."""
    while (outer := os.path.dirname(path)) != path:
        yield outer
        path = outer


def fold(name: str) -> str:
    """Identify a name where capitals do not count or names are decomposed."""
    return unicodedata.normalize("NFC", name).casefold()


def _candidate(path: Path, place: PurePath) -> Candidate:
    return Candidate(path, place, os.path.realpath(path))


def _preference(candidate: Candidate) -> tuple[int, bool, int, str]:
    """Rank the ways to one file alike in any order of inputs: most of the tree kept, no link, short."""
    name = str(candidate.path)
    return len(candidate.place.parts), not os.path.islink(candidate.path), -len(name), name


class _Finder:
    """Looks for pictures and notes in `found` what else it sees; `roots` are the folders given, real paths."""

    def __init__(self, excluded: str | None, hidden: bool, videos: bool) -> None:
        self.found = Found()
        self.roots: set[str] = set()
        self._excluded = excluded
        self._hidden = hidden
        self._videos = videos

    def of(self, item: str | Path | Line) -> Iterator[Candidate]:
        """Yield what one input stands for."""
        if item == STDIN:
            self.found.stdin = True
            return
        path = Path(item.text if isinstance(item, Line) else item)
        if item in ("", Line("")) or not os.path.lexists(path):
            yield from self._glob(path) if isinstance(item, str) and _is_glob(item) else self._missing(path)
        elif not os.path.isdir(path):
            yield _candidate(path, PurePath(path.name))
        elif isinstance(item, Line) and not item.text.endswith(("/", os.sep)):
            yield from self._missing(path, "is a folder: end the line with a / to have all that is in it")
        else:
            self.roots.add(os.path.realpath(path))
            name = path.name if path.name not in ("", "..") else os.path.basename(os.path.realpath(path))
            yield from self._below(path, PurePath(), name)

    def _missing(self, path: Path, reason: str = "no such file or folder") -> Iterator[Candidate]:
        self.found.missing.append((path, reason))
        yield from ()

    def _glob(self, path: Path) -> Iterator[Candidate]:
        """Yield the pictures that match and those in folders that do; hidden ones only if the pattern is."""
        magic = next(i for i, part in enumerate(path.parts) if _is_glob(part))
        root, pattern = Path(*path.parts[:magic]), PurePath(*path.parts[magic:])
        try:
            matches = sorted(match for match in root.glob(str(pattern)) if self._matches(match, root, pattern))
        except ValueError:  # older Pythons refuse a "**" inside a name
            matches = []
        except RecursionError:
            yield from self._missing(path, "its folders are too deep for a glob: give the folder itself")
            return
        if not matches:
            yield from self._missing(path, "no picture matches")
        for match in matches:
            place = PurePath(match.name) if ".." in pattern.parts else match.relative_to(root)
            yield from self._below(match, place, "") if os.path.isdir(match) else [_candidate(match, place)]

    def _matches(self, match: Path, root: Path, pattern: PurePath) -> bool:
        names_hidden = any(part.startswith(".") for part in pattern.parts)
        skipped = self._excluded_below(root)
        return (
            (self._is_ours(match) or os.path.isdir(match) or (is_film(match) and is_film(pattern)))
            and (names_hidden or not any(map(self._is_left_alone, match.relative_to(root).parts)))
            and not (skipped and f"{os.path.realpath(match)}{os.sep}".startswith(f"{skipped}{os.sep}"))
        )

    def _below(self, folder: Path, place: PurePath, root: str) -> Iterator[Candidate]:
        """Yield the pictures below a folder, those of each folder before those of the folders in it."""
        for entry, real in self._files(folder):
            if self._is_picture(entry):
                path = Path(entry.path)
                real = os.path.realpath(path) if entry.is_symlink() else os.path.join(real, entry.name)
                yield Candidate(path, place / path.relative_to(folder), real, root)

    def _files(self, folder: Path) -> Iterator[tuple[os.DirEntry[str], str]]:
        """Yield what is no folder, with the real path of the folder it is in.

        Linked folders come last, so that a file is met at its own place first. No recursion: Python's has an end.
        """
        top = os.path.realpath(folder)
        self.found.folders.add(top)
        skipped = self._excluded_below(folder)
        visited: set[str] = set()
        links = deque([(str(folder), top)])
        while links:
            stack = [links.popleft()]
            while stack:
                here, real = stack.pop()
                if real in visited or real == skipped:
                    continue
                visited.add(real)
                inner = []
                for entry in self._listed(here):
                    if entry.is_dir(follow_symlinks=False):
                        inner.append((entry.path, os.path.join(real, entry.name)))
                    elif entry.is_symlink() and os.path.isdir(entry.path):
                        links.append((entry.path, os.path.realpath(entry.path)))
                    else:
                        yield entry, real
                stack += reversed(inner)

    def _listed(self, folder: str) -> list[os.DirEntry[str]]:
        """Return what is in a folder and not left alone, sorted by name."""
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.found.missing.append((Path(folder), f"the folder cannot be listed: {error.strerror}"))
            return []
        if not self._hidden:
            self.found.litter += (Path(entry.path) for entry in listed if entry.name.casefold() in LITTER)
        return [entry for entry in listed if not self._is_left_alone(entry.name)]

    def _is_picture(self, entry: os.DirEntry[str]) -> bool:
        """Whether a file in a folder is taken: not a pipe or socket, but a broken link is, to be reported."""
        is_file = entry.is_file(follow_symlinks=False) or (entry.is_symlink() and os.path.isfile(entry.path))
        if not self._is_ours(PurePath(entry.name)):
            if is_file:
                self.found.foreign.append(Path(entry.path))
            return False
        return is_file or (entry.is_symlink() and not os.path.exists(entry.path))

    def _is_ours(self, path: PurePath) -> bool:
        return is_readable(path) or (self._videos and is_film(path))

    def _is_left_alone(self, name: str) -> bool:
        if self._hidden:
            return name.startswith(("._", ".cartoonize."))  # macOS's second half of a file, and what is ours
        return name.startswith(".") or name.casefold() in LITTER

    def _excluded_below(self, folder: Path) -> str | None:
        """Return the excluded folder if it lies inside this one: one that is given itself, or is around it, is read."""
        return self._excluded if self._excluded and is_inside(self._excluded, os.path.realpath(folder)) else None


def _is_glob(name: str) -> bool:
    return any(sign in name for sign in "*?[")
