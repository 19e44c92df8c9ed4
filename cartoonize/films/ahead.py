"""Work that runs ahead of its consumer, on a thread, a few items at most."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import closing, suppress
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")

_PATIENCE = 0.2  # seconds between looks at whether anybody still waits


class _End(Exception):  # noqa: N818  no error: the last thing in the line
    """There is nothing more."""


class _Line(Generic[Item]):
    """A bounded queue that one side may leave."""

    def __init__(self, size: int) -> None:
        self._queue: Queue[tuple[Item | None, BaseException | None]] = Queue(size)
        self.left = threading.Event()

    def put(self, item: Item | None, error: BaseException | None = None) -> bool:
        """Wait for room; False when nobody takes anything any more."""
        while not self.left.is_set():
            with suppress(Full):
                self._queue.put((item, error), timeout=_PATIENCE)
                return True
        return False

    def take(self) -> Item:
        """Wait for an item; raises what was put in as an error."""
        while True:
            try:
                item, error = self._queue.get(timeout=_PATIENCE)  # on Windows Ctrl-C is noticed only between waits
            except Empty:
                continue
            if error is not None:
                raise error
            return item  # type: ignore[return-value]  # no error, so there is one


def ahead(items: Generator[Item, None, None], size: int) -> Generator[Item, None, None]:
    """Yield the items of a generator that runs on a thread of its own, up to `size` of them in advance.

    What it raises is raised here. Closing this one ends it at its next item.
    """
    line: _Line[Item] = _Line(size)

    def fill() -> None:
        with closing(items):
            try:
                if all(map(line.put, items)):
                    line.put(None, _End())
            except BaseException as error:  # a thread that died silently would leave the consumer waiting for ever
                line.put(None, error)

    threading.Thread(target=fill, daemon=True).start()
    try:
        while True:
            yield line.take()
    except _End:
        return
    finally:
        line.left.set()
