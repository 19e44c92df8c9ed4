"""Films in the default command: looked over before any work, shown in a dry run, converted one after the other."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from cartoonize.cli.refusals import ConfigurationError, refusing
from cartoonize.cli.shaping import film_options_of, film_settings_of, spec_of
from cartoonize.errors import CartoonizeError, EncodeError, shown
from cartoonize.jobs import running
from cartoonize.jobs.filming import FilmJob, clear_leftovers, convert_film, estimated_seconds, look_over
from cartoonize.jobs.running import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.cli.options import Options
    from cartoonize.cli.report import Report
    from cartoonize.jobs.converting import Converted
    from cartoonize.jobs.planning import Job, Plan

_FOR_FILMS = ("codec", "crf", "preset", "start", "end")
_OUTCOME = ("status", "seconds", "result", "error", "reason", "trace")


def look_over_all(plan: Plan, chosen: Options) -> tuple[Plan, dict[Job, FilmJob]]:
    """Return the plan with what can be converted, and what is known of its films; raises click.UsageError.

    What cannot be made of one film fails with it alone; what can be made of none is a usage error.
    """
    named = [name for name in _FOR_FILMS if getattr(chosen, name) is not None]
    if named and plan.jobs and not any(job.film for job in plan.jobs):
        words = {"start": "from", "end": "to"}
        hint = " (--videos takes those of folders)" if plan.films else ""
        raise click.UsageError(f"--{words.get(named[0], named[0])} is for films, and there is none here{hint}.")
    how, jobs, films = film_options_of(chosen), [], {}
    settings = film_settings_of(chosen) if any(job.film for job in plan.todo) else None
    refusals = []
    for job in plan.jobs:
        looked: Job | FilmJob = job
        if job.film and job.action in ("write", "replace"):
            try:
                looked = look_over(job, how, settings)
            except EncodeError as error:
                refusals.append(shown(f"{job.source}: {error}"))
                looked = replace(job, action="fail", target=None, reason=str(error))
        elif job.film:
            clear_leftovers(job)
        if isinstance(looked, FilmJob):
            films[job] = looked
        jobs.append(job if isinstance(looked, FilmJob) else looked)
    if refusals and not films:
        raise click.UsageError(refusals[0])
    return replace(plan, jobs=tuple(jobs)), films


def loaded(chosen: Options) -> Cartoonizer:
    """Load the generator for films: one worker a core, as far as the memory goes; raises ConfigurationError."""
    from cartoonize.generators.generator import load
    from cartoonize.jobs.sharing import share
    from cartoonize.machine import available_cores

    with refusing(ConfigurationError):
        shared = share(available_cores(), load(chosen.weights), chosen.size, chosen.device, chosen.jobs)
        return spec_of(chosen, shared.threads).cartoonizer()


def run_films(
    films: list[FilmJob], cartoonizer: Cartoonizer, report: Report, *, fail_fast: bool, thumbnails: bool
) -> Iterator[Outcome[Job, Converted]]:
    """Convert films one after the other, each on all cores, and yield how each ended."""
    for film in films:
        with report.film(str(film.job.source)) as tell:
            work = partial(convert_film, cartoonizer=cartoonizer, tell=tell, thumbnails=thumbnails)
            (outcome,) = running.run([film], work, workers=1)
        yield Outcome(film.job, **{name: getattr(outcome, name) for name in _OUTCOME})
        if fail_fast and outcome.status == "failed":
            return


def estimates(films: dict[Job, FilmJob], chosen: Options) -> dict[Job, dict[str, float | int]]:
    """Return for each film what a dry run says of it."""
    if not films:
        return {}
    cartoonizer = loaded(chosen)
    return {job: about(film, cartoonizer) for job, film in films.items()}


def about(film: FilmJob, cartoonizer: Cartoonizer | None) -> dict[str, float | int]:
    """Return what a dry run says of a film, with the time that it will take by a trial of a few frames.

    cartoonizer: None leaves the time out.
    """
    shown_as = film.commission.film
    told: dict[str, float | int] = {
        "frames": film.commission.frames,
        "width": shown_as.width,
        "height": shown_as.height,
        "duration": round(film.commission.seconds, 3),
    }
    if cartoonizer is not None:
        with suppress(CartoonizeError):  # the run will say why
            told["takes"] = round(estimated_seconds(film, cartoonizer), 3)
    return told
