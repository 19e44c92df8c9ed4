"""A film from its file to the file of its result: decoding, drawing and encoding overlap, segment after segment."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from math import ceil
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from cartoonize.errors import DecodeError
from cartoonize.films.ahead import ahead
from cartoonize.films.drawing import Artist, Drawn, draw
from cartoonize.media.files import open_atomically, publish, write_errors
from cartoonize.media.film.colors import ToRGB
from cartoonize.media.film.encoding import Encoder, Picture, Settings
from cartoonize.media.film.joining import Join, join
from cartoonize.media.film.packets import Encoded, write_packets
from cartoonize.media.film.segments import Segment, Segments, fingerprint
from cartoonize.method.pixels import Image
from cartoonize.method.steadiness import Steady

if TYPE_CHECKING:
    from pathlib import Path

    from cartoonize.films.commission import Commission

SEGMENT = 120  # frames: at most so much work is lost, and a key frame so often costs little
_DECODED_AHEAD = 2
_LOST = 10  # more than one in so many frames broken is a failure
_NOTHING = np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Progress:
    """How far a film is: frames done and about how many there are, the position reached in seconds."""

    frames: int
    of: int
    position: float


@dataclass(frozen=True)
class Filmed:
    """A finished film: frames written, how many were computed (equal ones are not), seconds it runs, what to know."""

    frames: int
    computed: float
    broken: int
    duration: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Moment:
    """When a frame is shown, and how many were broken up to it."""

    pts: int
    duration: int
    broken: int


class Filming:
    """Converts one film, going on where an earlier run with the same film, options and artist was stopped."""

    def __init__(self, commission: Commission, artist: Artist) -> None:
        self._commission = commission
        self._artist = artist
        self._segments = Segments(commission.target, {**_identity(commission), **artist.identity})

    def run(self, tell: Callable[[Progress], None], *, overwrite: bool) -> Filmed:
        """Convert, going on where an earlier run was stopped; raises CartoonizeError, AlreadyThereError."""
        notes = list(self._commission.notes)
        with self._segments.held():
            done = self._segments.finished
            if done:
                notes.append(f"went on after frame {sum(s.frames for s in done)}, where an earlier run was stopped")
            elif self._segments.began_anew:
                notes.append("an unfinished result was of another input or other settings: begun anew")
            if not done or done[-1].next_pts is not None:
                self._draw_all(tell)
            self._publish(overwrite)
        self._segments.remove()
        if broken := done[-1].broken:
            notes.append(f"broken frames left out: {broken}")
        frames = sum(segment.frames for segment in done)
        duration = float((done[-1].end - done[0].start) * self._commission.film.time_base)
        return Filmed(frames, sum(segment.computed for segment in done), broken, duration, tuple(notes))

    def _draw_all(self, tell: Callable[[Progress], None]) -> None:
        done = self._segments.finished
        before = _read_state(self._segments.state(done[-1].number)) if done else None
        steady = Steady(self._commission.options.steady, before)
        reached = (done[-1].next_pts, done[-1].broken) if done else (None, 0)
        with closing(ahead(draw(self._artist, pictures(self._commission, *reached)), 1)) as drawn:
            current = next(drawn, None)
            while current is not None:
                current = self._segment(current, drawn, steady, tell)
        if not done:
            raise DecodeError("no frame of it lies in the stretch that was asked for, or none can be decoded")

    def _segment(
        self, first: Drawn[Moment], rest: Iterator[Drawn[Moment]], steady: Steady, tell: Callable[[Progress], None]
    ) -> Drawn[Moment] | None:
        """Encode one segment and enter it in the journal; return the frame that the next begins with."""
        taken: list[Drawn[Moment]] = []
        number = len(self._segments.finished)
        height, width = first.result.shape[:2]
        encoder = Encoder(self._settings(width, height))

        def encoded() -> Iterator[Encoded]:
            for one in chain([first], islice(rest, SEGMENT - 1)):
                picture = steady(one.photo, one.result)
                yield from encoder.encode(Picture(picture, one.tag.pts, one.tag.duration))
                taken.append(replace(one, photo=_NOTHING, result=_NOTHING))
                self._check_losses(one.tag.broken)
                tell(self._progress(len(taken), one.tag))
            yield from encoder.finish()

        with open_atomically(self._segments.path(number), overwrite=True) as file:
            write_packets(file, encoder.extradata, encoded())
        if steady.before is not None:
            with open_atomically(self._segments.state(number), overwrite=True) as file:
                np.savez(file, photo=steady.before[0], result=steady.before[1])
        following = next(rest, None)
        last = taken[-1].tag
        self._segments.add(
            Segment(
                number=number,
                width=width,
                height=height,
                frames=len(taken),
                computed=sum(one.share for one in taken),
                broken=last.broken,
                start=first.tag.pts,
                end=last.pts + last.duration,
                next_pts=None if following is None else following.tag.pts,
            )
        )
        return following

    def _settings(self, width: int, height: int) -> Settings:
        commission, film = self._commission, self._commission.film
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

    def _publish(self, overwrite: bool) -> None:
        commission, done = self._commission, self._segments.finished
        what = Join(
            film=commission.film,
            segments=tuple(self._segments.path(segment.number) for segment in done),
            settings=self._settings(done[0].width, done[0].height),
            tracks=commission.tracks,
            stretch=commission.stretch,
            keep_metadata=not commission.options.strip_metadata,
        )
        joined = self._segments.folder / "joined"
        with write_errors():
            join(what, joined)
            publish(joined, commission.target, overwrite=overwrite)

    def _check_losses(self, broken: int) -> None:
        if broken * _LOST > self._commission.frames:
            raise DecodeError(f"more than a tenth of its frames are broken ({broken} so far): get a whole copy of it")

    def _progress(self, frames: int, moment: Moment) -> Progress:
        done = sum(segment.frames for segment in self._segments.finished)
        position = float(moment.pts * self._commission.film.time_base)
        return Progress(done + frames, self._commission.frames, position)


def pictures(
    commission: Commission, start: int | None = None, broken: int = 0
) -> Generator[tuple[Image, Moment], None, None]:
    """Yield the frames of a film that are wanted, uint8 (H, W, 3) and upright, decoded a few ahead.

    start: the tick to begin at, None for where the stretch does; broken: how many frames were broken before. Raises
    DecodeError.
    """
    film, stretch = commission.film, commission.stretch
    if start is None and stretch.start is not None:
        start = ceil(stretch.start / film.time_base)
    reader = film.reader()
    reader.broken = broken
    size = (film.height, film.width) if film.turn.sideways else (film.width, film.height)
    to_rgb = ToRGB(film.color, size, commission.options.background)

    def upright() -> Generator[tuple[Image, Moment], None, None]:
        for timed in reader.frames(start):
            if stretch.end is not None and timed.pts * film.time_base >= stretch.end:
                return
            image = np.ascontiguousarray(film.turn(to_rgb(timed.frame)))
            yield image, Moment(timed.pts, timed.duration, reader.broken)

    return ahead(upright(), _DECODED_AHEAD)


def _read_state(path: Path) -> tuple[Image, Image] | None:
    """Return what the steadying of the next segment needs of the last."""
    if not path.exists():
        return None
    with np.load(path) as arrays:
        return arrays["photo"], arrays["result"]


def _identity(commission: Commission) -> dict[str, Any]:
    """Return what of a commission shapes its segments."""
    options = commission.options
    return {
        "av": av.__version__,
        "input": fingerprint(commission.film.path),
        "coding": asdict(commission.coding),
        "container": commission.container.muxer,
        "from": str(commission.stretch.start),
        "to": str(commission.stretch.end),
        "steady": options.steady,
        "background": options.background,
    }
