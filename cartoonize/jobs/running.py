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

Status: TypeAlias = Literal["done", "skipped", "failed"]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Interrupted(BaseException):
    """The process is to end at once with `exit_code`; no Exception, so that nothing on the way takes it for one."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Outcome(Generic[Item, Result]):
    """How the work on an item ended; pickles where item and result do.

    seconds: of the work alone. result: None unless done. error: one line, of a failure. reason: why it was skipped.
    trace: that of an unexpected error.
    """

    item: Item
    status: Status
    seconds: float = 0.0
    result: Result | None = None
    error: str | None = None
    reason: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Budget(Generic[Item]):
    """What items in flight share: together they weigh at most `total`, unless one alone weighs more."""

    total: int
    weigh: Callable[[Item], int]


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
    fail_fast: bool = False,
) -> Iterator[Outcome[Item, Result]]:
    """Do the work on each item on `workers` threads and yield how each ended, in that order.

    Results are committed in the calling thread; two finished ones wait. Items begin in their order, as many at a time
    as there are workers and as `budget` holds; they are taken from `items`, by any of the threads, when they begin, and
    what that raises is raised here when the work begun has ended. `fail_fast` begins nothing new after a failure; what
    was begun is finished. An exception in the calling thread (Ctrl-C, a closed pipe) leaves at once: the workers are
    daemon threads that may be inside a long native call.
    """
    line = _Line(items, budget)
    ended: Queue[Outcome[Item, Result] | None] = Queue(maxsize=1)
    for _ in range(workers):
        threading.Thread(target=_work, args=(line, work, ended), daemon=True).start()
    try:
        for outcome in _until_all_left(ended, workers):
            final = committed(outcome, commit) if commit else outcome
            if fail_fast and final.status == "failed":
                line.close()
            yield final
        if line.broken:
            raise line.broken
    finally:
        line.close()


class _Line(Generic[Item]):
    """Items that wait for their turn: each is given out when the budget has room for it."""

    def __init__(self, items: Iterable[Item], budget: Budget[Item] | None) -> None:
        self._items = self._told(items)
        self.broken: Exception | None = None
        self._budget = budget
        self._turn = threading.Lock()
        self._changed = threading.Condition()
        self._in_flight = 0
        self._closed = False

    def next(self) -> tuple[Item, int] | None:
        """Return the next item and its weight once there is room for it; None when no more is to be begun."""
        with self._turn:
            for item in self._items:
                weight = self._weight(item)
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or self._has_room(weight))  # noqa: B023  used at once
                    if self._closed:
                        return None
                    self._in_flight += weight
                    return item, weight
        return None

    def _told(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items; where they cannot be told any more, end and keep why for the calling thread."""
        try:
            yield from items
        except Exception as error:
            self.broken = error

    def leave(self, weight: int) -> None:
        """Make room for others."""
        with self._changed:
            self._in_flight -= weight
            self._changed.notify_all()

    def close(self) -> None:
        """Begin nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _weight(self, item: Item) -> int:
        return attempt(self._budget.weigh, item).result or 0 if self._budget else 0

    def _has_room(self, weight: int) -> bool:
        return not self._budget or not self._in_flight or self._in_flight + weight <= self._budget.total


def _work(line: _Line[Item], work: Callable[[Item], Result], ended: Queue[Outcome[Item, Result] | None]) -> None:
    while got := line.next():
        item, weight = got
        outcome = attempt(work, item)
        line.leave(weight)
        ended.put(outcome)
    ended.put(None)


def _until_all_left(ended: Queue[Outcome[Item, Result] | None], workers: int) -> Iterator[Outcome[Item, Result]]:
    while workers:
        try:
            outcome = ended.get(timeout=0.5)  # on Windows Ctrl-C is noticed only between waits
        except Empty:
            continue
        if outcome is None:
            workers -= 1
        else:
            yield outcome


def _not_done(outcome: Outcome[Item, Result], error: BaseException) -> Outcome[Item, Result]:
    trace = ""
    if isinstance(error, AlreadyThereError):  # another run over the same photos was first
        return replace(outcome, status="skipped", result=None, reason=error.reason)
    if isinstance(error, CartoonizeError):
        message = " ".join(str(error).split())
    elif isinstance(error, MemoryError):
        message = "out of memory: try a smaller --size"
    else:
        message = f"unexpected error: {type(error).__name__}: {' '.join(str(error).split())} (please report)"
        trace = "".join(traceback.format_exception(error))
    return replace(outcome, status="failed", result=None, error=message, trace=trace)
