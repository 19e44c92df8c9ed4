"""Films in the default command: looked over before any work, shown in a dry run, converted one after the other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from cartoonize.cli.refusals import ConfigurationError, refusing
from cartoonize.cli.shaping import film_options_of, film_settings_of, spec_of
from cartoonize.errors import CartoonizeError
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
    """Return the plan with what can be converted, and what is known of its films; raises click.UsageError."""
    named = [name for name in _FOR_FILMS if getattr(chosen, name) is not None]
    if named and plan.jobs and not any(job.film for job in plan.jobs):
        words = {"start": "from", "end": "to"}
        hint = " (--videos takes those of folders)" if plan.films else ""
        raise click.UsageError(f"--{words.get(named[0], named[0])} is for films, and there is none here{hint}.")
    how, jobs, films = film_options_of(chosen), [], {}
    settings = film_settings_of(chosen) if any(job.film for job in plan.todo) else None
    for job in plan.jobs:
        looked: Job | FilmJob = job
        if job.film and job.action in ("write", "replace"):
            with refusing(click.UsageError, str(job.source)):
                looked = look_over(job, how, settings)
        elif job.film:
            clear_leftovers(job)
        if isinstance(looked, FilmJob):
            films[job] = looked
        jobs.append(job if isinstance(looked, FilmJob) else looked)
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
    """Return for each film what a dry run says of it, with the time that it will take by a trial of a few frames."""
    if not films:
        return {}
    cartoonizer = loaded(chosen)
    told = {}
    for job, film in films.items():
        shown = film.commission.film
        told[job] = {
            "frames": film.commission.frames,
            "width": shown.width,
            "height": shown.height,
            "duration": round(film.commission.seconds, 3),
        }
        try:
            told[job]["takes"] = round(estimated_seconds(film, cartoonizer), 3)
        except CartoonizeError:  # the run will say why
            continue
    return told
