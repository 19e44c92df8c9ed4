"""A result to its place, and what made it to the manifest of its folder."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cartoonize.jobs.manifest import Manifest, note, renew
from cartoonize.media.files import make_folder, remove_leftovers
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from cartoonize.jobs.converting import Converted
    from cartoonize.jobs.planning import Job


def commit(job: Job, converted: Converted, *, preserve_times: bool = False) -> None:
    """Write a result where its job says, and in its folder what made it.

    Raises EncodeError, AlreadyThereError where another run was first.
    `preserve_times` gives the result the date of its photo, where both are files.
    """
    if isinstance(job.target, File):
        _note(job, job.target.path, converted)
    if job.target:
        job.target.write(converted.data, overwrite=job.action == "replace")
    if preserve_times and isinstance(job.source, File) and isinstance(job.target, File):
        with suppress(OSError):  # the photo is gone by now, or the disk keeps no dates: the result is there
            dates = os.stat(job.source.path)
            os.utime(job.target.path, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def keep_known(job: Job) -> None:
    """Tell the manifest of a photo that was recognised by its content, so that the next run need not read it."""
    if job.record and isinstance(job.source, File) and isinstance(job.target, File):
        renew(job.target.path, job.source.path, job.record)


def _note(job: Job, target: Path, converted: Converted) -> None:
    """Tell the manifest, before the result has its name; where that fails the result is made all the same."""
    with suppress(OSError):  # what is wrong with the folder `write` says, or nothing will be known of this result
        _prepare(os.path.abspath(target.parent))
        if converted.origin and isinstance(job.source, File):
            note(target, len(converted.data), job.source.path, converted.origin)


@lru_cache(maxsize=4096)
def _prepare(name: str) -> None:
    """Make a folder for results and clear it up, once a run."""
    folder = Path(name)
    make_folder(folder)
    remove_leftovers(folder)
    Manifest(folder).tidy()
