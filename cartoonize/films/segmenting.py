"""The finished frames of a film, and segments of them: each is what it would be if it alone was made."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from cartoonize.films.ahead import ahead
from cartoonize.films.drawing import Artist, draw
from cartoonize.media.files import open_atomically
from cartoonize.media.film.colors import ToRGB
from cartoonize.media.film.encoding import Encoder, Picture, Settings
from cartoonize.media.film.packets import Encoded, write_packets
from cartoonize.media.film.segments import Segment
from cartoonize.method.pixels import Image
from cartoonize.method.steadiness import Steady

if TYPE_CHECKING:
    from pathlib import Path

    from cartoonize.films.commission import Commission
    from cartoonize.films.spans import Span

_DECODED_AHEAD = 2


@dataclass(frozen=True)
class Moment:
    """When a frame is shown, and how many were broken up to it."""

    pts: int
    duration: int
    broken: int


@dataclass(frozen=True)
class Finished:
    """A frame of the result: its span, the share of it that was computed, how many broken ones were before it."""

    span: Span
    picture: Picture
    share: float
    broken: int


def pictures(commission: Commission, start: int) -> Generator[tuple[Image, Moment], None, None]:
    """Yield the frames of a film from tick `start` on, uint8 (H, W, 3) and upright, decoded a few ahead.

    Raises DecodeError.
    """
    film = commission.film
    reader = film.reader()
    size = (film.height, film.width) if film.turn.sideways else (film.width, film.height)
    to_rgb = ToRGB(film.color, size, commission.options.background)

    def upright() -> Generator[tuple[Image, Moment], None, None]:
        for timed in reader.frames(None if start < film.start else start):
            image = np.ascontiguousarray(film.turn(to_rgb(timed.frame)))
            yield image, Moment(timed.pts, timed.duration, reader.broken)

    return ahead(upright(), _DECODED_AHEAD)


def finished_frames(
    commission: Commission, artist: Artist, spans: Sequence[Span], workers: int | None = None
) -> Generator[Finished, None, None]:
    """Draw and steady the frames of spans that follow each other; frames are decoded and drawn ahead.

    workers: as of `draw`. Raises DecodeError, EngineError.
    """
    chains: dict[int, Steady] = {}
    place = broken = 0
    with closing(ahead(draw(artist, pictures(commission, spans[0].warm), workers), 1)) as drawn:
        for one in drawn:
            moment = one.tag
            while (end := spans[place].end) is not None and moment.pts >= end:
                chains.pop(place, None)
                place += 1
                if place == len(spans):
                    return
            for number, span in enumerate(islice(spans, place, None), place):
                if moment.pts < span.warm:
                    break
                chains[number] = chains.get(number) or Steady(commission.options.steady)
                steadied = chains[number](one.photo, one.result)
                if moment.pts >= span.begin:
                    picture = Picture(steadied, moment.pts, moment.duration)
                    yield Finished(span, picture, one.share, moment.broken - broken)
            broken = moment.broken


def write_segment(
    path: Path, commission: Commission, frames: Iterable[Finished], tell: Callable[[Finished], None]
) -> Segment:
    """Encode the frames of one span into a file of packets, all or nothing; `tell` is called after each.

    Raises EncodeError, and what the frames raise.
    """
    frames = iter(frames)
    first = next(frames)
    height, width = first.picture.image.shape[:2]
    encoder = Encoder(encoder_settings(commission, width, height))
    count, computed, broken, end = 0, 0.0, 0, 0

    def encoded() -> Iterator[Encoded]:
        nonlocal count, computed, broken, end
        frame: Finished | None = first
        while frame is not None:
            yield from encoder.encode(frame.picture)
            count, computed, broken = count + 1, computed + frame.share, broken + frame.broken
            end = frame.picture.pts + frame.picture.duration
            tell(frame)
            frame = next(frames, None)
        yield from encoder.finish()

    with open_atomically(path, overwrite=True) as file:
        write_packets(file, encoder.extradata, encoded())
    return Segment(first.span.number, width, height, count, computed, broken, first.picture.pts, end)


def encoder_settings(commission: Commission, width: int, height: int) -> Settings:
    """Return how pictures of a size are encoded."""
    film = commission.film
    return Settings(
        commission.coding,
        commission.container,
        width,
        height,
        film.aspect,
        film.color.result,
        film.time_base,
        film.rate,
    )
