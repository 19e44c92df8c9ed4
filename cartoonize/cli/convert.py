"""The default command, `cartoonize INPUTS...`: options -> plan -> run -> exit code."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartoonize import __version__
from cartoonize.cli import words
from cartoonize.cli.refusals import ConfigurationError, refusing
from cartoonize.cli.report import Report, show_plan
from cartoonize.errors import CartoonizeError, shown
from cartoonize.generators import weights
from cartoonize.jobs import planning, running
from cartoonize.jobs.converting import Converted, ConverterSpec, commit
from cartoonize.jobs.lists import read_list
from cartoonize.jobs.naming import SUFFIX
from cartoonize.jobs.running import Outcome
from cartoonize.jobs.sharing import share
from cartoonize.jobs.sources import STDIN
from cartoonize.media import kinds
from cartoonize.media.formats import extra_problem
from cartoonize.media.stores import StandardOutput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cartoonize.cli.options import Options
    from cartoonize.jobs.planning import Job, Plan
    from cartoonize.pages.review import Review

NOTHING_FOUND = 3
NO_IMAGE = "no image found"


def convert(chosen: Options) -> int:
    """Do what the command line asks for and return the exit code; raises click.UsageError or ConfigurationError."""
    plan = _checked_plan(chosen)
    if chosen.dry_run:
        show_plan(plan, as_json=chosen.json)
        if not plan.jobs:
            click.echo(f"cartoonize: {NO_IMAGE}", err=True)
        return _exit_code(plan, any(job.action == "fail" for job in plan.jobs))
    report = Report(len(plan.jobs), as_json=chosen.json, quiet=chosen.quiet, verbose=chosen.verbose)
    _announce(plan, report)
    with _review(plan, chosen) as review:
        try:
            _run(plan, chosen, report, review)
            _finish(report, review, interrupted=False)
        except running.Interrupted:
            _finish(report, review, interrupted=True)
            raise
    return _exit_code(plan, report.failed)


def _review(plan: Plan, chosen: Options) -> Review | nullcontext[None]:
    """Begin the page before any work, so that a place where it cannot be written is found out now."""
    if chosen.review is None or not plan.jobs:
        return nullcontext()
    from cartoonize.pages.review import Review

    with refusing(click.UsageError, "--review"):
        return Review(Path(chosen.review), _settings(chosen), len(plan.jobs))


def _settings(chosen: Options) -> dict[str, str]:
    """Return what of the options shaped the results, in words, for the page."""
    texts = {
        "Weights": shown(chosen.weights),
        "Working size": str(chosen.size or "720, smaller photos as they are"),
        "Output size": chosen.output_size,
        "Smooth": f"{chosen.smooth:g}",
        "Lines": "the look's own" if chosen.lines is None else f"{chosen.lines:g}",
        "Colours of the photo": f"{chosen.keep_colors:g}",
        "Strength": f"{chosen.strength:g}",
        "Device": chosen.device,
        "Format": chosen.format[1:] if chosen.format else "each photo's own",
        "Quality": str(chosen.quality or "default"),
        "Background": "#{:02x}{:02x}{:02x}".format(*chosen.background),
        "Metadata": "left out" if chosen.strip_metadata else "kept",
    }
    return {**texts, "Program": f"cartoonize {__version__}"}


def _finish(report: Report, review: Review | None, *, interrupted: bool) -> None:
    if review:
        try:
            review.write(interrupted=interrupted)
        except CartoonizeError as error:
            report.fail(f"{shown(review.page)}: {shown(str(error))}")
        else:
            report.note(f"review page: {shown(review.page)}")
    report.finish(interrupted=interrupted)


def _exit_code(plan: Plan, failed: bool) -> int:
    return int(failed) if plan.jobs else NOTHING_FOUND


def _checked_plan(chosen: Options) -> Plan:
    if chosen.quiet and chosen.verbose:
        raise click.UsageError("--quiet and --verbose exclude each other.")
    if not chosen.inputs and chosen.files_from is None:
        raise click.UsageError("Missing argument 'INPUTS...'.")
    if STDIN in chosen.inputs and chosen.files_from is sys.stdin.buffer:
        raise click.UsageError("standard input is either a photo (-) or a list (--files-from -).")
    words.check_no_url(chosen.inputs)
    with refusing(ConfigurationError):
        weights.locate(chosen.weights)
    with refusing(click.UsageError):
        plan = _plan(chosen)
    # Not the formats of the photos themselves: a HEIC photo fails alone.
    for asked_for in {job.format for job in plan.todo if job.source.format != job.format}:
        if problem := extra_problem(asked_for):
            raise ConfigurationError(problem)
    if any(isinstance(job.target, StandardOutput) for job in plan.todo):
        _check_stdout(chosen)
    return plan


def _plan(chosen: Options) -> Plan:
    lines = read_list(chosen.files_from) if chosen.files_from else []
    plan = planning.plan(
        [*chosen.inputs, *lines],
        out=chosen.out,
        extension=chosen.format,
        overwrite=chosen.overwrite,
        hidden=chosen.include_hidden,
    )
    if chosen.review is not None:
        from cartoonize.pages.review import check_page

        with refusing(click.UsageError, "--review"):
            check_page(Path(chosen.review), plan, overwrite=chosen.overwrite)
    return plan


def _check_stdout(chosen: Options) -> None:
    if chosen.json:
        raise click.UsageError("--json and the picture both go to standard output: give --out FILE.")
    if not chosen.dry_run and sys.stdout.isatty():
        raise click.UsageError("a picture is not written to a terminal: redirect standard output or give --out FILE.")


def _announce(plan: Plan, report: Report) -> None:
    """Say before work starts what is not as a user would expect."""
    if not plan.jobs:
        report.note(NO_IMAGE)
    if plan.earlier:
        report.note(f"results of earlier runs (*{SUFFIX}) and sheets, not taken as photos: {len(plan.earlier)}")
    for path in plan.earlier:
        report.detail(f"{shown(path)}: result of an earlier run")
    if plan.foreign:
        report.note(f"left alone: {kinds.counted(plan.foreign)}")
    for path in plan.foreign:
        report.detail(f"{shown(path)}: left alone, {kinds.of_name(path)}")
    if plan.litter:
        report.note(f"folders of a NAS or the system, not looked into (--include-hidden does): {len(plan.litter)}")
    for path in plan.litter:
        report.detail(f"{shown(path)}: not looked into")
    for job in plan.todo:
        if job.renamed:
            report.note(f"{shown(str(job.source))} -> {shown(str(job.target))}: {shown(job.renamed)}")


def _run(plan: Plan, chosen: Options, report: Report, review: Review | None) -> None:
    def tell(outcome: Outcome[Job, Converted]) -> None:
        if review:  # first: what the user was told of is on the page, whenever Ctrl-C comes
            review(outcome)
        report(outcome)

    for job in plan.jobs:
        if job.action == "fail":
            tell(Outcome(job, "failed", error=job.reason))
    skipped = [job for job in plan.jobs if job.action == "skip"]
    with report.progress(len(skipped) if review else 0):
        for outcome in _skipped(skipped, review):
            tell(outcome)
    if not plan.todo or (chosen.fail_fast and report.failed):
        return
    shared = share(len(plan.todo), chosen.weights, chosen.size, chosen.device, chosen.jobs)
    report.detail(
        f"weights {chosen.weights}, size {chosen.size or 'default'}, {chosen.device}, "
        f"photos at a time: {shared.workers}, threads each: {shared.threads}"
    )
    with refusing(ConfigurationError):
        convert_one = _spec(chosen, shared.threads).build()
    with report.progress(len(plan.todo)):
        for outcome in running.run(
            plan.todo,
            convert_one,
            workers=shared.workers,
            commit=commit,
            budget=shared.budget,
            fail_fast=chosen.fail_fast,
        ):
            tell(outcome)


def _skipped(jobs: list[Job], review: Review | None) -> Iterable[Outcome[Job, Converted]]:
    """Return how jobs end whose results exist; the page looks at the results."""
    if not review or not jobs:
        return [Outcome(job, "skipped", reason=job.reason) for job in jobs]
    from cartoonize.pages.review import earlier_results

    return earlier_results(jobs)


def _spec(chosen: Options, threads: int) -> ConverterSpec:
    return ConverterSpec(
        weights=chosen.weights,
        size=chosen.size,
        output_size=chosen.output_size,
        smooth=chosen.smooth,
        lines=chosen.lines,
        keep_colors=chosen.keep_colors,
        strength=chosen.strength,
        device=chosen.device,
        threads=threads,
        quality=chosen.quality,
        background=chosen.background,
        strip_metadata=chosen.strip_metadata,
        salvage=chosen.salvage,
        thumbnails=chosen.review is not None,
    )
