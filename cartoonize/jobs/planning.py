"""Inputs -> list of jobs: what is read, where its result goes, what is skipped and why, before any work starts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

from cartoonize.errors import CartoonizeError
from cartoonize.jobs.manifest import Manifest, Manifests, Record
from cartoonize.jobs.naming import SUFFIX, Namer, extension_of, key
from cartoonize.jobs.remaking import EXISTS, FOREIGN, KEEP, OTHER_SETTINGS, Remake
from cartoonize.jobs.sources import Candidate, Found, Line, find, fold, is_inside, outside
from cartoonize.media.files import write_problem
from cartoonize.media.film.containers import CONTAINERS, container_of, is_film
from cartoonize.media.formats import EXTENSIONS, PREFERRED_EXTENSION, format_of
from cartoonize.media.stores import File, Sink, Source, StandardInput, StandardOutput

INSPECT_SUFFIX, COMPARE_SUFFIX = "_inspect", "_compare"  # of sheets, which are PNGs
STDOUT = "-"

Action: TypeAlias = Literal["write", "replace", "skip", "fail"]

EARLIER_RESULT = re.compile(r"(?P<stem>.+?)(?P<number>-\d+)?" + SUFFIX, re.DOTALL)
SHEET = re.compile(rf"(?P<stem>.+)({INSPECT_SUFFIX}(_[a-z]+)?|{COMPARE_SUFFIX})\.png", re.DOTALL)


class PlanError(CartoonizeError):
    """The inputs and the output do not fit together: a usage error."""


@dataclass(frozen=True)
class Job:
    """One photo or film: where it comes from and goes to.

    target: None of one that fails. format: None is that of the photo, or it is a film. reason: why it is skipped,
    replaced or fails. renamed: why the result is not called as it would be alone. costly: what makes it take very long.
    record: what made the result that is left, where that is known and its photo is still the same.
    """

    source: Source
    target: Sink | None
    format: str | None
    action: Action
    reason: str = ""
    renamed: str = ""
    costly: str = ""
    record: Record | None = field(default=None, compare=False)

    @property
    def film(self) -> Path | None:
        """The file of the film it is about, None where it is about a photo or the film is in a store."""
        return self.source.path if isinstance(self.source, File) and is_film(self.source.path) else None


@dataclass(frozen=True)
class Plan:
    """What will be done; `earlier` are results of earlier runs, which are not taken as photos again.

    foreign: files in folders that are no pictures of ours. litter: folders of a NAS or the system, not looked into.
    """

    jobs: tuple[Job, ...]
    earlier: tuple[Path, ...] = ()
    foreign: tuple[Path, ...] = ()
    litter: tuple[Path, ...] = ()

    @property
    def films(self) -> tuple[Path, ...]:
        """Those of the foreign files that are films."""
        return tuple(path for path in self.foreign if is_film(path))

    @property
    def todo(self) -> tuple[Job, ...]:
        """The jobs that need the generator."""
        return tuple(job for job in self.jobs if job.action in ("write", "replace"))


def plan(
    inputs: Iterable[str | Path | Line],
    *,
    out: str | None = None,
    extension: str | None = None,
    remake: Remake = KEEP,
    hidden: bool = False,
    videos: bool = False,
) -> Plan:
    """Plan a run.

    inputs, hidden, videos: see `sources.find`. out: None (beside each photo), a folder, a file with a known extension,
    or "-". extension: of the results, such as ".png"; None keeps each photo's own. remake: what is done about results
    that exist. The plan depends on the files that exist, on what is told of them, and not on the order of the inputs
    (the order of the jobs does). Raises PlanError.
    """
    folder = output_folder(out)
    found = find(inputs, os.path.realpath(folder) if folder else None, hidden=hidden, videos=videos)
    missing = tuple(Job(File(path), None, None, "fail", reason) for path, reason in found.missing)
    if out is not None:
        _check_output(out, folder, extension, found)
    if out is not None and folder is None:
        return Plan((*missing, *_single(found, out, extension, remake)))
    earlier = _earlier_results(found.candidates, folder)
    found.candidates = [source for source in found.candidates if source not in earlier]
    jobs = _derived(found, folder, extension, remake)
    if found.stdin:
        jobs.append(_to_stdout(StandardInput(), extension))
    return Plan(
        (*missing, *jobs),
        tuple(sorted(source.path for source in earlier)),
        tuple(sorted(found.foreign)),
        tuple(sorted(found.litter)),
    )


def output_folder(out: str | None) -> Path | None:
    """Return the folder that --out names; None where it is a file, standard output or not given."""
    if out is None or out == STDOUT:
        return None
    path = Path(out)
    is_folder = out.endswith(("/", os.sep)) or os.path.isdir(path)
    return path if is_folder or (format_of(path) is None and container_of(path) is None) else None


def _check_output(out: str, folder: Path | None, extension: str | None, found: Found) -> None:
    """Raise PlanError where --out cannot hold what is asked for."""
    if not out:
        raise PlanError("--out is empty: give a file or a folder")
    if folder is None:
        if found.folders or found.count > 1:
            raise PlanError(f"--out {out} holds one picture: give a folder for several")
        if out != STDOUT and extension and EXTENSIONS[extension] != format_of(Path(out)):
            raise PlanError(f"--out {out} and --format {extension[1:]} contradict each other: leave one out")
        return
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise PlanError(f"--out {out} is a file: expected a folder, or a file name with a picture's extension")
    if found.stdin:
        raise PlanError(f"--out {out} is a folder: standard input needs a file name")
    names_folder = os.path.isdir(folder) or out.endswith(("/", os.sep)) or not folder.suffix
    if found.count == 1 and not found.folders and not names_folder:
        is_photo = not (found.candidates and is_film(found.candidates[0].path))
        known = ", ".join(sorted(PREFERRED_EXTENSION.values()) if is_photo else CONTAINERS)
        raise PlanError(f"--out {out}: expected an extension out of {known} (or a / at the end for a folder)")


def _single(found: Found, out: str, extension: str | None, remake: Remake) -> list[Job]:
    """Plan the one picture of `--out FILE` or `--out -`."""
    one = next(iter(found.candidates), None)
    if one is None and not found.stdin:
        return []
    source: Source = File(one.path) if one else StandardInput()
    if out == STDOUT:
        if one and is_film(one.path):
            raise PlanError(f"a film is not written to standard output: give --out a file's name for {one.path}")
        return [_to_stdout(source, extension)]
    target = Path(out)
    if one and is_film(one.path) != bool(container_of(target)):
        known = ", ".join(CONTAINERS if is_film(one.path) else PREFERRED_EXTENSION.values())
        raise PlanError(f"--out {out}: expected an extension out of {known} for {one.path}")
    if one and key(target) == fold(one.real):
        raise PlanError(f"--out {out} is the photo itself: give another name")
    manifest = Manifests().of(target.parent)
    if one and not remake.overwrite and _is_of_another(target, one, manifest):
        return [Job(source, File(target), None, "fail", f"{target} is the result of another photo: use --overwrite")]
    return [to_file(source, target, remake, manifest.of(target.name))]


def _to_stdout(source: Source, extension: str | None) -> Job:
    suffix = extension_of(source.path, extension) if isinstance(source, File) else extension
    return Job(source, StandardOutput(), EXTENSIONS[suffix.lower()] if suffix else None, "write")


def _is_of_another(target: Path, one: Candidate, manifest: Manifest) -> bool:
    record = manifest.of(target.name)
    if not record or fold(manifest.source_of(record)) == fold(one.real):
        return False
    return not record.photo.fits(one.path)


def to_file(
    source: Source, target: Path, remake: Remake, record: Record | None = None, *, replaceable: bool = True
) -> Job:
    """Plan one picture whose result goes to a file.

    record: what made the file that is there. replaceable: whether one of which nothing is known may be replaced.
    """
    job = Job(source, File(target), format_of(target), "write")
    if os.path.isdir(target):  # unlike Path.is_dir, no error when the name is too long
        return replace(job, action="fail", reason="a folder has the name of the result")
    there = os.path.lexists(target)
    state = remake.state(record, source.path) if isinstance(source, File) else EXISTS
    if there and not remake.replaces(state):
        same = record if state in (EXISTS, OTHER_SETTINGS) else None
        return replace(job, action="skip", reason=state, record=same)
    if there and not record and not replaceable:
        return replace(job, action="fail", reason=f"{target} {FOREIGN}")
    if problem := write_problem(target):
        return replace(job, action="fail", reason=problem)
    return replace(job, action="replace", reason=state) if there else job


def _derived(found: Found, folder: Path | None, extension: str | None, remake: Remake) -> list[Job]:
    manifests = Manifests()
    targets = Namer(found, folder, extension, manifests).names()
    out = os.path.realpath(folder) if folder else ""
    among_photos = any(place in found.folders for place in (out, *outside(out)))
    jobs = []
    for one in found.candidates:
        target, renamed = targets[one]
        manifest = manifests.of(target.parent)
        # As named by us, or where there is no manifest: it may be deleted, or older than manifests.
        replaceable = SUFFIX in target.stem or not (manifest or among_photos)
        job = to_file(File(one.path), target, remake, manifest.of(target.name), replaceable=replaceable)
        jobs.append(replace(job, renamed=renamed))
    return jobs


def _earlier_results(sources: list[Candidate], folder: Path | None) -> set[Candidate]:
    """Return the sources that are our own results or sheets: named so, and the photo is among the sources.

    The photo lies beside, or the result lies below the output folder and the photo anywhere.
    """
    below = os.path.realpath(folder) if folder else None
    beside = {(os.path.dirname(s.real), fold(name)) for s in sources for name in _names_of_results(s.path)}
    anywhere = {name for _, name in beside}

    def is_result(source: Candidate) -> bool:
        if sheet := SHEET.fullmatch(source.path.name):
            return (os.path.dirname(source.real), fold(sheet["stem"])) in beside
        match = EARLIER_RESULT.fullmatch(source.path.stem)
        if not match:
            return False
        names = {fold(match["stem"]), fold(match["stem"] + (match["number"] or ""))}
        if below and is_inside(source.real, below) and names & anywhere:
            return True
        return any((os.path.dirname(source.real), name) in beside for name in names)

    return {source for source in sources if is_result(source)}


def _names_of_results(photo: PurePath) -> tuple[str, str]:
    return photo.stem, f"{photo.stem}_{photo.suffix[1:]}"
