"""What `--dry-run` prints of a plan, as lines or as JSON objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from cartoonize.cli.film_progress import film_in_words
from cartoonize.errors import shown
from cartoonize.jobs.naming import SUFFIX
from cartoonize.media import kinds
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from cartoonize.cli.report import Report
    from cartoonize.jobs.planning import Job, Plan
    from cartoonize.jobs.remote_planning import StreamedPlan
    from cartoonize.media.stores import Source


def show_plan(plan: Plan, films: Mapping[Job, Mapping[str, float]], *, as_json: bool) -> None:
    """Print on stdout what a run would do; `films`: what is known of the films in it."""
    for path in plan.earlier:
        _show_planned(File(path), None, "ignore", "result of an earlier run", as_json)
    show_jobs(plan.jobs, films, as_json=as_json)


def show_jobs(
    jobs: Iterable[Job], films: Mapping[Job, Mapping[str, float]] | None = None, *, as_json: bool
) -> Counter[str]:
    """Print on stdout what would be done, and return how often what."""
    counts: Counter[str] = Counter()
    for job in jobs:
        counts[job.action] += 1
        film = films.get(job, {}) if films else {}
        about = film_in_words(film) if film and not as_json else ""
        reason = "; ".join(filter(None, (job.reason, job.renamed, job.costly, about)))
        _show_planned(job.source, None if job.action == "fail" else job, job.action, reason, as_json, film)
    if as_json:
        click.echo(json.dumps({"summary": {action: counts[action] for action in ("write", "replace", "skip", "fail")}}))
    return counts


def _show_planned(
    source: Source,
    job: Job | None,
    action: str,
    reason: str,
    as_json: bool,
    film: Mapping[str, float] | None = None,
) -> None:
    if as_json:
        target = str(job.target) if job else None
        told = {"source": str(source), "target": target, "action": action, "reason": reason, **(film or {})}
        click.echo(json.dumps(told))
        return
    arrow = f" -> {shown(str(job.target))}" if job else ""
    click.echo(f"{shown(str(source))}{arrow}  {action}{f' ({shown(reason)})' if reason else ''}")


def tell_what_is_no_work(plan: Plan | StreamedPlan, report: Report, films_hint: str = "") -> None:
    """Note what a run has found besides its photos; films_hint: how to have the films among it."""
    if plan.earlier:
        report.note(f"results of earlier runs (*{SUFFIX}) and sheets, not taken as photos: {len(plan.earlier)}")
    for name in plan.earlier:
        report.detail(f"{shown(name)}: result of an earlier run")
    if plan.foreign:
        report.note(f"left alone: {kinds.counted([PurePath(name) for name in plan.foreign])}{films_hint}")
    for name in plan.foreign:
        report.detail(f"{shown(name)}: left alone, {kinds.of_name(PurePath(name))}")
    if plan.litter:
        report.note(f"folders of a NAS or the system, not looked into (--include-hidden does): {len(plan.litter)}")
    for name in plan.litter:
        report.detail(f"{shown(name)}: not looked into")
