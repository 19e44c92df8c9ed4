"""Runs jobs on a Ray cluster: workers read, convert and write; the driver hands out and hears how jobs ended."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cartoonize import __version__
from cartoonize.errors import first_line
from cartoonize.jobs.dispatching import Dispatcher, Task
from cartoonize.jobs.film_segments import SegmentItem
from cartoonize.jobs.ray_cluster import ClusterError, worker_class
from cartoonize.jobs.running import Interrupted, Outcome
from cartoonize.jobs.streaming import is_work, settled
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from cartoonize.jobs.converting import ConverterSpec
    from cartoonize.jobs.planning import Job

DEADLINE = 1800.0  # seconds for one photo
GIVE_UP = 120.0  # seconds without any worker
_POLL = 0.5  # seconds after which deadlines are looked at


@dataclass(frozen=True)
class Crew:
    """The workers to ask for: how many (None: as many as there are cores), and what each needs of a machine.

    memory: in bytes. gpu: one each, of those Ray knows of; a cluster that was started here shares this machine's.
    most: photos there are, where that is known.
    """

    workers: int | None
    cores: int
    memory: int
    gpu: bool = False
    most: int | None = None


def run_on_cluster(
    jobs: Iterable[Job] | Iterable[SegmentItem],
    spec: ConverterSpec,
    crew: Crew,
    *,
    tell: Callable[[str], None],
    ends: Callable[[Outcome[Any, Any]], bool] | None = None,
) -> Iterator[Outcome[Any, Any]]:
    """Do jobs, or segments of films, on the workers of the cluster that was joined, and yield how each ended.

    They are taken as workers get free; jobs planned to fail or be skipped end here. `tell` is told which workers
    cannot be used. ends: as of `running.run`. Raises ClusterError where no worker can be used.
    """
    return _Run(jobs, spec, crew, tell, ends).outcomes()


class _Run:
    """The loop of the driver: workers by number, what was asked of them by Ray's references."""

    def __init__(
        self,
        jobs: Iterable[Any],
        spec: ConverterSpec,
        crew: Crew,
        tell: Callable[[str], None],
        ends: Callable[[Outcome[Any, Any]], bool] | None,
    ) -> None:
        self._dispatcher: Dispatcher[Any, Any] = Dispatcher(jobs, DEADLINE)
        self._spec = spec
        self._crew = crew
        self._tell = tell
        self._ends = ends
        self._actors: dict[int, Any] = {}
        self._greetings: dict[Any, int] = {}
        self._tasks: dict[Any, tuple[int, Task[Any, Any]]] = {}
        self._problem = ""
        self._last_seen = time.monotonic()

    def outcomes(self) -> Iterator[Outcome[Any, Any]]:
        """Yield how each job ended; when this is left, in whatever way, no worker is."""
        import ray

        try:
            with signals_passed():
                self._hire()
                while not self._dispatcher.finished:
                    for outcome in (*self._begun(), *self._heard(), *self._overdue()):
                        if self._ends is not None and self._ends(outcome):
                            self._dispatcher.stop()
                        yield outcome
                    self._check_somebody_works()
        finally:
            for actor in self._actors.values():
                ray.kill(actor)

    def _hire(self) -> None:
        import ray

        there, gpu = ray.cluster_resources(), self._crew.gpu
        if gpu and not there.get("GPU"):
            raise ClusterError(
                "--device gpu: no machine of the cluster has a GPU that Ray knows of, which sees those of CUDA and ROCm"
                " alone: start it with `ray start --num-gpus 1`"
            )
        room = int(there.get("GPU" if gpu else "CPU", 0)) // (1 if gpu else self._crew.cores)
        number = max(1, min(self._crew.workers or room, self._crew.most or room))
        worker = ray.remote(worker_class()).options(
            num_cpus=self._crew.cores,
            num_gpus=int(self._crew.gpu),
            memory=self._crew.memory,
            max_restarts=-1,
            max_task_retries=0,  # a photo that kills its worker must not be tried by Ray behind our back
            scheduling_strategy="SPREAD",
        )
        for index in range(number):
            self._actors[index] = worker.remote(__version__, pickle.dumps(self._spec))
            self._greet(index)

    def _greet(self, worker: int) -> None:
        self._greetings[self._actors[worker].hello.remote()] = worker

    def _begun(self) -> Iterator[Outcome[Any, Any]]:
        """Hand jobs out; those planned to be skipped or to fail end at once."""
        for worker, task in self._dispatcher.assign(time.monotonic()):
            if is_work(task.item):
                self._tasks[self._actors[worker].do.remote(_portable(task.item))] = worker, task
            elif end := self._dispatcher.end(worker, task, settled(task.item), time.monotonic()):
                yield end

    def _heard(self) -> Iterator[Outcome[Any, Any]]:
        """Take in what workers answer: results first, since the loss of a worker costs what it had."""
        import ray

        references = [*self._greetings, *self._tasks]
        if not references:
            return
        ray.wait(references, num_returns=1, timeout=_POLL)
        ready, _ = ray.wait(references, num_returns=len(references), timeout=0)
        losses = []
        for reference in ready:
            try:
                with signals_passed():
                    answer = ray.get(reference)
            except Exception as error:  # of many kinds: the worker died, its node did, its memory ran out
                losses.append((reference, error))
                continue
            if reference in self._greetings:
                self._greeted(self._greetings.pop(reference), *answer)
            else:
                worker, task = self._tasks.pop(reference)
                if end := self._dispatcher.end(worker, task, replace(answer, item=task.item), time.monotonic()):
                    yield end
        for reference, loss in losses:
            if reference in self._greetings:
                self._refused(self._greetings.pop(reference), loss)
            elif reference in self._tasks:
                yield from self._lost(self._tasks[reference][0], _reason(loss))

    def _greeted(self, worker: int, host: str, problem: str) -> None:
        """Take a worker in, or send it away where it cannot do the work."""
        import ray

        if not problem:
            self._dispatcher.join(worker)
            return
        ray.kill(self._actors.pop(worker))
        if problem != self._problem:
            self._problem = problem
            self._tell(f"{host}: its workers are not used: {problem}")

    def _refused(self, worker: int, error: Exception) -> None:
        """Greet a worker again that is on its way back; give one up that will never be there."""
        from ray.exceptions import ActorDiedError

        if isinstance(error, ActorDiedError):
            del self._actors[worker]
            self._problem = self._problem or first_line(error)
        else:
            self._greet(worker)

    def _lost(self, worker: int, reason: str) -> Iterator[Outcome[Any, Any]]:
        """Give a lost worker's jobs to others, and greet the one that Ray starts in its place."""
        self._tasks = {reference: at for reference, at in self._tasks.items() if at[0] != worker}
        yield from self._dispatcher.lose(worker, reason)
        self._greet(worker)

    def _overdue(self) -> Iterator[Outcome[Any, Any]]:
        import ray

        for worker in self._dispatcher.overdue(time.monotonic()):
            ray.kill(self._actors[worker], no_restart=False)
            yield from self._lost(worker, f"no end within {DEADLINE:.0f} s")

    def _check_somebody_works(self) -> None:
        if self._dispatcher.workers:
            self._last_seen = time.monotonic()
        elif not self._actors:
            raise ClusterError(f"no worker of the cluster can be used: {self._problem}")
        elif time.monotonic() - self._last_seen > GIVE_UP:
            raise ClusterError(f"no worker for {GIVE_UP:.0f} s: has the cluster free cores and memory?")


@contextmanager
def signals_passed() -> Iterator[None]:
    """Raise what the handler of a signal raised inside Ray's native calls, which make it a SystemError's cause."""
    try:
        yield
    except SystemError as error:
        if isinstance(error.__cause__, Interrupted):
            raise error.__cause__ from None
        raise


def _portable(item: Job | SegmentItem) -> Job | SegmentItem:
    return item if isinstance(item, SegmentItem) else absolute(item)  # a segment means the same everywhere


def absolute(job: Job) -> Job:
    """Return a job that means the same in any folder."""
    if isinstance(job.source, File):
        job = replace(job, source=File(Path(os.path.abspath(job.source.path))))
    if isinstance(job.target, File):
        job = replace(job, target=File(Path(os.path.abspath(job.target.path))))
    return job


def _reason(error: Exception) -> str:
    """Return why a worker was lost, as far as Ray's errors tell."""
    if type(error).__name__ == "OutOfMemoryError":
        return "its worker was ended since the machine ran out of memory"
    return "its worker died (killed, out of memory, or its machine is gone)"
