from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError
from cartoonize.jobs.ending import Ending
from cartoonize.jobs.line import Budget
from cartoonize.jobs.running import Interrupted, Outcome, attempt, run


def double(item: int) -> str:
    return str(2 * item)


def raising(error: BaseException, at: int = 1) -> Callable[[int], str]:
    def work(item: int) -> str:
        if item == at:
            raise error
        return double(item)

    return work


def errors(outcomes: list[Outcome[int, str]]) -> dict[int, str | None]:
    return {outcome.item: outcome.error for outcome in outcomes if outcome.status == "failed"}


@pytest.mark.parametrize("workers", [1, 3])
def test_every_item_is_done_committed_and_told_once(workers: int) -> None:
    written: dict[int, str] = {}
    outcomes = list(run(range(20), double, workers=workers, commit=written.__setitem__))
    assert written == {n: str(2 * n) for n in range(20)}
    assert sorted(outcome.item for outcome in outcomes) == list(range(20))
    assert {outcome.item: outcome.result for outcome in outcomes} == written
    assert all(outcome.status == "done" for outcome in outcomes)


def test_results_are_committed_in_the_calling_thread() -> None:
    threads: set[int] = set()
    list(run(range(5), double, workers=2, commit=lambda *_: threads.add(threading.get_ident())))
    assert threads == {threading.get_ident()}


def test_nothing_to_do() -> None:
    assert list(run([], double, workers=2)) == []


def test_workers_run_side_by_side() -> None:
    meeting = threading.Barrier(4, timeout=600)
    outcomes = list(run(range(8), lambda item: str(meeting.wait()), workers=4))
    assert errors(outcomes) == {}


def test_items_in_flight_are_bounded_when_committing_is_slow() -> None:
    begun, committed, most = 0, 0, 0
    lock = threading.Lock()

    def work(item: int) -> str:
        nonlocal begun
        with lock:
            begun += 1
        return double(item)

    def commit(item: int, result: str) -> None:
        nonlocal committed, most
        time.sleep(0.005)
        most = max(most, begun - committed)
        committed += 1

    list(run(range(30), work, workers=2, commit=commit))
    assert most <= 2 + 2, "two workers, one result waiting, one being committed"


def weights_in_flight(weights: list[int], total: int) -> list[int]:
    """What was in flight together, each time an item was begun, with as many workers as items."""
    seen: list[int] = []
    in_flight = 0
    lock = threading.Lock()

    def work(item: int) -> str:
        nonlocal in_flight
        with lock:
            in_flight += weights[item]
            seen.append(in_flight)
        time.sleep(0.02)
        with lock:
            in_flight -= weights[item]
        return double(item)

    outcomes = list(run(range(len(weights)), work, workers=len(weights), budget=Budget(total, weights.__getitem__)))
    assert len(outcomes) == len(weights)
    return seen


def test_items_in_flight_fit_the_budget_together() -> None:
    seen = weights_in_flight([3, 3, 3, 3, 3, 3], total=7)
    assert max(seen) == 6, "two of them, never three"


def test_one_item_beyond_the_budget_runs_alone() -> None:
    seen = weights_in_flight([1, 100, 1], total=7)
    assert 100 in seen
    assert max(seen) == 100


def test_item_that_cannot_be_weighed_is_attempted_and_tells_its_own_error() -> None:
    def unknown(item: int) -> int:
        raise OSError("no header")

    outcomes = list(run(range(3), raising(DecodeError("damaged")), workers=2, budget=Budget(1, unknown)))
    assert errors(outcomes) == {1: "damaged"}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DecodeError("not a picture"), "not a picture"),
        (DecodeError("two\nlines"), "two lines"),
        (MemoryError(), "out of memory: try a smaller --size"),
        (ZeroDivisionError("by zero"), "unexpected error: ZeroDivisionError: by zero (please report)"),
        (SystemExit(3), "unexpected error: SystemExit: 3 (please report)"),
    ],
)
def test_one_bad_item_does_not_stop_the_others(error: BaseException, message: str) -> None:
    written: dict[int, str] = {}
    outcomes = list(run(range(4), raising(error), workers=2, commit=written.__setitem__))
    assert errors(outcomes) == {1: message}
    assert sorted(written) == [0, 2, 3]


def test_only_an_unexpected_error_carries_its_trace() -> None:
    unexpected, expected = (attempt(raising(error), 1) for error in (ZeroDivisionError("x"), DecodeError("x")))
    assert "ZeroDivisionError" in unexpected.trace
    assert "in work" in unexpected.trace
    assert expected.trace == ""


@pytest.mark.parametrize("error", [None, DecodeError("bad"), ZeroDivisionError("x"), AlreadyThereError()])
def test_an_attempt_in_another_process_can_be_sent_back(error: BaseException | None) -> None:
    outcome = attempt(raising(error) if error else double, 1)
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_failing_commit_is_that_items_failure() -> None:
    def commit(item: int, result: str) -> None:
        if item == 0:
            raise EncodeError("the disk is full")

    outcomes = list(run(range(3), double, workers=1, commit=commit))
    assert errors(outcomes) == {0: "the disk is full"}
    assert outcomes[0].result is None


def test_result_that_another_run_made_meanwhile_is_skipped() -> None:
    def commit(item: int, result: str) -> None:
        if item == 2:
            raise AlreadyThereError

    outcomes = list(run(range(3), raising(AlreadyThereError()), workers=1, commit=commit, ends=Ending(fail_fast=True)))
    assert {o.item: o.reason for o in outcomes if o.status == "skipped"} == {1: "exists by now", 2: "exists by now"}
    assert errors(outcomes) == {}


def test_fail_fast_begins_nothing_after_a_failure() -> None:
    outcomes = list(run(range(100), raising(DecodeError("bad")), workers=1, ends=Ending(fail_fast=True)))
    assert errors(outcomes) == {1: "bad"}
    assert len(outcomes) <= 4


def test_fail_fast_begins_nothing_that_waits_for_room() -> None:
    def work(item: int) -> str:
        time.sleep(0.05)
        return raising(DecodeError("bad"), at=0)(item)

    outcomes = list(run(range(9), work, workers=9, budget=Budget(1, lambda _: 1), ends=Ending(fail_fast=True)))
    assert errors(outcomes) == {0: "bad"}
    assert len(outcomes) <= 2


@pytest.mark.parametrize("error", [BrokenPipeError(), Interrupted(130), KeyboardInterrupt()])
def test_end_of_the_run_does_not_wait_for_workers(error: BaseException) -> None:
    release = threading.Event()

    def work(item: int) -> str:
        if item != 0:
            release.wait(600)
        return double(item)

    def commit(item: int, result: str) -> None:
        raise error

    start = time.perf_counter()
    with pytest.raises(type(error)):
        list(run(range(3), work, workers=2, commit=commit))
    release.set()
    assert time.perf_counter() - start < 300, "the work would go on for 600"


def test_items_are_taken_when_they_begin_and_what_they_raise_is_raised_by_the_run() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n
            if n == 20:
                raise OSError("the list ended")

    ended: list[int] = []

    def follow() -> None:
        for outcome in run(items(), double, workers=2):
            ended.append(outcome.item)
            assert len(taken) <= len(ended) + 2 + 2, "two begun, two results waiting"

    with pytest.raises(OSError, match="the list ended"):
        follow()
    assert sorted(ended) == list(range(21))


def test_what_takes_too_long_is_given_up_and_the_others_go_on() -> None:
    endless, begun = threading.Event(), threading.Event()

    def work(item: int) -> str:
        if item == 1:
            begun.set()
            endless.wait()
        elif item > 1:
            begun.wait()
        return double(item)

    written: dict[int, str] = {}
    budget = Budget[int](10, lambda item: 10)  # one at a time: what is given up makes room
    outcomes = list(
        run(
            range(6),
            work,
            workers=1,
            commit=written.__setitem__,
            budget=budget,
            patience=lambda item: 1.5 + 100 * (item != 1),
        )
    )
    endless.set()
    assert errors(outcomes) == {1: "takes longer than 2 s: --timeout gives it more"}
    assert sorted(outcome.item for outcome in outcomes) == list(range(6)), "each has one end"
    assert written == {n: double(n) for n in range(6) if n != 1}


def test_what_ends_after_it_was_given_up_has_no_second_end() -> None:
    late = threading.Event()

    def work(item: int) -> str:
        if item == 0:
            late.wait()
        return double(item)

    outcomes = []
    for outcome in run(range(3), work, workers=2, patience=lambda item: 1.0):
        outcomes.append(outcome)
        if outcome.status == "failed":
            late.set()
            time.sleep(0.2)
    assert sorted(outcome.item for outcome in outcomes) == [0, 1, 2]
    assert errors(outcomes) == {0: "takes longer than 1 s: --timeout gives it more"}
