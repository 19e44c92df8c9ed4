"""What a film is: found out before any work, by its header, its first frame and one pass over its packets."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from av.error import FFmpegError

from cartoonize.errors import DecodeError
from cartoonize.media.film.colors import Color, color_of, has_alpha
from cartoonize.media.film.decoding import Reader, Timed
from cartoonize.media.film.opening import decode_errors, opened
from cartoonize.media.film.turning import Turn, turn_of

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_ENCRYPTED = ("encv", "drmi")
_PROTECTED = "it is encrypted: expected a film without copy protection"
_MOST_PIXELS = 250_000_000
ATTACHED = 0x400  # AV_DISPOSITION_ATTACHED_PIC: a cover, not a film


@dataclass(frozen=True)
class Film:
    """A film as it is shown: `width` and `height` upright, in pixels, `aspect` of one of them (width : height).

    index: of its video stream. time_base: seconds of one tick of its times; rate: frames a second, on average.
    times: the ticks at which its frames are shown, by its packets. start, end: its first tick and the one behind its
    last frame. late: as of `Reader`.
    """

    path: Path
    index: int
    width: int
    height: int
    aspect: Fraction
    turn: Turn
    color: Color
    time_base: Fraction
    rate: Fraction
    times: Sequence[int] = field(repr=False)
    start: int
    end: int
    late: int | None
    steady_rate: bool
    interlaced: bool
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """How many frames its file has."""
        return len(self.times)

    @property
    def seconds(self) -> float:
        """How long it runs."""
        return float((self.end - self.start) * self.time_base)

    def reader(self) -> Reader:
        """Return a reader of its frames."""
        return Reader(self.path, self.index, self.late, self.interlaced)


def describe(path: Path) -> Film:
    """Look a film over; raises DecodeError when there is none in the file, or it cannot be decoded."""
    with decode_errors(), opened(path) as container:
        stream = _video(container)
        untimed = container.format.name == "avi"
        times = _times(container, stream, untimed=untimed)
        shown = _first_frame(Reader(path, stream.index, 0 if untimed else None))
        first = shown.frame
        base = stream.time_base or Fraction(1, 1000)
        turn = turn_of(first)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        width, height = (first.height, first.width) if turn.sideways else (first.width, first.height)
        length = times[-1][1] or max(1, round(1 / (rate * base)))
        gaps = {after - before for (before, _), (after, _) in pairwise(times)}
        return Film(
            path=path,
            index=stream.index,
            width=width,
            height=height,
            aspect=1 / aspect if turn.sideways else aspect,
            turn=turn,
            color=color_of(first),
            time_base=base,
            rate=Fraction(rate).limit_denominator(100_000),
            times=array("q", [at for at, _ in times]),
            start=times[0][0],
            end=times[-1][0] + length,
            late=shown.pts - times[0][0] if untimed else None,
            steady_rate=len(gaps) <= 1 or max(gaps) - min(gaps) <= 1,
            interlaced=first.interlaced_frame,
            notes=_notes(first, container, float((times[-1][0] + length - times[0][0]) * base)),
        )


def _video(container: InputContainer) -> VideoStream:
    films = [stream for stream in container.streams.video if not stream.disposition & ATTACHED]
    if not films:
        raise DecodeError("there is no moving picture in it: expected a video stream")
    readable = [stream for stream in films if stream.codec_context is not None]
    if not readable:
        raise DecodeError("its video is in a codec that cannot be read here: convert it first")
    stream = max(readable, key=lambda one: (bool(one.disposition & 1), one.width * one.height))
    if stream.codec_context.codec_tag in _ENCRYPTED:
        raise DecodeError(_PROTECTED)
    if stream.width * stream.height > _MOST_PIXELS:
        raise DecodeError(f"too many pixels a frame: expected at most {_MOST_PIXELS // 1_000_000} million")
    return stream


def _first_frame(reader: Reader) -> Timed:
    for timed in reader.frames():
        return timed
    raise DecodeError("none of its frames can be decoded: it is damaged or has none")


def _times(container: InputContainer, stream: VideoStream, *, untimed: bool) -> list[tuple[int, int]]:
    """Return time and duration (0: not known) of every frame's packet, sorted: what a header says is not trusted.

    Raises DecodeError where it is encrypted.
    """
    times: list[tuple[int, int]] = []
    try:
        for packet in container.demux(stream):
            if not times and packet.has_sidedata("encryption_info"):
                raise DecodeError(_PROTECTED)
            at = packet.dts if untimed or packet.pts is None else packet.pts
            if packet.size and at is not None and not packet.is_discard:
                times.append((at, packet.duration or 0))
    except FFmpegError:  # a damaged end: what was counted is there
        pass
    return sorted(times) or [(0, 0)]


def _notes(first: VideoFrame, container: InputContainer, seconds: float) -> tuple[str, ...]:
    notes = []
    depth = max(component.bits for component in first.format.components)
    color = color_of(first)
    if color.is_hdr:
        notes.append("HDR was tone-mapped to BT.709")
    elif depth > 8:
        notes.append(f"reduced from {depth} to 8 bits per channel")
    if first.interlaced_frame:
        notes.append("it is interlaced and was deinterlaced")
    if has_alpha(first):
        notes.append("transparency was laid on the background")
    said = (container.duration or 0) / 1_000_000
    if said > seconds * 1.1 + 1:
        notes.append(f"its header says {said:.0f} s, there are {seconds:.0f} s")
    return tuple(notes)
