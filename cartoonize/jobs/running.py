"""Runs work on a few threads, whatever the items and their results are; the one error boundary is here."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from queue import Empty, Queue
from time import perf_counter
from typing import Generic, Literal, TypeAlias, TypeVar

from cartoonize.errors import AlreadyThereError, CartoonizeError
from cartoonize.jobs.line import Budget, Line

Status: TypeAlias = Literal["done", "skipped", "failed"]
Item = TypeVar("Item")
Result = TypeVar("Result")

_MORE_TIME = "--timeout gives it more"
_LEAST_PATIENCE = 1.0  # seconds in which nobody is asked how long an item may take


class Interrupted(BaseException):
    """The process is to end at once with `exit_code`; no Exception, so that nothing on the way takes it for one."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Outcome(Generic[Item, Result]):
    """How the work on an item ended; pickles where item and result do.

    seconds: of the work alone. result: None unless done. error: one line, of a failure. reason: why it was skipped.
    trace: that of an unexpected error. ends_after: that of the error, see `CartoonizeError`.
    """

    item: Item
    status: Status
    seconds: float = 0.0
    result: Result | None = None
    error: str | None = None
    reason: str = ""
    trace: str = ""
    ends_after: int = 0


def attempt(work: Callable[[Item], Result], item: Item) -> Outcome[Item, Result]:
    """Do the work on one item; whatever it raises becomes a failure, AlreadyThereError a skip.

    The error boundary of everything that is attempted, in whichever thread or process.
    """
    start = perf_counter()
    try:
        result = work(item)
    except BaseException as error:  # a worker that died silently would leave the run waiting for ever
        return _not_done(Outcome(item, "failed", perf_counter() - start), error)
    return Outcome(item, "done", perf_counter() - start, result)


def committed(outcome: Outcome[Item, Result], commit: Callable[[Item, Result], None]) -> Outcome[Item, Result]:
    """Commit the result of what is done; an error becomes a failure as in `attempt`.

    Raises BrokenPipeError: nobody reads standard output any more, which is the end of the run and no file's failure.
    """
    if outcome.status != "done" or outcome.result is None:
        return outcome
    try:
        commit(outcome.item, outcome.result)
    except BrokenPipeError:
        raise
    except Exception as error:
        return _not_done(outcome, error)
    return outcome


def run(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    workers: int,
    commit: Callable[[Item, Result], None] | None = None,
    budget: Budget[Item] | None = None,
    patience: Callable[[Item], float] | None = None,
    ends: Callable[[Outcome[Item, Result]], bool] | None = None,
) -> Iterator[Outcome[Item, Result]]:
    """Do the work on each item on `workers` threads and yield how each ended, in that order.

    Results are committed in the calling thread; two finished ones wait. Items begin in their order, as many at a time
    as there are workers and as `budget` holds; they are taken from `items`, by any of the threads, when they begin, and
    what that raises is raised here when the work begun has ended. An item that takes longer than `patience` has, in
    seconds, is given up: its thread, which nothing can stop, is left alone, and another takes its place. Once
    `ends` says so of an outcome nothing new is begun; what was begun is finished. An exception in the calling thread
    (Ctrl-C, a closed pipe) leaves at once: the workers are daemon threads that may be inside a long native call.
    """
    line = Line(items, budget)
    crew = _Crew(line, work, workers)
    try:
        for outcome in crew.outcomes(patience):
            final = committed(outcome, commit) if commit else outcome
            if ends is not None and ends(final):
                line.close()
            yield final
        if line.broken:
            raise line.broken
    finally:
        line.close()


class _Worker(Generic[Item, Result]):
    """A thread and what it has: an item, the item's weight, and since when."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._has: tuple[Item, int, float] | None = None
        self.is_left = False

    def take(self, item: Item, weight: int) -> None:
        """Begin an item."""
        with self._lock:
            self._has = item, weight, perf_counter()

    def end(self) -> bool:
        """End it; False where it was given up by now."""
        with self._lock:
            self._has = None
            return not self.is_left

    def given_up(self, patience: Callable[[Item], float]) -> tuple[Item, int, float] | None:
        """Leave the thread alone where its item takes too long: the item, its weight and the seconds it had."""
        with self._lock:
            if self._has is None or (taken := perf_counter() - self._has[2]) < _LEAST_PATIENCE:
                return None
            item, weight, _ = self._has
            if taken < (seconds := patience(item)):
                return None
            self.is_left = True
            return item, weight, seconds


class _Crew(Generic[Item, Result]):
    """Threads that take items from a line until it has no more."""

    def __init__(self, line: Line[Item], work: Callable[[Item], Result], workers: int) -> None:
        self._line, self._work = line, work
        self._ended: Queue[Outcome[Item, Result] | _Worker[Item, Result]] = Queue(maxsize=1)
        self._workers: set[_Worker[Item, Result]] = set()
        for _ in range(workers):
            self._hire()

    def outcomes(self, patience: Callable[[Item], float] | None) -> Iterator[Outcome[Item, Result]]:
        """Yield how items end until all workers have left."""
        while self._workers:
            try:
                outcome = self._ended.get(timeout=0.5)  # on Windows Ctrl-C is noticed only between waits
            except Empty:
                yield from self._give_up(patience) if patience else ()
                continue
            if isinstance(outcome, _Worker):
                self._workers.discard(outcome)
            else:
                yield outcome

    def _give_up(self, patience: Callable[[Item], float]) -> Iterator[Outcome[Item, Result]]:
        for worker in list(self._workers):
            if found := worker.given_up(patience):
                item, weight, seconds = found
                self._workers.discard(worker)
                self._line.leave(weight)
                self._hire()
                yield Outcome(item, "failed", seconds, error=f"takes longer than {seconds:.0f} s: {_MORE_TIME}")

    def _hire(self) -> None:
        worker: _Worker[Item, Result] = _Worker()
        self._workers.add(worker)
        threading.Thread(target=self._serve, args=(worker,), daemon=True).start()

    def _serve(self, worker: _Worker[Item, Result]) -> None:
        while got := self._line.next():
            worker.take(*got)
            outcome = attempt(self._work, got[0])
            if not worker.end():
                return
            self._line.leave(got[1])
            self._ended.put(outcome)
        self._ended.put(worker)


def _not_done(outcome: Outcome[Item, Result], error: BaseException) -> Outcome[Item, Result]:
    trace, ends_after = "", 0
    if isinstance(error, AlreadyThereError):  # another run over the same photos was first
        return replace(outcome, status="skipped", result=None, reason=error.reason)
    if isinstance(error, CartoonizeError):
        message, ends_after = " ".join(str(error).split()), error.ends_after
    elif isinstance(error, MemoryError):
        message = "out of memory: try a smaller --size"
    else:
        message = f"unexpected error: {type(error).__name__}: {' '.join(str(error).split())} (please report)"
        trace = "".join(traceback.format_exception(error))
    return replace(outcome, status="failed", result=None, error=message, trace=trace, ends_after=ends_after)
