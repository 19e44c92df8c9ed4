"""The default command, `cartoonize INPUTS...`: options -> plan -> run -> exit code."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartoonize.cli import words
from cartoonize.cli.films import estimates, loaded, look_over_all, run_films
from cartoonize.cli.plan_report import show_plan, tell_what_is_no_work
from cartoonize.cli.refusals import ConfigurationError, check_stdout, refusing
from cartoonize.cli.report import FEW, Report, finish
from cartoonize.cli.shaping import remake_of, settings_in_words, spec_of
from cartoonize.errors import shown
from cartoonize.generators import weights
from cartoonize.jobs import planning, running
from cartoonize.jobs.committing import commit, keep_known
from cartoonize.jobs.converting import Converted
from cartoonize.jobs.ending import Ending
from cartoonize.jobs.foreseeing import foreseen
from cartoonize.jobs.lists import read_list
from cartoonize.jobs.running import Outcome
from cartoonize.jobs.sharing import patience, share
from cartoonize.jobs.sources import STDIN, Line
from cartoonize.media.formats import extra_problem
from cartoonize.media.stores import StandardOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cartoonize.cli.options import Options
    from cartoonize.jobs.filming import FilmJob
    from cartoonize.jobs.planning import Job, Plan
    from cartoonize.pages.review import Review

NOTHING_FOUND = 3
NO_IMAGE = "no image found"


def convert(chosen: Options) -> int:
    """Do what the command line asks for and return the exit code; raises click.UsageError or ConfigurationError."""
    inputs = _checked_inputs(chosen)
    named = (*inputs, chosen.out or "", chosen.review or "")
    if (
        chosen.shard
        or chosen.ray
        or any(words.is_address(item.text if isinstance(item, Line) else item) for item in named)
    ):
        from cartoonize.cli.streaming import convert_stream

        return convert_stream(chosen, inputs)
    plan, films = look_over_all(_foreseen(_checked_plan(chosen, inputs), chosen), chosen)
    if chosen.dry_run:
        show_plan(plan, estimates(films, chosen), as_json=chosen.json)
        if not plan.jobs:
            click.echo(f"cartoonize: {NO_IMAGE}", err=True)
        return _exit_code(plan, any(job.action == "fail" for job in plan.jobs))
    report = Report(len(plan.jobs), as_json=chosen.json, quiet=chosen.quiet, verbose=chosen.verbose)
    _announce(plan, report)
    with _review(plan, chosen) as review:
        try:
            _run(plan, films, chosen, report, review)
            finish(report, review, interrupted=False)
        except running.Interrupted:
            finish(report, review, interrupted=True)
            raise
    return _exit_code(plan, report.failed)


def _review(plan: Plan, chosen: Options) -> Review | nullcontext[None]:
    """Begin the page before any work, so that a place where it cannot be written is found out now."""
    if chosen.review is None or not plan.jobs:
        return nullcontext()
    from cartoonize.pages.review import Review

    with refusing(click.UsageError, "--review"):
        return Review(Path(chosen.review), settings_in_words(chosen), len(plan.jobs))


def _exit_code(plan: Plan, failed: bool) -> int:
    return int(failed) if plan.jobs else NOTHING_FOUND


def _checked_inputs(chosen: Options) -> list[str | Line]:
    """Return what is to be read: names as typed, and the lines of --files-from, which are taken literally."""
    if chosen.quiet and chosen.verbose:
        raise click.UsageError("--quiet and --verbose exclude each other.")
    if not chosen.inputs and chosen.files_from is None:
        raise click.UsageError("Missing argument 'INPUTS...'.")
    if STDIN in chosen.inputs and chosen.files_from is sys.stdin.buffer:
        raise click.UsageError("standard input is either a photo (-) or a list (--files-from -).")
    with refusing(ConfigurationError):
        weights.locate(chosen.weights)
    with refusing(click.UsageError):
        return [*chosen.inputs, *(read_list(chosen.files_from) if chosen.files_from else [])]


def _checked_plan(chosen: Options, inputs: list[str | Line]) -> Plan:
    with refusing(click.UsageError):
        plan = planning.plan(
            inputs,
            out=chosen.out,
            extension=chosen.format,
            remake=remake_of(chosen),
            hidden=chosen.include_hidden,
            videos=chosen.videos,
        )
    if chosen.review is not None:
        from cartoonize.pages.review import check_page

        streams = STDIN in inputs or chosen.out == planning.STDOUT
        with refusing(click.UsageError, "--review"):
            check_page(Path(chosen.review), streams=streams, overwrite=chosen.overwrite)
    # Not the formats of the photos themselves: a HEIC photo fails alone.
    for asked_for in {job.format for job in plan.todo if job.source.format != job.format}:
        if problem := extra_problem(asked_for):
            raise ConfigurationError(problem)
    if any(isinstance(job.target, StandardOutput) for job in plan.todo):
        check_stdout(chosen)
    return plan


def _foreseen(plan: Plan, chosen: Options) -> Plan:
    """Return the plan with what cannot be done found out, by the photos' headers."""
    spec = spec_of(chosen, threads=1)
    return replace(plan, jobs=tuple(foreseen(job, spec) for job in plan.jobs))


def _announce(plan: Plan, report: Report) -> None:
    """Say before work starts what is not as a user would expect."""
    if not plan.jobs:
        report.note(NO_IMAGE)
    tell_what_is_no_work(plan, report, _films_hint(plan))
    _announce_jobs(plan.todo, report)


def _announce_jobs(jobs: tuple[Job, ...], report: Report) -> None:
    for job in jobs:
        if job.renamed:
            report.note(f"{shown(str(job.source))} -> {shown(str(job.target))}: {shown(job.renamed)}")
    if costly := [job for job in jobs if job.costly]:
        others = f" (one of {len(costly)} such photos)" if len(costly) > 1 else ""
        report.note(f"{shown(str(costly[0].source))}: {costly[0].costly}{others}")


def _films_hint(plan: Plan) -> str:
    """Name the films that are left alone, and the way to have them."""
    if not plan.films:
        return ""
    names = [shown(path) for path in plan.films[:FEW]]
    more = f" and {len(plan.films) - FEW} more" if len(plan.films) > FEW else ""
    return f" (--videos takes films: {', '.join(names)}{more})"


def _run(plan: Plan, films: dict[Job, FilmJob], chosen: Options, report: Report, review: Review | None) -> None:
    def tell(outcome: Outcome[Job, Converted]) -> None:
        if review:  # first: what the user was told of is on the page, whenever Ctrl-C comes
            review(outcome)
        report(outcome)

    for job in plan.jobs:
        if job.action == "fail":
            tell(Outcome(job, "failed", error=job.reason))
    skipped = [job for job in plan.jobs if job.action == "skip"]
    for job in skipped:
        keep_known(job)
    with report.progress(len(skipped) if review else 0):
        for outcome in _skipped(skipped, review):
            tell(outcome)
    photos = [job for job in plan.todo if not job.film]
    if photos and not (chosen.fail_fast and report.failed):
        _run_photos(photos, chosen, report, tell)
    if films and not (chosen.fail_fast and report.failed):
        for outcome in run_films(
            [*films.values()],
            loaded(chosen),
            report,
            fail_fast=chosen.fail_fast,
            thumbnails=chosen.review is not None,
        ):
            tell(outcome)


def _run_photos(
    photos: list[Job], chosen: Options, report: Report, tell: Callable[[Outcome[Job, Converted]], None]
) -> None:
    from cartoonize.generators.generator import load

    with refusing(ConfigurationError):
        generator = load(chosen.weights)
    shared = share(len(photos), generator, chosen.size, chosen.device, chosen.jobs)
    report.detail(
        f"weights {chosen.weights}, size {chosen.size or 'default'}, {chosen.device}, "
        f"photos at a time: {shared.workers}, threads each: {shared.threads}"
    )
    with refusing(ConfigurationError):
        convert_one = spec_of(chosen, shared.threads).build()
    with report.progress(len(photos)):
        for outcome in running.run(
            photos,
            convert_one,
            workers=shared.workers,
            commit=partial(commit, preserve_times=chosen.preserve_times),
            budget=shared.budget,
            patience=None if chosen.timeout else partial(patience, chosen.size),
            ends=Ending(fail_fast=chosen.fail_fast),
        ):
            tell(outcome)


def _skipped(jobs: list[Job], review: Review | None) -> Iterable[Outcome[Job, Converted]]:
    """Return how jobs end whose results exist; the page looks at the results."""
    if not review or not jobs:
        return [Outcome(job, "skipped", reason=job.reason) for job in jobs]
    from cartoonize.pages.review import earlier_results

    return earlier_results(jobs)
