from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError
from cartoonize.jobs import running
from cartoonize.jobs.planning import Job
from cartoonize.jobs.running import Outcome
from cartoonize.media.codec import Encoded


def jobs(count: int) -> list[Job]:
    return [Job(Path(f"{n}.jpg"), Path(f"{n}_cartoon.jpg"), "JPEG", "write") for n in range(count)]


def encoded(job: Job) -> Encoded:
    return Encoded(str(job.source).encode(), (f"note on {job.source}",))


class Sink:
    """Collects what a run writes and reports, with the threads it does so from."""

    def __init__(self) -> None:
        self.written: dict[str, bytes] = {}
        self.outcomes: list[Outcome] = []
        self.threads: set[int] = set()

    def write(self, job: Job, data: bytes) -> None:
        self.written[str(job.target)] = data
        self.threads.add(threading.get_ident())

    def report(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.threads.add(threading.get_ident())

    def errors(self) -> dict[str, str | None]:
        return {str(o.job.source): o.error for o in self.outcomes if o.status == "failed"}


def raising(error: BaseException, at: str = "1.jpg") -> Callable[[Job], Encoded]:
    def convert(job: Job) -> Encoded:
        if str(job.source) == at:
            raise error
        return encoded(job)

    return convert


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_is_written_and_reported_once_from_the_calling_thread(workers: int) -> None:
    sink = Sink()
    running.run(jobs(20), encoded, sink.write, sink.report, workers=workers)
    assert sink.written == {f"{n}_cartoon.jpg": f"{n}.jpg".encode() for n in range(20)}
    assert sorted(str(o.job.source) for o in sink.outcomes) == sorted(f"{n}.jpg" for n in range(20))
    assert {o.notes for o in sink.outcomes} == {(f"note on {n}.jpg",) for n in range(20)}
    assert sink.threads == {threading.get_ident()}


def test_workers_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def convert(job: Job) -> Encoded:
        meeting.wait()
        return encoded(job)

    sink = Sink()
    running.run(jobs(4), convert, sink.write, sink.report, workers=2)
    assert sink.errors() == {}


def test_photos_in_flight_are_bounded_when_writing_is_slow() -> None:
    begun, most = 0, 0
    lock = threading.Lock()
    sink = Sink()

    def convert(job: Job) -> Encoded:
        nonlocal begun
        with lock:
            begun += 1
        return encoded(job)

    def write(job: Job, data: bytes) -> None:
        nonlocal most
        time.sleep(0.005)
        most = max(most, begun - len(sink.written))
        sink.write(job, data)

    running.run(jobs(30), convert, write, sink.report, workers=2)
    assert most <= 2 + 2, "two workers, one result waiting, one being written"


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
def test_one_bad_photo_does_not_stop_the_others(error: BaseException, message: str) -> None:
    sink = Sink()
    running.run(jobs(4), raising(error), sink.write, sink.report, workers=2)
    assert sink.errors() == {"1.jpg": message}
    assert len(sink.written) == 3


def test_only_an_unexpected_error_carries_its_trace() -> None:
    sink = Sink()
    running.run(jobs(2), raising(ZeroDivisionError("x")), sink.write, sink.report, workers=1)
    running.run(jobs(2), raising(DecodeError("x")), sink.write, sink.report, workers=1)
    unexpected, expected = [o.trace for o in sink.outcomes if o.status == "failed"]
    assert "ZeroDivisionError" in unexpected
    assert "in convert" in unexpected
    assert expected == ""


def test_failing_write_is_that_files_failure() -> None:
    sink = Sink()

    def write(job: Job, data: bytes) -> None:
        if str(job.source) == "0.jpg":
            raise EncodeError("the disk is full")
        sink.write(job, data)

    running.run(jobs(3), encoded, write, sink.report, workers=1)
    assert sink.errors() == {"0.jpg": "the disk is full"}
    assert len(sink.written) == 2


def test_result_that_another_run_made_meanwhile_is_skipped() -> None:
    sink = Sink()

    def write(job: Job, data: bytes) -> None:
        if str(job.source) == "2.jpg":
            raise AlreadyThereError
        sink.write(job, data)

    running.run(jobs(3), raising(AlreadyThereError()), write, sink.report, workers=1, fail_fast=True)
    skipped = {str(o.job.source): o.job.reason for o in sink.outcomes if o.status == "skipped"}
    assert skipped == {"1.jpg": "exists by now", "2.jpg": "exists by now"}
    assert set(sink.written) == {"0_cartoon.jpg"}
    assert sink.errors() == {}


def test_fail_fast_begins_nothing_after_a_failure() -> None:
    sink = Sink()
    running.run(jobs(100), raising(DecodeError("bad")), sink.write, sink.report, workers=1, fail_fast=True)
    assert sink.errors() == {"1.jpg": "bad"}
    assert len(sink.outcomes) <= 4


@pytest.mark.parametrize("error", [BrokenPipeError(), running.Interrupted(130), KeyboardInterrupt()])
def test_end_of_the_run_does_not_wait_for_workers(error: BaseException) -> None:
    release = threading.Event()

    def convert(job: Job) -> Encoded:
        if str(job.source) != "0.jpg":
            release.wait(30)
        return encoded(job)

    def write(job: Job, data: bytes) -> None:
        raise error

    start = time.perf_counter()
    with pytest.raises(type(error)):
        running.run(jobs(3), convert, write, Sink().report, workers=2)
    release.set()
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("cores", "count", "device", "shares"),
    [
        (2, 1, "cpu", (1, 2)),
        (2, 30, "cpu", (2, 1)),
        (16, 30, "cpu", (2, 8)),
        (8, 3, "cpu", (2, 4)),
        (8, 9, "gpu", (1, 8)),
    ],
)
def test_cores_are_shared(
    monkeypatch: pytest.MonkeyPatch, cores: int, count: int, device: str, shares: tuple[int, int]
) -> None:
    monkeypatch.setattr(running, "available_cores", lambda: cores)
    assert running.share_cores(count, device) == shares
