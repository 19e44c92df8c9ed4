"""Films at addresses: brought to this machine while they are worked on, their results put where they belong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import platformdirs

from cartoonize.jobs.filming import ConvertedFilm, FilmJob, convert_film
from cartoonize.media.files import remove_leftovers
from cartoonize.media.film.containers import is_film
from cartoonize.media.stores import File
from cartoonize.remote.objects import Remote
from cartoonize.remote.transfer import fetch, send

if TYPE_CHECKING:
    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.films.filming import Progress
    from cartoonize.films.options import FilmOptions
    from cartoonize.jobs.manifest import Settings
    from cartoonize.jobs.planning import Job


@dataclass(frozen=True)
class Stage:
    """A film and its result on this machine: where they are, or in `folder`, of the user's cache."""

    job: Job
    folder: Path
    source: Path
    target: Path

    def send(self) -> None:
        """Put the result where it belongs; raises EncodeError, AlreadyThereError."""
        if isinstance(self.job.target, Remote):
            send(self.target, self.job.target.url, overwrite=self.job.action == "replace")

    def clear(self) -> None:
        """Remove what is in the cache."""
        shutil.rmtree(self.folder, ignore_errors=True)


def is_film_job(job: Job) -> bool:
    """Whether a job is about a film, wherever that is."""
    return job.film is not None or (isinstance(job.source, Remote) and is_film(PurePath(job.source.url.name)))


@contextmanager
def staged(job: Job) -> Iterator[Stage]:
    """Bring a film here; its segments stay when the block is left, so that the next run goes on, its copy does not.

    Raises DecodeError, EncodeError.
    """
    name = sha256(f"{job.source}\n{job.target}".encode("utf-8", "surrogateescape")).hexdigest()[:12]
    films = platformdirs.user_cache_path("cartoonize", appauthor=False) / "films"
    folder = films / name
    copy = folder / "source"
    for left in films.glob("*/source"):  # of runs that were killed while they brought another film
        with suppress(OSError):
            remove_leftovers(left)
    try:
        if isinstance(job.source, Remote):
            source = copy / f"film{job.source.url.suffix}"
            fetch(job.source.url, source)
        else:
            source = _path(job.source)
        target = folder / f"result{job.target.url.suffix}" if isinstance(job.target, Remote) else _path(job.target)
        yield Stage(job, folder, source, target)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def convert_staged(
    job: Job,
    options: FilmOptions,
    settings: Settings,
    cartoonizer: Cartoonizer,
    tell: Callable[[Progress], None],
    left: ExitStack,
    *,
    thumbnails: bool,
) -> ConvertedFilm:
    """Convert a film from wherever it is to wherever it goes; raises CartoonizeError, AlreadyThereError.

    left: closed by the caller, which may be gone from here by then; it removes the copy of the film.
    """
    stage = left.enter_context(staged(job))
    converted = convert_film(
        film_job(stage, options, settings), cartoonizer, tell, thumbnails=thumbnails, send=stage.send
    )
    stage.clear()
    return converted


def film_job(stage: Stage, options: FilmOptions, settings: Settings) -> FilmJob:
    """Look over a film that is here; raises DecodeError, EncodeError.

    settings: what the manifest beside the result is told, where film and result are files.
    """
    from cartoonize.films.commission import commission

    here = stage.job
    if isinstance(here.target, Remote):
        stage.target.unlink(missing_ok=True)  # complete, of a run that was stopped before it could be put there
    here = replace(here, source=File(stage.source), target=File(stage.target))
    noted = isinstance(stage.job.source, File) and isinstance(stage.job.target, File)
    return FilmJob(here, commission(stage.source, stage.target, options), settings if noted else None)


def _path(end: object) -> Path:
    assert isinstance(end, File)  # noqa: S101  films are no streams
    return end.path
