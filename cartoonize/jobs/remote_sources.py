"""What is to be read where some of it is in stores: inputs -> pictures in order of their places, as they are listed."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from heapq import merge
from pathlib import Path, PurePath, PurePosixPath

from cartoonize.errors import CartoonizeError
from cartoonize.jobs.sources import LITTER, STDIN, Line, find, fold
from cartoonize.media.film.containers import is_film
from cartoonize.media.formats import is_readable
from cartoonize.media.stores import File
from cartoonize.remote.listing import Existing, keys_below, page_after
from cartoonize.remote.objects import Remote
from cartoonize.remote.urls import WEB, Url, is_url, parse

_NO_MATCH, _NO_FOLDER = "no picture matches", "no such folder, or an empty one"


@dataclass(frozen=True, slots=True)
class Spot:
    """A picture, and the place of its result below an output folder: a path with "/" between its parts."""

    place: str
    source: File | Remote


class Inputs:
    """What the inputs of a run stand for; iterating yields the pictures in order of their places, each once.

    A `str` is as typed: an address, a path, a glob of either, or "-". A `Line` is taken literally. `excluded` is the
    output folder; it is not read when it lies inside an input folder. hidden, videos: as of `sources.find`. Stores are
    asked page by page while the pictures are taken.

    folders: identities of what is read with all below it, with the separator at the end. roots: those in stores.
    singles: identities of what is read alone. failures: inputs that cannot be read, with reasons, and foreign: what is
    no picture by its name; both are complete when all pictures have been taken.
    """

    def __init__(
        self, inputs: Iterable[str | Line], excluded: Url | Path | None, *, hidden: bool = False, videos: bool = False
    ) -> None:
        self.stdin = False
        self.failures: list[tuple[str, str]] = []
        self._excluded = excluded
        self._hidden = hidden
        self._videos = videos
        self._folders: dict[str, Url] = {}
        self._patterns: dict[str, Url] = {}
        self._singles: dict[str, Url] = {}
        local = [path for item in inputs if (path := self._sort_in(item)) is not None]
        for name in [name for name in self._folders if self._is_below_another(name)]:
            del self._folders[name]
        for name in [name for name in self._singles if self._is_below_another(name)]:
            del self._singles[name]
        excluded_path = os.path.realpath(excluded) if isinstance(excluded, Path) else None
        self._local = find(local, excluded_path, hidden=hidden, videos=videos)
        self.failures += [(str(path), reason) for path, reason in self._local.missing]
        self.foreign = [str(path) for path in self._local.foreign]
        self.litter = [str(path) for path in self._local.litter]
        self.roots = [*self._folders.values(), *map(_root, self._patterns.values())]
        self.folders = [*map(str, self.roots), *(identity_of_folder(Path(real)) for real in self._local.folders)]
        self.singles = {*self._singles, *(fold(candidate.real) for candidate in self._local.candidates)}
        local_folders = {candidate.root for candidate in self._local.candidates} - {""}
        self._several = self._local.several or len(self._folders) + bool(local_folders) > 1

    @property
    def count(self) -> int:
        """Number of single things asked for, there or not."""
        return len(self._singles) + len(self._local.candidates) + len(self.failures) + self.stdin

    @property
    def read_only(self) -> Url | None:
        """The first address of which nothing can be written beside."""
        return next((url for url in (*self.roots, *self._singles.values()) if not url.writable), None)

    def __iter__(self) -> Iterator[Spot]:
        """Yield the pictures; what cannot be listed is noted among the failures."""
        streams = [self._in_folder(url) for url in self._folders.values()]
        streams += [self._matching(url) for url in self._patterns.values()]
        streams += [iter(sorted((Spot(url.name, Remote(url)) for url in self._singles.values()), key=_order))]
        on_disk = (Spot(self._below_root(one.root, one.place), File(one.path)) for one in self._local.candidates)
        streams += [iter(sorted(on_disk, key=_order))]
        merged = merge(*streams, key=_order)
        return _once(merged) if len(self.roots) > 1 or (self.roots and self._singles) else merged

    def _below_root(self, root: str, place: PurePath) -> str:
        return (PurePath(root, place) if self._several else place).as_posix()

    def _sort_in(self, item: str | Line) -> str | Line | None:
        """Put an address with those of its kind; return what is a path."""
        if item == STDIN:
            self.stdin = True
            return None
        text = item.text if isinstance(item, Line) else item
        if not is_url(text) or os.path.lexists(text):
            return item
        try:
            url = parse(text)
            if not isinstance(url, Url):
                return Line(url) if isinstance(item, Line) else url
            kind = self._singles if url.scheme in WEB else self._kind(url, typed=isinstance(item, str))
        except CartoonizeError as error:
            self.failures.append((text, str(error)))
            return None
        url = url.folder() if kind is self._folders else url
        kind[str(url)] = url
        return None

    def _kind(self, url: Url, *, typed: bool) -> dict[str, Url]:
        """Tell what an address in a store is; one that was typed and is in doubt is looked for."""
        if typed and url.is_pattern and url.key not in Existing(url.at(url.key.rpartition("/")[0]).folder()):
            return self._patterns
        is_folder = not url.key or url.key.endswith("/")
        if typed and not is_folder and not _is_readable(url.suffix) and not is_film_suffix(url.suffix):
            is_folder = bool(page_after(url.folder(), "").keys)
        return self._folders if is_folder else self._singles

    def _is_below_another(self, name: str) -> bool:
        """Whether reading one of the folders reads this as well."""
        return any(
            name != folder and name.startswith(folder) and not self._is_left_alone(name[len(folder) :])
            for folder in self._folders
        )

    def _in_folder(self, folder: Url) -> Iterator[Spot]:
        start = f"{_name_of_folder(folder)}/" if self._several else ""
        return self._below(
            folder, lambda place: not self._is_left_alone(place), folder, _NO_FOLDER, start, films=self._videos
        )

    def _matching(self, pattern: Url) -> Iterator[Spot]:
        """Yield what matches, and what lies below folders that match."""
        from fsspec.utils import glob_translate

        root = _root(pattern)
        text = pattern.key[len(root.key) :].rstrip("/")
        try:
            matches = re.compile(glob_translate(text)).match
        except ValueError:  # a "**" inside a name
            self.failures.append((str(pattern), _NO_MATCH))
            return iter(())
        names_hidden = "/." in f"/{text}"

        def wanted(place: str) -> bool:
            return (names_hidden or not self._is_left_alone(place)) and any(map(matches, _with_parents(place)))

        films = self._videos or is_film_suffix(posixpath.splitext(text)[1])
        return self._below(root, wanted, pattern, _NO_MATCH, films=films)

    def _below(
        self,
        root: Url,
        wanted: Callable[[str], bool],
        asked: Url,
        nothing: str,
        start: str = "",
        *,
        films: bool = False,
    ) -> Iterator[Spot]:
        found = False
        skipped = self._excluded_below(root)
        try:
            for key in keys_below(root):
                place = key[len(root.key) :]
                found |= nothing is _NO_FOLDER
                if (skipped and key.startswith(skipped)) or not wanted(place):
                    continue
                suffix = posixpath.splitext(place)[1]
                if _is_readable(suffix) or (films and is_film_suffix(suffix)):
                    found = True
                    yield Spot(f"{start}{place}", Remote(root.at(key)))
                elif nothing is _NO_FOLDER:
                    self.foreign.append(str(root.at(key)))
        except CartoonizeError as error:
            self.failures.append((str(asked), str(error)))
        else:
            if not found:
                self.failures.append((str(asked), nothing))

    def _excluded_below(self, root: Url) -> str | None:
        out = self._excluded
        if not isinstance(out, Url) or (out.root, out.tail) != (root.root, root.tail):
            return None
        return out.key if out.key != root.key and out.key.startswith(root.key) else None

    def _is_left_alone(self, place: str) -> bool:
        """Whether a file or one of its folders is hidden, or of a NAS or the system."""
        parts = place.split("/")
        if self._hidden:
            return parts[-1].startswith("._")
        is_hidden = "/." in f"/{place}" and any(part[:1] == "." and part not in (".", "..") for part in parts)
        return is_hidden or any(part.casefold() in LITTER for part in parts)


def identity_of_folder(folder: Url | Path) -> str:
    """Return what the identity of everything below a folder begins with."""
    return str(folder) if isinstance(folder, Url) else os.path.join(fold(os.path.realpath(folder)), "")


def name_of(source: File | Remote) -> str:
    """Return the path or the address of a picture, which is one of its own: what is shown of it may not be."""
    return str(source.url if isinstance(source, Remote) else source)


def _order(spot: Spot) -> tuple[str, str]:
    return spot.place, name_of(spot.source)


@cache
def _is_readable(suffix: str) -> bool:
    return is_readable(PurePosixPath(f"x{suffix}"))


@cache
def is_film_suffix(suffix: str) -> bool:
    """Whether a name that ends so is that of a film."""
    return is_film(PurePosixPath(f"x{suffix}"))


def _once(spots: Iterable[Spot]) -> Iterator[Spot]:
    seen = set()
    for spot in spots:
        if (name := name_of(spot.source)) not in seen:
            seen.add(name)
            yield spot


def _root(pattern: Url) -> Url:
    """Return the folder below which a pattern's signs begin."""
    start = re.split(r"[*?\[]", pattern.key, maxsplit=1)[0]
    return pattern.at(start[: start.rfind("/") + 1])


def _with_parents(place: str) -> Iterator[str]:
    yield place
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place


def _name_of_folder(folder: Url) -> str:
    """Return what a folder is called below an output folder that holds several: a bucket by its own name."""
    return folder.key.rstrip("/").rpartition("/")[2] or folder.root.rstrip("/").rpartition("/")[2]
