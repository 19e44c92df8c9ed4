"""What `--jobs` brings: blocking work on 1 to 8 workers, then real photos with the real generator on 1 to 4.

The stand-in blocks without a processor, as a generator does that runs elsewhere: what it shows is the runner's own
overhead. The real photos show where this machine's cores end; the rounds of all numbers of workers are interleaved.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from measure import header, row, save, seconds

from cartoonize.generators.generator import load
from cartoonize.jobs.committing import commit
from cartoonize.jobs.converting import Converter, ConverterSpec
from cartoonize.jobs.planning import plan
from cartoonize.jobs.remaking import Remake
from cartoonize.jobs.running import run
from cartoonize.jobs.sharing import share
from cartoonize.machine import available_cores

ITEMS, SECONDS, PHOTOS, ROUNDS = 80, 0.05, 12, 3


def block(_: int) -> None:
    time.sleep(SECONDS)


def all_of(items: range, workers: int) -> None:
    for _ in run(items, block, workers=workers):
        pass


def converted(folder: Path, converter: Converter, workers: int) -> None:
    """Cartoonize the folder, replacing what is there."""
    jobs = plan([folder], out=f"{folder}/out", remake=Remake(overwrite=True)).todo
    budget = share(len(jobs), load("fast"), None, "cpu", workers).budget
    outcomes = list(run(jobs, converter, workers=workers, commit=commit, budget=budget))
    assert all(outcome.status == "done" for outcome in outcomes), outcomes


def interleaved(ways: dict[int, Callable[[], None]]) -> dict[int, float]:
    """Median seconds of each way, all of them in every round."""
    rounds = [{workers: seconds(way) for workers, way in ways.items()} for _ in range(ROUNDS)]
    return {workers: statistics.median(each[workers] for each in rounds) for workers in ways}


def show(label: str, taken: dict[int, float]) -> None:
    for workers, spent in taken.items():
        row(f"{label}, {workers} at a time", spent)
        row("  times as fast as one", taken[1] / spent, "x")


def main() -> None:
    header()
    show(f"{ITEMS} items that block {SECONDS} s", interleaved({n: partial(all_of, range(ITEMS), n) for n in (1, 2, 8)}))
    with tempfile.TemporaryDirectory() as name:
        for number in range(PHOTOS):
            save(Path(name) / f"{number}.jpg", 1080, 1620)
        threads = {n: max(1, available_cores() // n) for n in (1, 2, 4)}
        converters = {n: ConverterSpec(threads=each).build() for n, each in threads.items()}
        ways = {n: partial(converted, Path(name), converter, n) for n, converter in converters.items()}
        for way in ways.values():
            way()  # warm
        show(f"{PHOTOS} photos of 1620 x 1080, `fast`", interleaved(ways))


if __name__ == "__main__":
    main()
