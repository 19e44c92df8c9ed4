"""What results are called while their photos are still being listed; the names are those that `naming` gives."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from cartoonize.jobs.naming import SUFFIX, extension_of, key
from cartoonize.jobs.planning import EARLIER_RESULT, SHEET
from cartoonize.jobs.remote_sources import Inputs, Spot, identity_of_folder, name_of
from cartoonize.media.stores import File
from cartoonize.remote.objects import Remote
from cartoonize.remote.urls import Url

_NUMBER = re.compile(r"-\d+$")
_MARKS = (SUFFIX, "_inspect", "_compare")


@dataclass(frozen=True, slots=True)
class Named:
    """A picture and its target; `reason` where that is not the name it would get alone."""

    spot: Spot
    target: File | Remote
    reason: str = ""


class Names:
    """Gives every picture of a sorted stream a target of its own, most of them at once; iterated over once.

    Pictures with one stem follow each other in the stream, so a group is known to be complete as soon as another name
    comes. Names that several want, and what looks like the result of an earlier run, wait until all are known. Two
    texts for each picture stay in memory. earlier: results of earlier runs, known at the end.

    The names are those of `naming`, but where two photos that keep their extension want one name, as those of two
    inputs may: then a third that is told before them may have the name that the second would get.
    """

    def __init__(self, inputs: Inputs, out: Url | Path | None, extension: str | None) -> None:
        self.earlier: list[str] = []
        self._inputs = inputs
        self._out = out
        self._extension = extension
        self._below = below = identity_of_folder(out) if out else ""
        self._around = [folder for folder in inputs.folders if below == folder or not below.startswith(folder)]
        self._taken: set[str] = set()
        self._places: set[str] = set()
        self._suffixes: set[str] = set()
        self._waiting: dict[Spot, bool] = {}
        self._renamed_stems: set[str] = set()

    def __iter__(self) -> Iterator[Named]:
        """Yield every picture that is no result of an earlier run, with its target."""
        doubtful: list[Spot] = []
        for group in groups(self._inputs):
            self._places.update(spot.place for spot in group)
            self._suffixes.update(map(_suffix, group))
            if any(map(_is_doubtful, group)):
                doubtful += group
            else:
                yield from self._settled(group)
        rest = defaultdict(list)
        earlier = self._earlier(doubtful)
        self.earlier += [str(spot.source) for spot in earlier]
        for spot in doubtful:
            if spot not in earlier:
                rest[stem_of(spot)].append(spot)
        for group in rest.values():
            yield from self._settled(group)
        yield from self._in_turn()

    def _settled(self, group: list[Spot]) -> Iterator[Named]:
        """Yield those of a group that get the name they want; photos that keep their extension come first."""
        wishes = {spot: self._target(spot, stem_of(spot)) for spot in sorted(group, key=self._rank)}
        asked = Counter(map(str, wishes.values())) if len(group) > 1 else {}
        for spot, wish in wishes.items():
            several = len(group) > 1 and self._changes(spot) and asked[str(wish)] > 1
            if several or (name := identity(wish)) in self._taken or self._may_be_taken(spot):
                self._waiting[spot] = several
                self._renamed_stems.add(stem_of(spot))
            else:
                self._taken.add(name)
                yield Named(spot, wish)

    def _may_be_taken(self, spot: Spot) -> bool:
        """Whether one that waits, whose turn is first, may be called what this picture wants: photo.png photo_png."""
        base = _NUMBER.sub("", stem_of(spot)).rpartition("_")[0]
        return base in self._renamed_stems and self._changes(spot)

    def _in_turn(self) -> Iterator[Named]:
        """Yield those that had to wait: by the name they want, where it is still free, or by another."""
        numbers: dict[str, int] = {}
        for spot, several in sorted(self._waiting.items(), key=lambda item: self._rank(item[0])):
            wish = self._target(spot, stem_of(spot))
            if several or identity(wish) in self._taken:
                yield Named(
                    spot, self._free(spot, numbers), f"{posixpath.basename(str(wish))} is taken, or wanted by several"
                )
            else:
                self._taken.add(identity(wish))
                yield Named(spot, wish)

    def _free(self, spot: Spot, numbers: dict[str, int]) -> File | Remote:
        """Return the first free target of stem, stem-2, stem-3...; goes on where the last search for it ended."""
        stem = f"{stem_of(spot)}_{_suffix(spot)[1:]}" if self._changes(spot) else stem_of(spot)
        number = numbers.get(stem, 1)
        while (name := identity(target := self._target(spot, _numbered(stem, number)))) in self._taken:
            number += 1
        numbers[stem] = number
        self._taken.add(name)
        return target

    def _target(self, spot: Spot, stem: str) -> File | Remote:
        """Return where the result goes: with the mark of results where the next run would take it for a photo."""
        suffix = _extension_of(_suffix(spot), self._extension)
        if self._out is None:
            return _at(spot, None, f"{stem}{SUFFIX}{suffix}")
        plain = _at(spot, self._out, f"{stem}{suffix}")
        name = identity(plain)
        if name in self._inputs.singles or any(map(name.startswith, self._around)):
            return _at(spot, self._out, f"{stem}{SUFFIX}{suffix}")
        return plain

    def _changes(self, spot: Spot) -> bool:
        own = _suffix(spot)
        return own.lower() != _extension_of(own, self._extension).lower()

    def _rank(self, spot: Spot) -> tuple[bool, str, str]:
        return self._changes(spot), spot.place, name_of(spot.source)

    def _earlier(self, doubtful: list[Spot]) -> set[Spot]:
        """Return which are results of ours or sheets: named so, and the photo lies beside them.

        Or the result lies below the output folder and the photo anywhere.
        """
        below = {
            spot
            for spot in doubtful
            if self._below and identity(spot.source).startswith(self._below) and not SHEET.fullmatch(spot.place)
        }
        wanted = {posixpath.basename(name) for spot in below for name in _photos_of(spot)}
        anywhere = (
            {name for place in self._places for name in _names_of_results(place) if name in wanted} if wanted else set()
        )
        earlier = {spot for spot in doubtful if any(map(self._is_photo, _photos_of(spot)))}
        return earlier | {spot for spot in below if not anywhere.isdisjoint(map(posixpath.basename, _photos_of(spot)))}

    def _is_photo(self, stem: str) -> bool:
        """Whether a photo has this stem, or is called so in the manner of contested results: photo_png."""
        base, _, extension = stem.rpartition("_")
        return f"{base}.{extension}" in self._places or any(f"{stem}{end}" in self._places for end in self._suffixes)


def groups(spots: Iterable[Spot]) -> Iterator[list[Spot]]:
    """Yield the pictures of a stream in order of places, those with one stem together.

    All places that begin with "stem." follow each other, with those of other groups between; the stack holds the
    groups that may still grow.
    """
    open_groups: list[tuple[str, list[Spot]]] = []
    for spot in spots:
        start = f"{stem_of(spot)}."
        if not _suffix(spot):
            yield [spot]
            continue
        while open_groups and not spot.place.startswith(open_groups[-1][0]):
            yield open_groups.pop()[1]
        if open_groups and open_groups[-1][0] == start:
            open_groups[-1][1].append(spot)
        else:
            open_groups.append((start, [spot]))
    while open_groups:
        yield open_groups.pop()[1]


def identity(target: File | Remote) -> str:
    """Identify a target: two with one identity would be one file, or one object."""
    return key(target.path) if isinstance(target, File) else str(target.url)


def stem_of(spot: Spot) -> str:
    """Return a picture's place without the extension."""
    return posixpath.splitext(spot.place)[0]


def _suffix(spot: Spot) -> str:
    return posixpath.splitext(spot.place)[1]


@cache
def _extension_of(suffix: str, extension: str | None) -> str:
    """Return the extension of the result of a photo whose name ends so."""
    return extension_of(PurePosixPath(f"x{suffix}"), extension)


def _numbered(stem: str, number: int) -> str:
    return f"{stem}-{number}" if number > 1 else stem


def _is_doubtful(spot: Spot) -> bool:
    """Whether it may be a result of ours, or be met out of order since it has no extension."""
    return not _suffix(spot) or any(mark in spot.place for mark in _MARKS)


def _photos_of(spot: Spot) -> set[str]:
    """Return the stems a photo may have of which this would be a result or a sheet, by its name."""
    folder, name = posixpath.split(spot.place)
    if sheet := SHEET.fullmatch(name):
        stems = {sheet["stem"]}
    elif match := EARLIER_RESULT.fullmatch(posixpath.splitext(name)[0]):
        stems = {match["stem"], match["stem"] + (match["number"] or "")}
    else:
        stems = set()
    return {posixpath.join(folder, stem) for stem in stems}


def _names_of_results(place: str) -> tuple[str, str]:
    stem, suffix = posixpath.splitext(posixpath.basename(place))
    return stem, f"{stem}_{suffix[1:]}"


def _at(spot: Spot, out: Url | Path | None, place: str) -> File | Remote:
    """Return the target at a place below the output folder, or beside the picture."""
    if isinstance(out, Url):
        return Remote(out.at(f"{out.key}{place}"))
    if out is not None:
        return File(out / place)
    name = posixpath.basename(place)
    if isinstance(spot.source, Remote):
        url = spot.source.url
        return Remote(url.at(f"{url.key[: url.key.rfind('/') + 1]}{name}"))
    return File(spot.source.path.parent / name)
