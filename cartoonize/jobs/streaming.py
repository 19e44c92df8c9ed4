"""Runs a plan that is still being made: every job to its end, the planned skips and failures too, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from cartoonize.errors import AlreadyThereError, CartoonizeError
from cartoonize.jobs.committing import commit
from cartoonize.jobs.converting import Converted
from cartoonize.jobs.line import Budget
from cartoonize.jobs.planning import Job
from cartoonize.jobs.running import Outcome, attempt, run
from cartoonize.jobs.sharing import UNSEEN
from cartoonize.media.stores import File, StandardOutput
from cartoonize.remote.objects import Remote

Work: TypeAlias = Callable[[Job], Converted]


def is_work(job: Job) -> bool:
    """Whether a job needs the generator."""
    return job.action in ("write", "replace")


def settled(job: Job) -> Outcome[Job, Converted]:
    """Return how a job ended that was planned to fail or to be skipped."""
    return attempt(_settle, job)


def run_here(
    jobs: Iterable[Job],
    convert_one: Work,
    *,
    workers: int,
    budget: Budget[Job],
    patience: Callable[[Job], float] | None = None,
    ends: Callable[[Outcome[Job, Converted]], bool],
) -> Iterator[Outcome[Job, Converted]]:
    """Do jobs on threads of this process as they become known, and yield how each ended.

    Results are written where they are made: what takes time with a store is its answer, and many can be waited for.
    """
    shared = Budget(budget.total, partial(_weight, budget.weigh))
    return run(
        jobs,
        partial(_done, convert_one),
        workers=workers,
        commit=_to_stream,
        budget=shared,
        patience=patience,
        ends=ends,
    )


def convert_and_write(convert_one: Work, job: Job) -> Converted:
    """Convert a photo and write its result; what is returned is what people and the page are told of it.

    Raises CartoonizeError, AlreadyThereError where another run was first.
    """
    converted = convert_one(job)
    commit(job, converted)
    return replace(converted, data=b"")


def _done(convert_one: Work, job: Job) -> Converted:
    if not is_work(job):
        return _settle(job)
    return convert_one(job) if isinstance(job.target, StandardOutput) else convert_and_write(convert_one, job)


def _settle(job: Job) -> Converted:
    if job.action == "skip":
        raise AlreadyThereError(job.reason)
    failure = CartoonizeError(job.reason)
    failure.ends_after = int(isinstance(job.target, Remote))  # which results there are could not be found out
    raise failure


def _to_stream(job: Job, converted: Converted) -> None:
    """Write to standard output, which is for the calling thread alone."""
    if isinstance(job.target, StandardOutput):
        commit(job, converted)


def _weight(weigh: Callable[[Job], int], job: Job) -> int:
    if not is_work(job):
        return 0
    return weigh(job) if isinstance(job.source, File) else UNSEEN
