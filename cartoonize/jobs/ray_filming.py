"""Films on a Ray cluster: their segments are made by its workers, and joined by the driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from cartoonize.errors import AlreadyThereError, CartoonizeError
from cartoonize.films.filming import Filming
from cartoonize.jobs.film_segments import SegmentItem
from cartoonize.jobs.filming import ConvertedFilm, FilmJob, as_converted
from cartoonize.jobs.ray_running import absolute
from cartoonize.jobs.running import Outcome, run
from cartoonize.jobs.staging import Stage, film_job, staged
from cartoonize.media.stores import File
from cartoonize.remote.objects import Remote
from cartoonize.remote.transfer import fetch, remove, remove_below
from cartoonize.remote.urls import Url

if TYPE_CHECKING:
    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.films.filming import Progress
    from cartoonize.films.options import FilmOptions
    from cartoonize.films.spans import Span
    from cartoonize.jobs.manifest import Settings
    from cartoonize.jobs.planning import Job
    from cartoonize.media.film.segments import Segment

    Shown: TypeAlias = Callable[[str], AbstractContextManager[Callable[[Progress], None]]]
    Run: TypeAlias = Callable[[Iterable[SegmentItem]], Iterator[Outcome[Any, Any]]]


@dataclass
class _Film:
    """A film at work: what of it is on the way, and what is to be left when it ends."""

    stage: Stage
    film: FilmJob
    filming: Filming
    tell: Callable[[Progress], None]
    left: ExitStack
    start: float
    on_the_way: int = 0
    handed_out: bool = False
    failed: Outcome[Any, Any] | None = None

    @property
    def waiting(self) -> Url | None:
        """The folder of a store in which packets wait for the driver, None where they go to a disk that all share."""
        target = self.stage.job.target
        if not isinstance(target, Remote):
            return None
        folder = target.url.key[: target.url.key.rfind("/") + 1]
        return target.url.at(f"{folder}.cartoonize-{self.stage.folder.name}/")


class FilmsOnCluster:
    """Hands out the segments of films one film after the other, so that no worker waits while one of them is joined.

    shown: shows how far the film of a name is while its block is open. A film is looked over, joined and put in its
    place by the driver, its frames are seen by workers alone.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        options: FilmOptions,
        settings: Settings,
        cartoonizer: Cartoonizer,
        shown: Shown,
        *,
        thumbnails: bool = False,
        fail_fast: bool = False,
    ) -> None:
        self._jobs = jobs
        self._options = options
        self._settings = settings
        self._cartoonizer = cartoonizer
        self._shown = shown
        self._thumbnails = thumbnails
        self._fail_fast = fail_fast
        self._films: dict[int, _Film] = {}
        self._ended: list[Outcome[Job, ConvertedFilm]] = []
        self._failed = False

    def outcomes(self, run_all: Run) -> Iterator[Outcome[Job, ConvertedFilm]]:
        """Yield how each film ended; `run_all` has items made, as `run_on_cluster` does."""
        try:
            items = self._items()
            first = next(items, None)
            yield from self._told()
            if first is None:
                return
            for outcome in run_all(chain([first], items)):
                self._take(outcome)
                yield from self._told()
            yield from self._told()
        finally:
            for film in self._films.values():
                film.left.close()

    def _items(self) -> Iterator[SegmentItem]:
        for number, job in enumerate(self._jobs):
            if self._fail_fast and self._failed:
                return
            begun = _in_thread(self._begun, job)
            if begun.result is None:
                self._end(begun)
                continue
            film = self._films[number] = begun.result
            for span in film.filming.missing:
                if film.failed:
                    break
                film.on_the_way += 1
                yield _item(number, film, span)
            film.handed_out = True
            self._end_if_complete(number)

    def _told(self) -> Iterator[Outcome[Job, ConvertedFilm]]:
        while self._ended:
            yield self._ended.pop(0)

    def _begun(self, job: Job) -> _Film:
        if job.action == "write" and isinstance(job.target, File) and job.target.exists():
            raise AlreadyThereError
        with ExitStack() as stack:
            start = perf_counter()
            stage = stack.enter_context(staged(absolute(job)))
            film = film_job(stage, self._options, self._settings)
            filming = Filming(film.commission, self._cartoonizer, film.announcing())
            stack.enter_context(filming.held())
            tell = stack.enter_context(self._shown(str(job.source)))
            return _Film(replace(stage, job=job), film, filming, tell, stack.pop_all(), start)

    def _take(self, outcome: Outcome[SegmentItem, Segment]) -> None:
        """Take in how a segment ended."""
        number = outcome.item.film
        film = self._films[number]
        film.on_the_way -= 1
        if outcome.status == "done" and outcome.result and not film.failed:
            outcome = _in_thread(partial(_enter, film, outcome.item), outcome.result)
        if outcome.status != "done":
            film.failed = film.failed or outcome
        self._end_if_complete(number)

    def _end_if_complete(self, number: int) -> None:
        film = self._films.get(number)
        if film is None or film.on_the_way or not (film.handed_out or film.failed):
            return
        outcome = film.failed or _in_thread(self._published, film)
        del self._films[number]
        film.left.close()
        self._end(replace(outcome, item=film.stage.job, seconds=perf_counter() - film.start))

    def _end(self, outcome: Outcome[Job, ConvertedFilm]) -> None:
        self._failed |= outcome.status == "failed"
        self._ended.append(outcome)

    def _published(self, film: _Film) -> ConvertedFilm:
        filmed = film.filming.published(overwrite=film.film.job.action == "replace", send=film.stage.send)
        converted = as_converted(film.film, filmed, thumbnails=self._thumbnails)
        film.stage.clear()
        if film.waiting:  # of segments that two workers made, or that a stopped run has left
            with suppress(CartoonizeError):  # what stays there is hidden and small
                remove_below(film.waiting)
        return converted


def _item(number: int, film: _Film, span: Span) -> SegmentItem:
    path = film.filming.path(span)
    packets = Remote(film.waiting.at(f"{film.waiting.key}{path.name}")) if film.waiting else File(path)
    return SegmentItem(number, absolute(film.stage.job).source, film.film.commission, span, packets)


def _enter(film: _Film, item: SegmentItem, segment: Segment) -> None:
    """Enter a segment in the film's journal, once its packets are on this machine."""
    if isinstance(item.packets, Remote):
        fetch(item.packets.url, film.filming.path(item.span))
        with suppress(CartoonizeError):
            remove(item.packets.url)
    film.tell(film.filming.add(segment))


def _in_thread(work: Callable[[Any], Any], item: Any) -> Outcome[Any, Any]:
    """Do some work beside the calling thread, which signals can end."""
    (outcome,) = run([item], work, workers=1)
    return outcome
