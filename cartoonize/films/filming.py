"""A film from its file to the file of its result: decoding, drawing and encoding overlap, segment after segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import av

from cartoonize.errors import DecodeError
from cartoonize.films import spans
from cartoonize.films.drawing import Artist
from cartoonize.films.segmenting import Finished, encoder_settings, finished_frames, write_segment
from cartoonize.films.spans import Span, spans_of
from cartoonize.media.files import write_errors
from cartoonize.media.film.joining import Join, join
from cartoonize.media.film.segments import Segment, Segments, fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from cartoonize.films.commission import Commission

_LOST = 10  # more than one in so many frames broken is a failure


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


class Filming:
    """Converts one film, going on where an earlier run with the same film, options and artist was stopped.

    announce: is given the bytes of the result before that has its name.
    """

    def __init__(
        self, commission: Commission, artist: Artist, announce: Callable[[int], None] = lambda _: None
    ) -> None:
        self._commission = commission
        self._announce = announce
        self._artist = artist
        self._segments = Segments(commission.target, {**_identity(commission), **artist.identity})
        self._notes = list(commission.notes)
        self._is_published = False

    def run(
        self, tell: Callable[[Progress], None], *, overwrite: bool, send: Callable[[], None] = lambda: None
    ) -> Filmed:
        """Convert, going on where an earlier run was stopped; raises CartoonizeError, AlreadyThereError.

        send: as of `published`.
        """
        with self.held():
            for missing in _runs(self.missing):
                self._make(missing, tell)
            return self.published(overwrite=overwrite, send=send)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs away while the block runs; raises BusyError, EncodeError."""
        with self._segments.held():
            if done := self._segments.finished:
                frames = sum(segment.frames for segment in done)
                self._notes.append(f"went on after frame {frames}, where an earlier run was stopped")
            elif self._segments.began_anew:
                self._notes.append("an unfinished result was of another input or other settings: begun anew")
            yield
        if self._is_published:
            self._segments.remove()

    @property
    def missing(self) -> list[Span]:
        """The segments that are still to be made."""
        there = {segment.number for segment in self._segments.finished}
        return [span for span in spans_of(self._commission) if span.number not in there]

    def path(self, span: Span) -> Path:
        """Return where a segment's packets belong."""
        return self._segments.path(span.number)

    def add(self, segment: Segment) -> Progress:
        """Enter a segment whose packets are where they belong; raises DecodeError where too many frames are broken."""
        self._segments.add(segment)
        self._check_losses(0)
        frames = sum(segment.frames for segment in self._segments.finished)
        return Progress(frames, self._commission.frames, float(segment.end * self._commission.film.time_base))

    def published(self, *, overwrite: bool, send: Callable[[], None] = lambda: None) -> Filmed:
        """Join the segments, all of which are made, and give the result its name.

        send: takes the result elsewhere; the segments stay until it has.
        """
        done, notes = self._segments.finished, list(self._notes)
        if not done:
            raise DecodeError("no frame of it lies in the stretch that was asked for, or none can be decoded")
        self._check_losses(0)
        self._publish(overwrite)
        send()
        self._is_published = True
        if broken := sum(segment.broken for segment in done):
            notes.append(f"broken frames left out: {broken}")
        frames = sum(segment.frames for segment in done)
        duration = float((done[-1].end - done[0].start) * self._commission.film.time_base)
        return Filmed(frames, sum(segment.computed for segment in done), broken, duration, tuple(notes))

    def _make(self, spans: Sequence[Span], tell: Callable[[Progress], None]) -> None:
        """Make segments that follow each other, and enter each in the journal."""
        done, broken = sum(segment.frames for segment in self._segments.finished), 0
        base, most = self._commission.film.time_base, self._commission.frames

        def told(frame: Finished) -> None:
            nonlocal done, broken
            done, broken = done + 1, broken + frame.broken
            self._check_losses(broken)
            tell(Progress(done, most, float(frame.picture.pts * base)))

        with closing(finished_frames(self._commission, self._artist, spans)) as frames:
            for number, of_one in groupby(frames, lambda frame: frame.span.number):
                path = self._segments.path(number)
                segment = write_segment(path, self._commission, of_one, told)
                broken -= segment.broken
                self._segments.add(segment)

    def _publish(self, overwrite: bool) -> None:
        commission, done = self._commission, self._segments.finished
        what = Join(
            film=commission.film,
            segments=tuple(self._segments.path(segment.number) for segment in done),
            settings=encoder_settings(commission, done[0].width, done[0].height),
            tracks=commission.tracks,
            stretch=commission.stretch,
            keep_metadata=not commission.options.strip_metadata,
        )
        joined = self._segments.folder / "joined"
        with write_errors():
            join(what, joined)
            self._announce(joined.stat().st_size)
            self._segments.publish(joined, overwrite=overwrite)

    def _check_losses(self, further: int) -> None:
        broken = further + sum(segment.broken for segment in self._segments.finished)
        if broken * _LOST > self._commission.frames:
            raise DecodeError(f"more than a tenth of its frames are broken ({broken} so far): get a whole copy of it")


def _runs(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Group spans that follow each other."""
    for _, numbered in groupby(enumerate(spans), lambda one: one[1].number - one[0]):
        yield [span for _, span in numbered]


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
        "segment": spans.SEGMENT,
        "steady": options.steady,
        "background": options.background,
    }
