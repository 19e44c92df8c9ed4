"""A run over stores, or of one shard: jobs are done and told while the plan is still being made."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

from cartoonize.cli import words
from cartoonize.cli.plan_report import show_jobs, tell_what_is_no_work
from cartoonize.cli.refusals import ConfigurationError, check_stdout, refusing
from cartoonize.cli.report import FEW, Report, finish
from cartoonize.cli.shaping import remake_of, settings_in_words, spec_of
from cartoonize.cli.streamed_films import foreseen_films, names_film, run_streamed_films
from cartoonize.errors import shown
from cartoonize.jobs.ending import Ending
from cartoonize.jobs.filming import clear_leftovers
from cartoonize.jobs.foreseeing import foreseen
from cartoonize.jobs.planning import STDOUT
from cartoonize.jobs.ray_cluster import ClusterError, cluster
from cartoonize.jobs.ray_running import Crew, run_on_cluster
from cartoonize.jobs.remote_planning import StreamedPlan, plan_stream
from cartoonize.jobs.running import Interrupted
from cartoonize.jobs.sharding import Shard
from cartoonize.jobs.sharing import Share, patience, share, worker_memory
from cartoonize.jobs.sources import STDIN, Line
from cartoonize.jobs.staging import is_film_job
from cartoonize.jobs.streaming import is_work, run_here, settled
from cartoonize.media.formats import EXTENSIONS, extra_problem, format_of
from cartoonize.remote.objects import Remote
from cartoonize.remote.urls import Url, parse

if TYPE_CHECKING:
    from cartoonize.cli.options import Options
    from cartoonize.jobs.converting import Converted
    from cartoonize.jobs.planning import Job
    from cartoonize.jobs.running import Outcome
    from cartoonize.pages.review import Review

NOTHING_FOUND = 3
_MANY = 10**9  # photos there may be, while nobody knows


def convert_stream(chosen: Options, inputs: list[str | Line]) -> int:
    """Do what the command line asks for and return the exit code; raises click.UsageError or ConfigurationError."""
    plan = _checked_plan(chosen, inputs)
    if chosen.dry_run:
        return _show(plan, chosen)
    jobs, total = _begun(plan)
    report = Report(total, as_json=chosen.json, quiet=chosen.quiet, verbose=chosen.verbose)
    with _review(chosen, total) as review:
        try:
            ending = Ending(fail_fast=chosen.fail_fast)
            with closing(_outcomes(_counted(jobs, report), chosen, report, ending)) as outcomes:
                for outcome in outcomes:
                    _tell(outcome, report, review)
            if ending.why and report.count != report.total:
                report.fail(ending.why)
            tell_what_is_no_work(plan, report)
            finish(report, review, interrupted=False)
        except Interrupted:
            finish(report, review, interrupted=True)
            raise
        except ClusterError as error:
            if not report.count:
                raise ConfigurationError(str(error)) from error
            report.fail(str(error))
            finish(report, review, interrupted=False)
    return int(report.failed) if report.count or report.failed else _nothing_found()


def _checked_plan(chosen: Options, inputs: list[str | Line]) -> StreamedPlan:
    for asked_for in (EXTENSIONS.get(chosen.format or ""), format_of(PurePath(chosen.out or ""))):
        if problem := extra_problem(asked_for):
            raise ConfigurationError(problem)
    named = (*inputs, chosen.out or "")
    if chosen.update and any(words.is_address(item.text if isinstance(item, Line) else item) for item in named):
        raise click.UsageError("--update goes with files: what made an object is not known. --overwrite replaces it.")
    streams = STDIN in inputs or chosen.out == STDOUT
    if streams and chosen.ray:
        raise click.UsageError("--ray reads and writes files: neither standard input nor standard output goes with it.")
    if chosen.out == STDOUT or (STDIN in inputs and chosen.out is None):
        check_stdout(chosen)
    if chosen.review is not None:
        from cartoonize.pages.review import check_page

        with refusing(click.UsageError, "--review"):
            check_page(_page(chosen.review), streams=streams, overwrite=chosen.overwrite)
    if chosen.videos or any(map(names_film, inputs)):
        import av  # noqa: F401  a lean install is told here what it lacks, not when the photos are done
    with refusing(click.UsageError):
        return plan_stream(
            inputs,
            out=chosen.out,
            extension=chosen.format,
            remake=remake_of(chosen),
            hidden=chosen.include_hidden,
            videos=chosen.videos,
            shard=chosen.shard or Shard(),
        )


def _page(name: str) -> Path | Remote:
    """Return where the page goes; raises UrlError."""
    place = parse(name) if words.is_address(name) else name
    return Remote(place) if isinstance(place, Url) else Path(place)


def _show(plan: StreamedPlan, chosen: Options) -> int:
    """Print what a run would do, each job as it is known."""
    films: dict[Job, Mapping[str, float]] = {}
    spec = spec_of(chosen, threads=1)
    jobs = foreseen_films((foreseen(job, spec) for job in plan.jobs), chosen, films)
    counts = show_jobs(jobs, films, as_json=chosen.json)
    return int(counts["fail"] > 0) if counts else _nothing_found()


def _nothing_found() -> int:
    click.echo("cartoonize: no image found", err=True)
    return NOTHING_FOUND


def _begun(plan: StreamedPlan) -> tuple[Iterator[Job], int | None]:
    """Return the jobs, and their number where they are so few that a line each fits on a screen."""
    first = list(islice(plan.jobs, FEW + 1))
    return chain(first, plan.jobs), len(first) if len(first) <= FEW else None


def _counted(jobs: Iterator[Job], report: Report) -> Iterator[Job]:
    """Pass the jobs on, and let the report know their number when all are known."""
    number = 0
    for job in jobs:
        number += 1
        yield job
    report.know(number)


def _review(chosen: Options, total: int | None) -> Review | nullcontext[None]:
    """Begin the page before any work, so that a place where it cannot be written is found out now."""
    if chosen.review is None or total == 0:
        return nullcontext()
    from cartoonize.pages.review import Review

    with refusing(click.UsageError, "--review"):
        return Review(_page(chosen.review), settings_in_words(chosen), total)


def _outcomes(
    jobs: Iterator[Job], chosen: Options, report: Report, ending: Ending
) -> Generator[Outcome[Job, Converted]]:
    """Yield how each job ends, films last; the generator is loaded when the first comes that needs it."""
    films: list[Job] = []
    yield from _of_photos(_without_films(jobs, films), chosen, report, ending)
    if films and not ending.is_reached:
        yield from run_streamed_films(films, chosen, report)


def _without_films(jobs: Iterator[Job], films: list[Job]) -> Iterator[Job]:
    for job in jobs:
        if is_film_job(job) and is_work(job):
            films.append(job)
            continue
        if job.film and job.action == "skip":
            clear_leftovers(job)
        yield job


def _of_photos(
    jobs: Iterator[Job], chosen: Options, report: Report, ending: Ending
) -> Generator[Outcome[Job, Converted]]:
    for job in jobs:
        if is_work(job):
            yield from _done(chain([job], jobs), chosen, report, ending)
            return
        outcome = settled(job)
        yield outcome
        if ending(outcome):
            return


def _done(jobs: Iterable[Job], chosen: Options, report: Report, ending: Ending) -> Generator[Outcome[Job, Converted]]:
    from cartoonize.generators.generator import load

    photos = _MANY if report.total is None else report.total
    with refusing(ConfigurationError):
        generator = load(chosen.weights)
    shared = share(photos, generator, chosen.size, chosen.device, chosen.jobs)
    report.detail(
        f"weights {chosen.weights}, size {chosen.size or 'default'}, {chosen.device}, "
        f"photos at a time: {shared.workers}, threads each: {shared.threads}"
    )
    if chosen.ray:
        crew = _crew(chosen, shared, worker_memory(generator, chosen.size), report.total)
        yield from _on_cluster(jobs, chosen, report, ending, crew)
        return
    with refusing(ConfigurationError):
        convert_one = spec_of(chosen, shared.threads).build()
    with report.progress(report.total):
        yield from run_here(
            jobs,
            convert_one,
            workers=shared.workers,
            budget=shared.budget,
            patience=None if chosen.timeout else partial(patience, chosen.size),
            ends=ending,
        )


def _crew(chosen: Options, shared: Share, memory: int, most: int | None) -> Crew:
    """Return the workers to ask for: as this machine is shared where the cluster is started here."""
    if chosen.ray == "local":
        return Crew(shared.workers, shared.threads, 0, most=most)
    return Crew(chosen.jobs, 1, memory, chosen.device.startswith("gpu"), most)


def _on_cluster(
    jobs: Iterable[Job], chosen: Options, report: Report, ending: Ending, crew: Crew
) -> Generator[Outcome[Job, Converted]]:
    cores = (crew.workers or 1) * crew.cores  # of a cluster that is started here
    with cluster(str(chosen.ray), cores), report.progress(report.total):
        yield from run_on_cluster(jobs, spec_of(chosen, crew.cores), crew, tell=report.note, ends=ending)


def _tell(outcome: Outcome[Job, Converted], report: Report, review: Review | None) -> None:
    job = outcome.item
    if review:  # first: what the user was told of is on the page, whenever Ctrl-C comes
        review(outcome)
    if job.renamed and is_work(job):
        report.note(f"{shown(str(job.source))} -> {shown(str(job.target))}: {shown(job.renamed)}")
    report(outcome)
