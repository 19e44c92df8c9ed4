"""Runs jobs on a few threads, one photo per thread from decoding to encoding; the one error boundary is here."""

from __future__ import annotations

import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from queue import Empty, Queue
from time import perf_counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from cartoonize.errors import AlreadyThereError, CartoonizeError
from cartoonize.machine import available_cores

if TYPE_CHECKING:
    from cartoonize.jobs.planning import Job
    from cartoonize.media.codec import Encoded
    from cartoonize.pages.thumbnails import Thumbnails

Status: TypeAlias = Literal["done", "skipped", "failed"]

# Two are enough for one to decode, filter and encode while the other infers; each holds a generator's memory.
MAX_WORKERS = 2


class Interrupted(BaseException):
    """The process is to end at once with `exit_code`; no Exception, so that nothing on the way takes it for one."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Outcome:
    """How a job ended; `seconds` from decoding to encoding, `error` one line, `trace` that of an unexpected error."""

    job: Job
    status: Status
    seconds: float = 0.0
    error: str | None = None
    notes: tuple[str, ...] = ()
    trace: str = ""
    thumbnails: Thumbnails | None = None


_Ended: TypeAlias = "tuple[Outcome, bytes] | None"


def share_cores(jobs: int, device: str) -> tuple[int, int]:
    """Return how many photos to work on at a time, and how many threads each gets for inference.

    Two workers with one inference thread each beat one with two: decoding, filtering and encoding then overlap.
    """
    cores = available_cores()
    workers = 1 if device == "gpu" else max(1, min(MAX_WORKERS, cores, jobs))
    return workers, max(1, cores // workers)


def run(
    jobs: Iterable[Job],
    convert: Callable[[Job], Encoded],
    write: Callable[[Job, bytes], None],
    report: Callable[[Outcome], None],
    *,
    workers: int,
    fail_fast: bool = False,
) -> None:
    """Convert jobs on `workers` threads; write and report each from the calling thread as it ends.

    At most `workers` photos are open at a time, and two finished ones wait as encoded bytes. `fail_fast` begins
    nothing new after a failure; what was begun is finished. An exception in the calling thread (Ctrl-C, a closed
    pipe) leaves at once: the workers are daemon threads that may be inside a long native call.
    """
    pending = deque(jobs)
    ended: Queue[_Ended] = Queue(maxsize=1)
    for _ in range(workers):
        threading.Thread(target=_work, args=(pending, convert, ended), daemon=True).start()
    try:
        for outcome, data in _until_all_left(ended, workers):
            final = _written(outcome, data, write)
            if fail_fast and final.status == "failed":
                pending.clear()
            report(final)
    finally:
        pending.clear()


def _work(pending: deque[Job], convert: Callable[[Job], Encoded], ended: Queue[_Ended]) -> None:
    while True:
        try:
            job = pending.popleft()
        except IndexError:
            ended.put(None)
            return
        ended.put(_converted(job, convert))


def _until_all_left(ended: Queue[_Ended], workers: int) -> Iterator[tuple[Outcome, bytes]]:
    while workers:
        try:
            result = ended.get(timeout=0.5)  # on Windows Ctrl-C is noticed only between waits
        except Empty:
            continue
        if result is None:
            workers -= 1
        else:
            yield result


def _converted(job: Job, convert: Callable[[Job], Encoded]) -> tuple[Outcome, bytes]:
    start = perf_counter()
    try:
        encoded = convert(job)
    except BaseException as error:  # a worker that died silently would leave the run waiting for ever
        return _not_done(Outcome(job, "failed", perf_counter() - start), error), b""
    seconds = perf_counter() - start
    return Outcome(job, "done", seconds, notes=encoded.notes, thumbnails=encoded.thumbnails), encoded.data


def _written(outcome: Outcome, data: bytes, write: Callable[[Job, bytes], None]) -> Outcome:
    if outcome.status != "done":
        return outcome
    try:
        write(outcome.job, data)
    except BrokenPipeError:  # nobody reads standard output any more: not this file's failure, the run is over
        raise
    except Exception as error:
        return _not_done(outcome, error)
    return outcome


def _not_done(outcome: Outcome, error: BaseException) -> Outcome:
    trace = ""
    if isinstance(error, AlreadyThereError):  # another run over the same photos was first
        job = replace(outcome.job, action="skip", reason="exists by now")
        return replace(outcome, job=job, status="skipped", thumbnails=None)
    if isinstance(error, CartoonizeError):
        message = " ".join(str(error).split())
    elif isinstance(error, MemoryError):
        message = "out of memory: try a smaller --size"
    else:
        message = f"unexpected error: {type(error).__name__}: {' '.join(str(error).split())} (please report)"
        trace = "".join(traceback.format_exception(error))
    return replace(outcome, status="failed", error=message, trace=trace, thumbnails=None)
