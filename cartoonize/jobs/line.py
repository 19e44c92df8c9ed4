"""Items that wait for their turn, and the memory that those in flight share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Budget(Generic[Item]):
    """What items in flight share: together they weigh at most `total`, unless one alone weighs more."""

    total: int
    weigh: Callable[[Item], int]


class Line(Generic[Item]):
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
        try:
            return self._budget.weigh(item) if self._budget else 0
        except Exception:  # whoever works on it will say what is wrong
            return 0

    def _has_room(self, weight: int) -> bool:
        return not self._budget or not self._in_flight or self._in_flight + weight <= self._budget.total
