"""The plan of a run that reads from or writes to stores: jobs, as they become known."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from cartoonize.errors import CartoonizeError
from cartoonize.jobs.manifest import Manifests, Record
from cartoonize.jobs.naming import extension_of
from cartoonize.jobs.planning import STDOUT, Job, PlanError, output_folder, to_file
from cartoonize.jobs.remaking import EXISTS, KEEP, Remake
from cartoonize.jobs.remote_naming import Names, identity
from cartoonize.jobs.remote_sources import Inputs, is_film_suffix
from cartoonize.jobs.sharding import Shard
from cartoonize.jobs.sources import Line
from cartoonize.media.film.containers import CONTAINERS, Container, container_of
from cartoonize.media.formats import EXTENSIONS, PREFERRED_EXTENSION
from cartoonize.media.stores import File, Source, StandardInput, StandardOutput
from cartoonize.remote.listing import Existing, page_after
from cartoonize.remote.objects import Remote
from cartoonize.remote.urls import Url, UrlError, is_url, parse, unsafe_place


@dataclass(frozen=True)
class StreamedPlan:
    """What will be done; what is no work, as of `planning.Plan`, is complete when the jobs have been taken, once."""

    jobs: Iterator[Job]
    earlier: list[str]
    foreign: list[str]
    litter: list[str]


@dataclass(frozen=True)
class _Settings:
    """The options that shape a plan, as `planning.plan` has them; `out` as it was typed."""

    out: str | None
    extension: str | None
    remake: Remake
    shard: Shard


def plan_stream(
    inputs: Iterable[str | Line],
    *,
    out: str | None = None,
    extension: str | None = None,
    remake: Remake = KEEP,
    hidden: bool = False,
    videos: bool = False,
    shard: Shard = Shard(),  # noqa: B008  immutable
) -> StreamedPlan:
    """Plan a run as `planning.plan` does, page by page of what stores list.

    Nothing is asked of a store but what it takes to know that the command makes sense. Raises PlanError.
    """
    settings = _Settings(out, extension, remake, shard)
    place = _parsed(out)
    folder = _folder(place, out)
    found = Inputs(inputs, folder, hidden=hidden, videos=videos)
    if place is not None and folder is None:
        return StreamedPlan(iter(_single(found, place, settings)), [], [], [])
    _check(found, folder, settings)
    names = Names(found, folder, extension)
    return StreamedPlan(_jobs(found, names, folder, settings), names.earlier, found.foreign, found.litter)


def _parsed(out: str | None) -> Url | str | None:
    """Return --out as an address or a path; raises PlanError."""
    if out is None or not is_url(out):
        return out
    try:
        place = parse(out)
    except UrlError as error:
        raise PlanError(f"--out {out}: {error}") from error
    if isinstance(place, Url) and not place.writable:
        raise PlanError(f"--out {out}: nothing can be written there: expected a bucket or a folder")
    return place


def _folder(place: Url | str | None, out: str | None) -> Url | Path | None:
    """Return the folder that --out names, None where it is a file or not given; raises PlanError."""
    if not isinstance(place, Url):
        return output_folder(place)
    if place.key and not place.key.endswith("/") and (place.suffix.lower() in EXTENSIONS or _container(place)):
        return None
    try:
        page_after(place.folder(), "")
    except CartoonizeError as error:
        raise PlanError(f"--out {out}: {error}") from error
    return place.folder()


def _check(found: Inputs, folder: Url | Path | None, settings: _Settings) -> None:
    """Raise PlanError where --out cannot hold what is asked for."""
    out = settings.out
    if folder is None:
        if url := found.read_only:
            raise PlanError(f"{url}: nothing can be written beside it: give --out")
        return
    if isinstance(folder, Path) and os.path.exists(folder) and not folder.is_dir():
        raise PlanError(f"--out {out} is a file: expected a folder, or a file name with a picture's extension")
    if found.stdin:
        raise PlanError(f"--out {out} is a folder: standard input needs a file name")
    name = folder.key.rstrip("/") if isinstance(folder, Url) else str(folder)
    names_folder = str(out).endswith(("/", os.sep)) or os.path.isdir(name) or not os.path.splitext(name)[1]
    if found.count == 1 and not found.folders and not names_folder:
        known = ", ".join(sorted(PREFERRED_EXTENSION.values()))
        raise PlanError(f"--out {out}: expected an extension out of {known} (or a / at the end for a folder)")


def _jobs(found: Inputs, names: Names, folder: Url | Path | None, settings: _Settings) -> Iterator[Job]:
    existing = _ExistingResults(found.roots, folder)
    for named in settings.shard.of(names):
        source = named.spot.source
        if folder is not None and unsafe_place(named.spot.place):
            yield Job(source, None, None, "fail", "its name is none for something below a folder: give --out FILE")
        else:
            yield _job(source, named.target, existing, settings, named.reason)
    if found.stdin:
        yield _to_stdout(StandardInput(), settings.extension)
    yield from (_failure(name, reason) for name, reason in found.failures)


def _job(
    source: Source, target: File | Remote, existing: _ExistingResults, settings: _Settings, renamed: str = ""
) -> Job:
    if isinstance(target, File):
        record = existing.record(target.path)
        return replace(to_file(source, target.path, settings.remake, record), renamed=renamed)
    job = Job(source, target, target.format, "write", renamed=renamed)
    try:
        there = target.url in existing
    except CartoonizeError as error:
        return replace(job, action="fail", reason=f"{target}: {error}")
    return replace(job, action="replace" if settings.remake.overwrite else "skip", reason=EXISTS) if there else job


class _ExistingResults:
    """Answers which results there are, by listing the folders they go to, and of files what made them."""

    def __init__(self, roots: list[Url], folder: Url | Path | None) -> None:
        self._folders = [folder] if isinstance(folder, Url) else roots
        self._known: dict[str, Existing] = {}
        self._manifests = Manifests()

    def record(self, target: Path) -> Record | None:
        """Return what made a file; of an object nobody knows, since a store adds no line to one in one write."""
        return self._manifests.of(target.parent).of(target.name)

    def __contains__(self, url: Url) -> bool:
        name = str(url)
        around = (folder for folder in self._folders if name.startswith(str(folder)))
        folder = next(around, None) or url.at(url.key[: url.key.rfind("/") + 1])
        return url.key in self._known.setdefault(str(folder), Existing(folder))


def _single(found: Inputs, place: Url | str, settings: _Settings) -> list[Job]:
    """Plan the one picture of `--out FILE` or `--out -`; raises PlanError."""
    out, extension = settings.out, settings.extension
    if found.folders or found.count > 1:
        raise PlanError(f"--out {out} holds one picture: give a folder for several")
    target = Remote(place) if isinstance(place, Url) else File(Path(place))
    if place != STDOUT and extension and EXTENSIONS[extension] != target.format:
        raise PlanError(f"--out {out} and --format {extension[1:]} contradict each other: leave one out")
    spot = next(iter(found), None)
    if spot is None and not found.stdin:
        return [_failure(name, reason) for name, reason in found.failures]
    source: Source = spot.source if spot else StandardInput()
    is_film = bool(spot and is_film_suffix(posixpath.splitext(spot.place)[1]))
    if is_film and place == STDOUT:
        raise PlanError(f"a film is not written to standard output: give --out a file's name for {source}")
    if spot and place != STDOUT and is_film != bool(_container(place)):
        known = ", ".join(CONTAINERS if is_film else PREFERRED_EXTENSION.values())
        raise PlanError(f"--out {out}: expected an extension out of {known} for {source}")
    if place == STDOUT:
        return [_to_stdout(source, extension)]
    if identity(target) in found.singles:
        raise PlanError(f"--out {out} is the photo itself: give another name")
    return [_job(source, target, _ExistingResults([], None), settings)]


def _to_stdout(source: Source, extension: str | None) -> Job:
    suffix = extension_of(PurePosixPath(source.url.name), extension) if isinstance(source, Remote) else extension
    return Job(source, StandardOutput(), EXTENSIONS[suffix.lower()] if suffix else None, "write")


def _container(place: Url | str) -> Container | None:
    return container_of(PurePosixPath(place.name) if isinstance(place, Url) else Path(place))


def _failure(name: str, reason: str) -> Job:
    return Job(Remote(Url("", name)), None, None, "fail", reason)
