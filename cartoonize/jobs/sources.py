"""What is to be read: files, folders and globs -> candidates, each file once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from cartoonize.media.formats import is_readable

STDIN = "-"


@dataclass(frozen=True)
class Candidate:
    """A file to read: `place` is where its result goes below an output folder, `real` its path free of links."""

    path: Path
    place: PurePath
    real: str


@dataclass
class Found:
    """What the inputs stand for: files in the order given, folders read (real paths), inputs that are not there."""

    candidates: list[Candidate] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    missing: list[tuple[Path, str]] = field(default_factory=list)
    stdin: bool = False

    @property
    def count(self) -> int:
        """Number of single things asked for, there or not."""
        return len(self.candidates) + len(self.missing) + self.stdin


def find(inputs: Iterable[str | Path], excluded: str | None) -> Found:
    """Find every picture the inputs stand for.

    A `str` is as typed: a file, a folder, "-" or a glob (a name that exists is never a glob). A `Path` is taken
    literally. `excluded` is the real path of an output folder; it is not read when it lies inside an input folder.
    """
    found = Found()
    candidates: dict[str, Candidate] = {}
    for item in inputs:
        if item == STDIN:
            found.stdin = True
            continue
        for path, place in _expand(item, excluded, found.missing):
            for one in _below(path, place, excluded, found) if os.path.isdir(path) else [_candidate(path, place)]:
                candidates[one.real] = max(candidates.get(one.real, one), one, key=_preference)
    found.candidates = list(candidates.values())
    return found


def is_inside(path: str, folder: str) -> bool:
    """Whether the real path lies below the real folder; the folder itself does not."""
    return path != folder and path.startswith(os.path.join(folder, ""))


def _candidate(path: Path, place: PurePath) -> Candidate:
    return Candidate(path, place, os.path.realpath(path))


def _preference(candidate: Candidate) -> tuple[int, bool, int, str]:
    """Rank the ways to one file alike in any order of inputs: most of the tree kept, no link, short."""
    name = str(candidate.path)
    return len(candidate.place.parts), not os.path.islink(candidate.path), -len(name), name


def _expand(item: str | Path, excluded: str | None, missing: list[tuple[Path, str]]) -> list[tuple[Path, PurePath]]:
    """Return the item itself where it exists, else what it matches as a glob; else note it as missing.

    With each path comes its place below an output folder: the tree from the glob's first sign on is kept.
    """
    path = Path(item)
    if item != "" and os.path.lexists(path):
        return [(path, PurePath() if os.path.isdir(path) else PurePath(path.name))]
    is_glob = isinstance(item, str) and any(sign in item for sign in "*?[")
    matches = _glob(path, excluded) if is_glob else []
    if not matches:
        missing.append((path, "no picture matches" if is_glob else "no such file or folder"))
    return matches


def _glob(path: Path, excluded: str | None) -> list[tuple[Path, PurePath]]:
    """Return the pictures and folders that match, sorted, with their places; hidden ones only if the pattern does."""
    magic = next(i for i, part in enumerate(path.parts) if any(sign in part for sign in "*?["))
    root, pattern = Path(*path.parts[:magic]), PurePath(*path.parts[magic:])
    skipped = _excluded_below(root, excluded)
    names_hidden = any(part.startswith(".") for part in pattern.parts)
    try:
        matches = sorted(root.glob(str(pattern)))
    except ValueError:  # older Pythons refuse a "**" inside a name
        return []
    return [
        (match, PurePath(match.name) if ".." in pattern.parts else match.relative_to(root))
        for match in matches
        if (os.path.isdir(match) or is_readable(match))
        and (names_hidden or not any(map(_is_hidden, match.relative_to(root).parts)))
        and not (skipped and f"{os.path.realpath(match)}{os.sep}".startswith(f"{skipped}{os.sep}"))
    ]


def _below(folder: Path, place: PurePath, excluded: str | None, found: Found) -> Iterator[Candidate]:
    real = os.path.realpath(folder)
    found.folders.append(real)
    skipped = _excluded_below(folder, excluded)

    def unreadable(error: OSError) -> None:
        found.missing.append((Path(error.filename), f"the folder cannot be listed: {error.strerror}"))

    for path in _walk(folder, skipped, unreadable):
        yield _candidate(path, place / path.relative_to(folder))


def _excluded_below(folder: Path, excluded: str | None) -> str | None:
    """Return the excluded folder if it lies inside this one: one that is given itself, or is around it, is read."""
    return excluded if excluded and is_inside(excluded, os.path.realpath(folder)) else None


def _walk(root: Path, skipped: str | None, unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield the pictures below a folder. Linked folders come last, so that a file is met at its own place first."""
    visited: set[str] = set()
    queue = deque([str(root)])
    while queue:
        for here, folders, files in os.walk(queue.popleft(), onerror=unreadable):
            real = os.path.realpath(here)
            if real in visited or real == skipped:
                folders.clear()
                continue
            visited.add(real)
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            queue.extend(link for name in folders if os.path.islink(link := os.path.join(here, name)))
            yield from (path for name in sorted(files) if _is_picture(path := Path(here, name)))


def _is_picture(path: Path) -> bool:
    """Whether a file in a folder is taken: not a pipe or socket, but a broken link is, to be reported."""
    return not _is_hidden(path.name) and is_readable(path) and (os.path.isfile(path) or not os.path.exists(path))


def _is_hidden(name: str) -> bool:
    return name.startswith(".")
