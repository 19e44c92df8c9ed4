"""Films as jobs: looked over before any work, a trial for how long they take, and converting one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePath
from time import perf_counter
from typing import TYPE_CHECKING

from cartoonize.errors import AlreadyThereError, DecodeError
from cartoonize.jobs.converting import Converted
from cartoonize.jobs.manifest import Fingerprint, Origin, Settings, note

if TYPE_CHECKING:
    from collections.abc import Callable

    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.films.commission import Commission
    from cartoonize.films.filming import Filmed, Progress
    from cartoonize.films.options import FilmOptions
    from cartoonize.jobs.planning import Job

_TRIAL = 4  # frames that are drawn one after the other's start, for an estimate


@dataclass(frozen=True)
class ConvertedFilm(Converted):
    """A film that was written: its frames and the share of them that had to be computed, the seconds it runs."""

    frames: int = 0
    computed: float = 0.0
    duration: float = 0.0

    @property
    def figures(self) -> dict[str, float]:
        """Frames, how many of them were computed, and seconds."""
        return {"frames": self.frames, "computed": round(self.computed, 1), "duration": round(self.duration, 3)}


@dataclass(frozen=True)
class FilmJob:
    """A job about a film that can be converted as asked; settings: what the manifest is told, None for nothing."""

    job: Job
    commission: Commission
    settings: Settings | None = None

    def announcing(self) -> Callable[[int], None]:
        """Return what tells the manifest of the result, of so many bytes; takes the film's fingerprint now."""
        order, settings = self.commission, self.settings
        if settings is None:
            return lambda _: None
        origin = Origin(Fingerprint.of(order.film.path), settings)

        def announce(size: int) -> None:
            with suppress(OSError):  # then nothing will be known of this result
                note(order.target, size, order.film.path, origin)

        return announce


def look_over(job: Job, options: FilmOptions, settings: Settings | None = None) -> FilmJob | Job:
    """Return the job with what is known of its film, or as one that fails where it is none.

    settings: as of `FilmJob`. A result that goes to a store is looked over as if it went to a file of its name. Raises
    EncodeError where the result cannot be as asked.
    """
    from cartoonize.films.commission import commission
    from cartoonize.media.stores import File

    assert job.film  # noqa: S101  only jobs about films come here
    target = job.target.path if isinstance(job.target, File) else Path(PurePath(str(job.target)).name)
    try:
        return FilmJob(job, commission(job.film, target, options), settings)
    except DecodeError as error:
        return replace(job, action="fail", target=None, reason=" ".join(str(error).split()))


def clear_leftovers(job: Job) -> None:
    """Remove what a killed run has left of a film that is done."""
    from cartoonize.media.film.segments import clear_published
    from cartoonize.media.stores import File

    if isinstance(job.target, File):
        clear_published(job.target.path)


def convert_film(
    film: FilmJob,
    cartoonizer: Cartoonizer,
    tell: Callable[[Progress], None],
    *,
    thumbnails: bool = False,
    send: Callable[[], None] = lambda: None,
) -> ConvertedFilm:
    """Convert a film; raises CartoonizeError, AlreadyThereError where another run was first.

    thumbnails: whether a page will show it. send: takes the result elsewhere.
    """
    from cartoonize.films.filming import Filming

    overwrite = film.job.action == "replace"
    if not overwrite and film.job.target and film.job.target.exists():
        raise AlreadyThereError
    filmed = Filming(film.commission, cartoonizer, film.announcing()).run(tell, overwrite=overwrite, send=send)
    return as_converted(film, filmed, thumbnails=thumbnails)


def as_converted(film: FilmJob, filmed: Filmed, *, thumbnails: bool = False) -> ConvertedFilm:
    """Return what is told of a film that was converted; raises DecodeError where the page cannot show it."""
    from cartoonize.media.thumbnails import of_films

    notes = filmed.notes
    if filmed.computed < 0.95 * filmed.frames:
        notes += (
            f"of {filmed.frames} frames {filmed.computed:.0f} had to be computed, the rest is like the one before",
        )
    ordered = film.commission
    return ConvertedFilm(
        notes=notes,
        thumbnails=of_films(ordered.film.path, ordered.target) if thumbnails else None,
        begins=float(ordered.stretch.start or 0),
        frames=filmed.frames,
        computed=filmed.computed,
        duration=filmed.duration,
    )


def estimated_seconds(film: FilmJob, cartoonizer: Cartoonizer) -> float:
    """Return about how long a film will take at most, by drawing its first frames; raises CartoonizeError.

    As if every frame had to be computed: how many of them are equal nobody knows before.
    """
    from cartoonize.films.commission import first_tick
    from cartoonize.films.drawing import draw
    from cartoonize.films.segmenting import pictures

    warm = cartoonizer.workers  # frames during which the engine plans
    ends, computed = [], 0.0
    for number, drawn in enumerate(
        draw(cartoonizer, islice(pictures(film.commission, first_tick(film.commission)), _TRIAL * warm))
    ):
        ends.append(perf_counter())
        computed += drawn.share if number >= warm else 0
    if len(ends) <= warm or not computed:
        return 0.0
    return film.commission.frames * (ends[-1] - ends[warm - 1]) / computed
