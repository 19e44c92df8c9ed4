"""What clusters and stores cost: Ray against the local run, a plan of two million names, a driver of a hundred workers.

python benchmarks/scale.py [ray] [plan] [driver]
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from measure import cartoonize, header, row, save

from cartoonize.jobs.dispatching import Dispatcher, Task
from cartoonize.jobs.running import Outcome


def ray_against_local(photos: int, height: int, width: int) -> None:
    """The same folder, by two workers of one thread each, here and on a Ray node started for the run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        for n in range(photos):
            save(folder / f"{n:03}.jpg", height, width)
        ends = {}
        for side in ("local", "ray", "local", "ray"):  # interleaved: the second of each counts
            shutil.rmtree(f"{name}/out", ignore_errors=True)
            extra = ("--ray", "local") if side == "ray" else ()
            ends[side] = timed_ends(cartoonize(str(folder), "--out", f"{name}/out", "--jobs", "2", "--json", *extra))
    for side, (start_up, seconds) in ends.items():
        row(f"{side}: until the first photo is done", start_up)
        row(f"{side}: from the first photo done to the last, {photos} photos {width} x {height}", seconds)
    row("  ratio after start-up, ray / local", ends["ray"][1] / ends["local"][1], "x")


def timed_ends(command: list[str]) -> tuple[float, float]:
    """Return the seconds until the first result, and from there to the last."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    times = [time.perf_counter() - start for line in process.stdout if json.loads(line).get("status") == "done"]
    if process.wait():
        raise SystemExit("the run failed")
    return times[0], times[-1] - times[0]


def plan(names: int) -> None:
    """Plan a bucket of so many names, listed by pages without a network; in a process of its own, for its memory."""
    code = f"import scale; scale.plan_here({names})"
    start = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run([sys.executable, "-c", code], env=start, check=True)


def plan_here(names: int) -> None:
    from cartoonize.jobs.remote_planning import plan_stream
    from cartoonize.remote import listing
    from cartoonize.remote.urls import Url

    def page_after(prefix: Url, after: str) -> listing.Page:
        if prefix.root == "s3://out/":
            return listing.Page([], after, complete=True)
        first = int(after[-11:-4]) + 1 if after else 0
        keys = [f"studio/{n // 5000:04}/photo-{n:07}.jpg" for n in range(first, min(first + listing.PAGE, names))]
        return listing.Page(keys, keys[-1] if keys else after, first + listing.PAGE >= names)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (
        mock.patch.object(listing, "page_after", page_after),
        mock.patch("cartoonize.jobs.remote_planning.page_after", page_after),
    ):
        start = time.perf_counter()
        jobs = plan_stream(["s3://in/"], out="s3://out/").jobs
        next(jobs)
        first = time.perf_counter() - start
        count = 1 + sum(1 for _ in jobs)
        seconds = time.perf_counter() - start
    assert count == names
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    row("until the first job is known", first)
    row(f"until all of {names:,} are", seconds)
    row("peak memory a name", grown / names, "bytes")


def driver(workers: int, items: int, height: int, width: int) -> None:
    """What the driver's own work on an item costs, and how many workers it could keep busy, by times measured here."""
    times = service_seconds(height, width)
    mean = statistics.mean(times)
    row(f"a photo, mean of {len(times)} about {width} x {height}, one at a time", mean)
    ray_cost = ray_seconds_an_item()
    row("driver's time an item with Ray: submit, wait, get (two workers that do nothing)", ray_cost * 1e6, "us")
    start = time.process_time()
    simulate(workers, items, times, 0)
    cost = (time.process_time() - start) / items
    row(f"dispatcher's own time an item, {workers} workers (simulated clock)", cost * 1e6, "us")
    busy = simulate(workers, items, times, cost + ray_cost)
    row(f"share of the time that {workers} workers are busy, by a driver of that cost", busy, "")
    row("workers at which the driver saturates, such photos", mean / (cost + ray_cost), "")


def service_seconds(height: int, width: int) -> list[float]:
    """Cartoonize photos of half to one and a half times a size, one after the other; return what each took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        for n in range(20, 61):  # fortieths of the size
            save(folder / f"{n}.jpg", height * n // 40, width * n // 40)
        command = cartoonize(str(folder), "--out", f"{name}/out", "--jobs", "1", "--json")
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    outcomes = [json.loads(line) for line in said.splitlines()]
    return [outcome["seconds"] for outcome in outcomes if outcome.get("status") == "done"]


def simulate(workers: int, items: int, times: list[float], cost: float) -> float:
    """Let a dispatcher hand out items that take one of the times each; return how busy the workers were.

    The driver takes up ends one after the other, each at the cost in seconds.
    """
    some = random.Random(1)
    at: Dispatcher[int, str] = Dispatcher(range(items), 1e9)
    queues: dict[int, list[tuple[Task[int, str], float]]] = {}
    for worker in range(workers):
        at.join(worker)
        queues[worker] = []
    events: list[tuple[float, int]] = []
    now = worked = 0.0
    while True:
        for worker, task in at.assign(now):
            queues[worker].append((task, some.choice(times)))
            if len(queues[worker]) == 1:
                heapq.heappush(events, (now + queues[worker][0][1], worker))
        if at.finished:
            return worked / (now * workers)
        ended, worker = heapq.heappop(events)
        now = max(now, ended) + cost
        task, took = queues[worker].pop(0)
        worked += took
        at.end(worker, task, Outcome(task.item, "done", took, result=""), now)
        if queues[worker]:  # the one that waits began when the other ended
            heapq.heappush(events, (ended + queues[worker][0][1], worker))


def ray_seconds_an_item(items: int = 4000) -> float:
    """Return the processor time of the driver for an item, with the run's own way of asking Ray."""
    import ray

    from cartoonize.jobs.ray_cluster import cluster

    class Idle:
        def do(self, job: object) -> object:
            return job

    with cluster("local", 2):
        actors = [ray.remote(Idle).options(num_cpus=1).remote() for _ in range(2)]
        ray.get([actor.do.remote(0) for actor in actors])
        before = time.process_time()
        turn = itertools.cycle(actors)
        flying = [next(turn).do.remote(n) for n in range(4)]
        for n in range(4, items):
            ray.wait(flying, num_returns=1, timeout=0.5)
            ready, flying = ray.wait(flying, num_returns=len(flying), timeout=0)
            ray.get(ready)
            flying += [next(turn).do.remote(n) for _ in ready]
        return (time.process_time() - before) / items


def parts() -> Iterator[tuple[str, str]]:
    yield "ray", "300 photos here and on a Ray node"
    yield "plan", "two million names"
    yield "driver", "a hundred workers"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=[name for name, _ in parts()])
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--names", type=int, default=2_000_000)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=720)
    options = parser.parse_args()
    header()
    if "ray" in options.parts:
        ray_against_local(options.photos, options.height, options.width)
    if "plan" in options.parts:
        plan(options.names)
    if "driver" in options.parts:
        driver(100, 20_000, options.height, options.width)


if __name__ == "__main__":
    main()
