"""Pictures of a sequence drawn in order on several threads; what equals the picture before is not computed again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from cartoonize.generators import reuse, tiles
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.method.pixels import Array, Image, are_equal

Tag = TypeVar("Tag")


class Artist(Protocol):
    """Makes a cartoon in two steps, as a `FilmMaker` does: the generator at working size, then the finish."""

    engine: tiles.Run
    field: ReceptiveField

    @property
    def identity(self) -> dict[str, Any]:
        """What shapes its cartoons besides the photos, as JSON holds it."""

    @property
    def workers(self) -> int:
        """Frames to draw at a time."""

    def work(self, image: Image) -> Image:
        """Return an image, uint8 (H, W, 3), at working size."""

    def finish(self, image: Image, work: Image, cartoon: Array) -> Image:
        """Return the cartoon of an image, from it at working size and the generator's output for that."""


@dataclass(frozen=True)
class Drawing:
    """A picture's cartoon, uint8 (H, W, 3), the generator's output behind it, and the share of it that was computed."""

    result: Image
    cartoon: Array
    share: float


@dataclass(frozen=True)
class Drawn(Generic[Tag]):
    """A picture and its cartoon; `is_same` where both are those of the picture before. `tag` is the caller's own."""

    photo: Image
    result: Image
    share: float
    is_same: bool
    tag: Tag


@dataclass(frozen=True)
class _Begun(Generic[Tag]):
    photo: Image
    work: Image
    drawing: Future[Drawing]
    is_same: bool
    tag: Tag


def draw(
    artist: Artist, pictures: Iterable[tuple[Image, Tag]], workers: int | None = None
) -> Generator[Drawn[Tag], None, None]:
    """Draw pictures, uint8 (H, W, 3), in their order, several at a time; as many again wait in memory at most.

    The result for each is the one that it would get alone, bit for bit. workers: None is what the artist likes best.
    """
    workers = workers or artist.workers
    pool = ThreadPoolExecutor(workers, thread_name_prefix="draw")
    begun: deque[_Begun[Tag]] = deque()
    try:
        last: _Begun[Tag] | None = None
        for photo, tag in pictures:
            last = _begin(artist, photo, tag, last, pool.submit)
            begun.append(last)
            if len(begun) > 2 * workers:
                yield _ended(begun.popleft())
        while begun:
            yield _ended(begun.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin(
    artist: Artist,
    photo: Image,
    tag: Tag,
    before: _Begun[Tag] | None,
    submit: Callable[..., Future[Drawing]],
) -> _Begun[Tag]:
    if before is not None and are_equal(photo, before.photo):
        return _Begun(before.photo, before.work, before.drawing, True, tag)
    work = artist.work(photo)
    boxes = reuse.changes(before.work, work, artist.field) if before is not None else None
    if before is None or boxes is None:
        drawing = submit(_anew, artist, photo, work)
    else:  # its thread waits for the one before, which was begun earlier and so never waits for this one
        drawing = submit(_updated, artist, photo, work, boxes, before.drawing)
    return _Begun(photo, work, drawing, False, tag)


def _anew(artist: Artist, photo: Image, work: Image) -> Drawing:
    cartoon = tiles.generate(artist.engine, work, artist.field)
    return Drawing(artist.finish(photo, work, cartoon), cartoon, 1.0)


def _updated(artist: Artist, photo: Image, work: Image, boxes: list[reuse.Box], before: Future[Drawing]) -> Drawing:
    cartoon, share = reuse.update(artist.engine, work, artist.field, before.result().cartoon, boxes)
    return Drawing(artist.finish(photo, work, cartoon), cartoon, share)


def _ended(begun: _Begun[Tag]) -> Drawn[Tag]:
    drawing = begun.drawing.result()
    return Drawn(begun.photo, drawing.result, 0.0 if begun.is_same else drawing.share, begun.is_same, begun.tag)
