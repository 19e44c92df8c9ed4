"""Which item goes to which worker, when and how often: without an engine or a clock of its own, to be tried alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic

from cartoonize.jobs.running import Item, Outcome, Result

IN_FLIGHT = 2  # items a worker has: one it works on, one that waits so that it is never idle
TRIES = 3  # workers an item may cost before it is taken for what kills them
SLOW = 3.0  # times the average time of the others, after which an item is begun a second time
LEAST_SLOW = 5.0  # seconds below which nothing is called slow


@dataclass(eq=False)
class Task(Generic[Item, Result]):
    """An item on its way: how many workers it has cost, how many have it now, and an end that another may better."""

    item: Item
    tries: int = 0
    copies: int = 0
    ended: bool = False
    held: Outcome[Item, Result] | None = None


@dataclass(eq=False)
class _Seat(Generic[Item, Result]):
    """What a worker has, the oldest first: that is what it works on, since `since`."""

    tasks: deque[Task[Item, Result]] = field(default_factory=deque)
    since: float = 0.0


class Dispatcher(Generic[Item, Result]):
    """Hands items out to workers that come and go, and sees to it that every item has exactly one end.

    `items` are taken as they are handed out. An item whose worker is lost goes to another, TRIES times at most; whoever
    runs the workers loses those that are at one item for longer than `deadline` seconds. When no item is left to begin,
    slow ones are begun a second time by workers that have nothing to do, and the first end counts. `now` is in seconds
    of any clock.
    """

    def __init__(self, items: Iterable[Item], deadline: float) -> None:
        self._items = iter(items)
        self._more = True
        self._deadline = deadline
        self._again: deque[Task[Item, Result]] = deque()
        self._seats: dict[int, _Seat[Item, Result]] = {}
        self._done = 0
        self._seconds = 0.0

    @property
    def workers(self) -> int:
        """Number of workers there are."""
        return len(self._seats)

    @property
    def finished(self) -> bool:
        """Whether every item has ended."""
        return not self._more and not self._again and not any(seat.tasks for seat in self._seats.values())

    def join(self, worker: int) -> None:
        """Take a worker in."""
        self._seats[worker] = _Seat()

    def stop(self) -> None:
        """Begin nothing new; what was begun still ends."""
        self._more = False
        self._items = iter(())

    def assign(self, now: float) -> Iterator[tuple[int, Task[Item, Result]]]:
        """Yield what is to be begun now, by whom; those that have least come first."""
        for filled in range(IN_FLIGHT):
            for worker, seat in self._seats.items():
                if len(seat.tasks) != filled or (task := self._next(seat, now)) is None:
                    continue
                if not seat.tasks:
                    seat.since = now
                seat.tasks.append(task)
                task.copies += 1
                yield worker, task

    def end(
        self, worker: int, task: Task[Item, Result], outcome: Outcome[Item, Result], now: float
    ) -> Outcome[Item, Result] | None:
        """Take in how a task ended at a worker; return the outcome where it is the item's, None where another's is.

        A skip of an item that another worker has as well waits for that one's end: it is probably the other's doing.
        """
        self._leave(worker, task, now)
        if outcome.status == "done":
            self._done += 1
            self._seconds += outcome.seconds
        if task.ended:
            return None
        if outcome.status == "skipped" and task.copies:
            task.held = outcome
            return None
        task.ended = True
        return outcome

    def lose(self, worker: int, reason: str) -> list[Outcome[Item, Result]]:
        """Take a worker out; its items go elsewhere. Return the ends of those that have been tried often enough."""
        seat = self._seats.pop(worker)
        if seat.tasks:
            seat.tasks[0].tries += 1  # what it worked on; the others only waited
        ends = []
        for task in seat.tasks:
            task.copies -= 1
            if task.ended or task.copies:
                continue
            if task.held or task.tries >= TRIES:
                task.ended = True
                failure: Outcome[Item, Result] = Outcome(task.item, "failed", error=f"{reason}, {task.tries} times")
                ends.append(task.held or failure)
            else:
                self._again.append(task)
        return ends

    def overdue(self, now: float) -> list[int]:
        """Return the workers that have been at one item for longer than the deadline."""
        return [worker for worker, seat in self._seats.items() if seat.tasks and now - seat.since > self._deadline]

    def _next(self, seat: _Seat[Item, Result], now: float) -> Task[Item, Result] | None:
        while self._again:
            task = self._again.popleft()
            if not task.ended:
                return task
        for item in self._items:
            return Task(item)
        self._more = False
        return None if seat.tasks else self._slow(now)

    def _slow(self, now: float) -> Task[Item, Result] | None:
        """Return the slowest task that only one worker has, if any is slow by the others' measure."""
        usual = self._seconds / self._done if self._done else 0.0
        at = [seat for seat in self._seats.values() if seat.tasks and now - seat.since > max(LEAST_SLOW, SLOW * usual)]
        tasks = (task for seat in sorted(at, key=lambda seat: seat.since) for task in seat.tasks)
        return next((task for task in tasks if task.copies == 1 and not task.ended), None)

    def _leave(self, worker: int, task: Task[Item, Result], now: float) -> None:
        seat = self._seats[worker]
        if seat.tasks[0] is task:
            seat.since = now
        seat.tasks.remove(task)
        task.copies -= 1
