"""The default command, `cartoonize INPUTS...`: options -> plan -> run -> exit code."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from cartoonize import __version__
from cartoonize.cli import words
from cartoonize.cli.refusals import ConfigurationError, refusing
from cartoonize.cli.report import Report, show_plan
from cartoonize.errors import AlreadyThereError, CartoonizeError, EncodeError, shown
from cartoonize.generators import weights
from cartoonize.jobs import planning, running
from cartoonize.jobs.naming import SUFFIX
from cartoonize.jobs.sources import STDIN
from cartoonize.media.formats import extra_problem, format_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.cli.options import Options
    from cartoonize.jobs.planning import Job, Plan
    from cartoonize.media.codec import Encoded, EncodeOptions
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

    with refusing(click.UsageError):
        return Review(Path(chosen.review), _settings(chosen), len(plan.jobs))


def _settings(chosen: Options) -> dict[str, str]:
    """Return what of the options shaped the results, in words, for the page."""
    texts = {
        "Weights": shown(chosen.weights),
        "Working size": str(chosen.size or "720, smaller photos as they are"),
        "Output size": chosen.output_size,
        "Detail": f"{chosen.detail:g}",
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
    for asked_for in {job.format for job in plan.todo if job.source is None or format_of(job.source) != job.format}:
        if problem := extra_problem(asked_for):
            raise ConfigurationError(problem)
    if any(job.target is None for job in plan.todo):
        _check_stdout(chosen)
    return plan


def _plan(chosen: Options) -> Plan:
    inputs: list[str | Path] = [*chosen.inputs, *_listed(chosen.files_from)]
    plan = planning.plan(inputs, out=chosen.out, extension=chosen.format, overwrite=chosen.overwrite)
    if chosen.review is not None:
        from cartoonize.pages.review import check_page

        check_page(Path(chosen.review), plan, overwrite=chosen.overwrite)
    return plan


def _listed(file: BinaryIO | None) -> list[Path]:
    """Return the paths of --files-from; they are taken literally, never as globs."""
    if file is None:
        return []
    content = file.read()
    names = content.split(b"\0") if b"\0" in content else content.splitlines()
    return [Path(os.fsdecode(name)) for name in names if name]


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
    for job in plan.todo:
        if job.renamed:
            report.note(f"{shown(job.source)} -> {shown(job.target)}: {shown(job.renamed)}")


def _run(plan: Plan, chosen: Options, report: Report, review: Review | None) -> None:
    def tell(outcome: running.Outcome) -> None:
        if review:  # first: what the user was told of is on the page, whenever Ctrl-C comes
            review(outcome)
        report(outcome)

    skipped = [job for job in plan.jobs if job.action == "skip"]
    for job in plan.jobs:
        if job.action == "fail":
            tell(running.Outcome(job, "failed", error=job.reason))
        elif job.action == "skip" and not review:
            tell(running.Outcome(job, "skipped"))
    if review and skipped:
        with report.progress(len(skipped)):
            review.look_at(skipped, tell)
    if not plan.todo or (chosen.fail_fast and report.failed):
        return
    workers, threads = running.share_cores(len(plan.todo), chosen.device)
    report.detail(
        f"weights {chosen.weights}, size {chosen.size or 'default'}, {chosen.device}, "
        f"photos at a time: {workers}, threads each: {threads}"
    )
    converter = _converter(chosen, threads)
    with report.progress(len(plan.todo)):
        running.run(plan.todo, converter, _writer(chosen), tell, workers=workers, fail_fast=chosen.fail_fast)


def _converter(chosen: Options, threads: int) -> Callable[[Job], Encoded]:
    """Load the generator; raises ConfigurationError where it cannot run. What is returned is called from threads."""
    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.media import opening

    opening.configure_pillow()
    with refusing(ConfigurationError):
        cartoonizer = Cartoonizer(
            chosen.weights,
            size=chosen.size,
            output_size=chosen.output_size,
            detail=chosen.detail,
            device=chosen.device,
            threads=threads,
        )
    return partial(_convert_one, cartoonizer, chosen)


def _convert_one(cartoonizer: Cartoonizer, chosen: Options, job: Job) -> Encoded:
    from cartoonize.media import codec
    from cartoonize.pages import thumbnails

    if job.action == "write" and job.target and job.target.exists():
        raise AlreadyThereError  # made by another run since the plan: no need to compute it
    picture = codec.decode(job.source or sys.stdin.buffer.read())
    before = thumbnails.of_photo(picture) if chosen.review else None
    picture = cartoonizer.photo(picture)  # the same name: a large photo is let go before the result is encoded
    options = _encode_options(chosen, job.format or picture.format)
    encoded = codec.encode(picture, options)
    both = thumbnails.Thumbnails(before, thumbnails.of_result(picture, options)) if before else None
    return codec.Encoded(encoded.data, (*picture.notes, *encoded.notes), both)


def _encode_options(chosen: Options, file_format: str) -> EncodeOptions:
    from cartoonize.media.codec import EncodeOptions

    return EncodeOptions(
        format=file_format,
        quality=chosen.quality,
        background=chosen.background,
        strip_metadata=chosen.strip_metadata,
    )


def _writer(chosen: Options) -> Callable[[Job, bytes], None]:
    from cartoonize.media.files import write_atomically

    def write(job: Job, data: bytes) -> None:
        if job.target is None:
            _write_to_stdout(data)
            return
        write_atomically(job.target, data, overwrite=chosen.overwrite)

    return write


def _write_to_stdout(data: bytes) -> None:
    try:
        # A stream of its own: what cannot be written is not kept in sys.stdout, to fail again at exit.
        with open(sys.stdout.fileno(), "wb", closefd=False) as stream:
            stream.write(data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EncodeError(f"cannot be written to standard output: {error.strerror}") from error
