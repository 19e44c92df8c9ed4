"""Frames of a film in the order shown, each with its own time; broken ones are left out and counted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from av.error import EOFError as EndOfFilm
from av.error import FFmpegError
from av.filter import Graph

from cartoonize.media.film.opening import decode_errors, opened

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MARGIN = 2  # seconds before the place looked for: frames that follow a key frame may need the one before
_MOST_RESTARTS = 1000  # errors of the container, not of a frame, after which reading goes on


@dataclass(frozen=True)
class Timed:
    """A decoded frame, when it is shown and how long, in ticks of its stream's time base."""

    frame: VideoFrame
    pts: int
    duration: int


@dataclass
class Reader:
    """Reads the frames of stream `index`; `broken` counts the frames that could not be decoded.

    late: where the file stores no times at which frames are shown, as AVI does not, the ticks by which a frame comes
    out of the decoder after its turn: frames come in their order, one for each that is read. None elsewhere.
    deinterlace: put interlaced frames through FFmpeg's bwdif.
    """

    path: Path
    index: int
    late: int | None = None
    deinterlace: bool = False
    broken: int = 0
    _last: Timed | None = field(default=None, repr=False)

    def frames(self, start: int | None = None) -> Generator[Timed, None, None]:
        """Yield frames, their times strictly increasing, each lasting until the next; raises DecodeError.

        start: the first pts that is wanted; frames before it are not yielded.
        """
        broken = self.broken
        for seeking in (start, None):
            frames = self._from(seeking)
            first = next(frames, None)
            if first is None or seeking is None or first.pts <= seeking:
                break
            frames.close()  # the container could not find the place: read all before it
        wanted = start is None
        for timed in _lasting(chain([] if first is None else [first], frames)):
            if start is not None and not wanted and timed.pts >= start:
                wanted, self.broken = True, broken  # what is broken before is not this stretch's
            if wanted:
                yield timed

    def _from(self, start: int | None) -> Generator[Timed, None, None]:
        self._last = None
        with decode_errors(), opened(self.path) as container:
            stream: Any = container.streams[self.index]
            stream.thread_type = "AUTO"
            if start is not None:
                _seek(container, stream, start)
            decoded = self._decoded(container, stream)
            for frame in _deinterlaced(decoded, stream) if self.deinterlace else decoded:
                timed = self._timed(frame, stream)
                if self._last is None or timed.pts > self._last.pts:
                    self._last = timed
                    yield timed
                else:  # it would be shown before its predecessor
                    self.broken += 1

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        for packet in _packets(container, stream):
            try:
                frames = packet.decode()
            except EndOfFilm:
                return
            except FFmpegError:
                self.broken += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.broken += 1
                else:
                    yield frame

    def _timed(self, frame: VideoFrame, stream: VideoStream) -> Timed:
        """Return a frame with its time, with one that follows the last where the file has none."""
        base = stream.time_base or Fraction(1, 1000)
        scale = (frame.time_base or base) / base  # a filter may count in smaller ticks
        usual = max(1, round(1 / ((stream.guessed_rate or Fraction(25)) * base)))
        duration = round(frame.duration * scale) or usual
        at = frame.pts if self.late is None else frame.dts
        if at is not None:
            return Timed(frame, round(at * scale) - (self.late or 0), duration)
        return Timed(frame, 0 if self._last is None else self._last.pts + usual, duration)


def _lasting(frames: Iterator[Timed]) -> Iterator[Timed]:
    """Let each frame last until the next: where frames are reordered MP4 stores other durations than those shown."""
    before = next(frames, None)
    for timed in frames:
        if before is not None:
            yield replace(before, duration=timed.pts - before.pts)
        before = timed
    if before is not None:
        yield before


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Demux one stream; where the container itself is damaged, go on behind the damage."""
    for _ in range(_MOST_RESTARTS):
        try:
            yield from container.demux(stream)
        except FFmpegError:
            continue
        return


def _seek(container: InputContainer, stream: VideoStream, start: int) -> None:
    """Go to a key frame well before `start`, or to the beginning."""
    base = stream.time_base or Fraction(1, 1000)
    try:
        container.seek(start - round(_MARGIN / base), stream=stream)
    except FFmpegError:
        container.seek(0)


def _deinterlaced(frames: Iterator[VideoFrame], stream: VideoStream) -> Iterator[VideoFrame]:
    """Put frames through bwdif, which leaves those that are not interlaced as they are."""
    graph = Graph()
    source = graph.add_buffer(template=stream, time_base=stream.time_base)
    filtering = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(filtering)
    filtering.link_to(sink)
    graph.configure()
    for frame in chain(frames, [None]):
        graph.vpush(frame)
        while True:
            try:
                yield graph.vpull()
            except (BlockingIOError, EndOfFilm):
                break
