"""Handing out items to workers that die, hang and come back: by hand, and in a simulation with a clock of its own."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartoonize.jobs.dispatching import IN_FLIGHT, Dispatcher, Task
from cartoonize.jobs.ray_running import signals_passed
from cartoonize.jobs.running import Interrupted, Outcome

Given = list[tuple[int, Task[int, str]]]


def dispatcher(items: int | Iterator[int], workers: int = 2, deadline: float = 100.0) -> Dispatcher[int, str]:
    made: Dispatcher[int, str] = Dispatcher(range(items) if isinstance(items, int) else items, deadline)
    for worker in range(workers):
        made.join(worker)
    return made


def done(task: Task[int, str], seconds: float = 1.0) -> Outcome[int, str]:
    return Outcome(task.item, "done", seconds, result="made")


def skipped(task: Task[int, str]) -> Outcome[int, str]:
    return Outcome(task.item, "skipped", reason="exists by now")


def given_out(given: Given) -> list[tuple[int, int]]:
    return [(worker, task.item) for worker, task in given]


def test_every_worker_gets_one_item_before_any_gets_two_and_no_more_are_taken() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for n in itertools.count():
            taken.append(n)
            yield n

    at = dispatcher(items(), workers=3)
    assert given_out(list(at.assign(0))) == [(0, 0), (1, 1), (2, 2), (0, 3), (1, 4), (2, 5)]
    assert list(at.assign(0)) == []
    assert taken == list(range(3 * IN_FLIGHT))


def test_an_item_whose_worker_dies_goes_elsewhere_and_what_waited_is_not_blamed() -> None:
    at = dispatcher(3, workers=1)
    (_, running), (_, waiting) = list(at.assign(0))
    assert at.lose(0, "died") == []
    at.join(1)
    assert given_out(list(at.assign(1))) == [(1, 0), (1, 1)]
    assert (running.tries, waiting.tries) == (1, 0)


@pytest.mark.parametrize("waiting", [True, False])
def test_three_lost_workers_are_the_end_of_an_item_and_of_no_other(waiting: bool) -> None:
    at = dispatcher(2 if waiting else 1, workers=1)
    ends: list[Outcome[int, str]] = []
    for _ in range(20):
        given = list(at.assign(0))
        if not given:
            break
        worker, task = given[0]
        if task.item == 0:
            ends += at.lose(worker, "its worker died (out of memory)")
            at.join(worker)
        else:
            ends.append(at.end(worker, task, done(task), 1) or Outcome(-1, "failed"))
            for rest in given[1:]:
                ends += at.lose(worker, "its worker died (out of memory)")
                at.join(worker)
                assert rest[1].item == 0
    failed = {end.item: end.error for end in ends if end.status == "failed"}
    assert failed == {0: "its worker died (out of memory), 3 times"}
    assert len(ends) == (2 if waiting else 1)
    assert at.finished


def test_the_last_slow_items_are_begun_twice_and_the_first_end_counts() -> None:
    at = dispatcher(4, workers=2)
    first = {task.item: (worker, task) for worker, task in at.assign(0)}
    for item in (1, 3):
        worker, task = first[item]
        assert at.end(worker, task, done(task, 2.0), 2.0)
    assert list(at.assign(3)) == [], "nothing is slow yet"
    [(helper, slow)] = list(at.assign(10))
    assert (helper, slow.item) == (1, 0)
    assert at.end(1, slow, done(slow), 11)
    [(helper, behind)] = list(at.assign(11))
    assert (helper, behind.item) == (1, 2), "and what waited behind it"
    assert at.end(0, slow, done(slow), 12) is None, "one end an item"
    assert at.end(0, behind, done(behind), 12)
    assert at.end(1, behind, skipped(behind), 13) is None
    assert at.finished


def test_a_skip_that_is_the_other_copys_doing_is_not_the_items_end() -> None:
    at = dispatcher(1, workers=2)
    [(_, task)] = list(at.assign(0))
    [(second, _)] = list(at.assign(50))
    assert at.end(second, task, skipped(task), 51) is None
    end = at.end(0, task, done(task), 52)
    assert end is not None
    assert end.status == "done"


def test_a_skip_counts_where_the_other_copy_is_lost() -> None:
    at = dispatcher(1, workers=2)
    [(_, task)] = list(at.assign(0))
    [(second, _)] = list(at.assign(50))
    at.end(second, task, skipped(task), 51)
    assert [end.status for end in at.lose(0, "died")] == ["skipped"]
    assert at.finished


def test_workers_that_are_too_long_at_one_item_are_named() -> None:
    at = dispatcher(3, workers=1, deadline=10)
    (_, first), (_, second) = list(at.assign(0))
    assert at.overdue(10) == []
    assert at.overdue(10.1) == [0]
    at.end(0, first, done(first), 12)
    assert at.overdue(20) == [], "the second began when the first ended"
    assert at.overdue(22.1) == [0]
    assert second.item == 1


def test_stopping_begins_nothing_new() -> None:
    at = dispatcher(100, workers=1)
    given = list(at.assign(0))
    at.stop()
    for worker, task in given:
        at.end(worker, task, done(task), 1)
    assert list(at.assign(2)) == []
    assert at.finished


def simulate(
    items: int, workers: int, seconds: Callable[[int], float], dies: Callable[[int], bool], deadline: float
) -> list[Outcome[int, str]]:
    """Run a dispatcher with workers of a made-up time; one that dies is back after a second."""
    at = dispatcher(items, workers, deadline)
    queues: dict[int, list[Task[int, str]]] = {worker: [] for worker in range(workers)}
    events: list[tuple[float, int, int, str]] = []
    number = itertools.count()
    ends: list[Outcome[int, str]] = []
    now = 0.0

    def begin(worker: int) -> None:
        if queues[worker]:
            what = "dies" if dies(queues[worker][0].item) else "ends"
            heapq.heappush(events, (now + seconds(queues[worker][0].item), next(number), worker, what))

    while not at.finished:
        for worker, task in at.assign(now):
            queues[worker].append(task)
            if len(queues[worker]) == 1:
                begin(worker)
        if at.finished:
            break
        now, _, worker, what = heapq.heappop(events)
        if what == "back":
            at.join(worker)
            queues[worker] = []
        elif what == "dies":
            ends += at.lose(worker, "died")
            heapq.heappush(events, (now + 1, next(number), worker, "back"))
        else:
            task = queues[worker].pop(0)
            if end := at.end(worker, task, done(task, seconds(task.item)), now):
                ends.append(end)
            begin(worker)
    return ends


@settings(max_examples=100)
@given(st.integers(0, 60), st.integers(1, 7), st.integers(0, 2**32), st.floats(0, 0.4))
def test_every_item_has_exactly_one_end_however_workers_die(items: int, workers: int, seed: int, risk: float) -> None:
    some = random.Random(seed)
    poison = {n for n in range(items) if some.random() < 0.1}
    ends = simulate(
        items, workers, lambda n: some.expovariate(1), lambda n: n in poison or some.random() < risk, deadline=1e9
    )
    assert Counter(end.item for end in ends) == Counter(range(items))
    assert {end.item for end in ends if end.status == "failed"} >= poison


def test_signals_inside_native_calls_are_signals() -> None:
    with pytest.raises(Interrupted) as stop, signals_passed():
        raise SystemError("returned a result with an exception set") from Interrupted(143)
    assert stop.value.exit_code == 143
    with pytest.raises(SystemError), signals_passed():
        raise SystemError("something else")
