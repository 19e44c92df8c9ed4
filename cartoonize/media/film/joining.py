"""The result: the segments' packets, and all else of the source's, in one container; nothing is encoded twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
from av.error import FFmpegError
from av.packet import Packet

from cartoonize.media.film.containers import CODECS
from cartoonize.media.film.conversion import change_of
from cartoonize.media.film.opening import encode_errors, opened
from cartoonize.media.film.packets import read_packets, read_times
from cartoonize.media.film.stretch import Stretch
from cartoonize.media.film.tracks import Track

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

    from cartoonize.media.film.conversion import Change
    from cartoonize.media.film.description import Film
    from cartoonize.media.film.encoding import Settings

_DOING = "the result cannot be put together"
_STALE = ("encoder", "major_brand", "minor_version", "compatible_brands", "vendor_id", "DURATION", "BPS")
_STALE_PREFIXES = ("NUMBER_OF_", "_STATISTICS_", "rotate")
_APPLE = "com.apple."


@dataclass(frozen=True)
class Join:
    """What is joined: the film, its segments in order, how they were encoded, its other streams, the stretch."""

    film: Film
    segments: tuple[Path, ...]
    settings: Settings
    tracks: tuple[Track, ...]
    stretch: Stretch
    keep_metadata: bool = True


def join(what: Join, target: Path) -> None:
    """Write the result to `target`, any file name; raises EncodeError, DecodeError, OSError."""
    options = dict(what.settings.container.options)
    scale = what.film.time_base.denominator
    if what.settings.container.muxer in ("mp4", "mov"):
        options["movie_timescale"] = str(scale)  # or its edit lists round to milliseconds
    with opened(what.film.path) as source:
        if any(key.startswith(_APPLE) for key in source.metadata) and "movflags" in options:
            options["movflags"] += "+use_metadata_tags"
        with (
            encode_errors(_DOING),
            av.open(f"file:{target}", "w", format=what.settings.container.muxer, container_options=options) as output,
        ):
            _fill(what, source, output)
    with open(target, "rb+") as file:
        os.fsync(file.fileno())


def _fill(what: Join, source: InputContainer, output: OutputContainer) -> None:
    film = _film_stream(what, source, output)
    others = {track.index: change_of(track, source, output) for track in what.tracks if track.action != "refuse"}
    if what.keep_metadata:
        output.metadata.update(_kept(source.metadata))
    output.set_chapters(_chapters(source, what.stretch))
    output.start_encoding()
    clocks: dict[int, int] = {}
    for packet in _in_order(_film_packets(what, film), _other_packets(what, source, others)):
        _rise(packet, clocks)
        output.mux(packet)


def _film_stream(what: Join, source: InputContainer, output: OutputContainer) -> Stream:
    original = source.streams[what.film.index]
    stream = output.add_stream(CODECS[what.settings.coding.name].encoder, rate=what.settings.rate)
    what.settings.apply(stream.codec_context)
    stream.time_base = what.film.time_base
    if what.keep_metadata:
        stream.metadata.update(_kept(original.metadata))
    stream.disposition = original.disposition
    return stream


def _film_packets(what: Join, stream: Stream) -> Iterator[Packet[Any]]:
    """Yield the segments' packets with decoding times: those of all frames, as late as the encoder reorders."""
    base = what.film.time_base
    offset = round(what.stretch.offset / base)
    order = [read_times(path) for path in what.segments]
    times = sorted(pts for part in order for pts in part)
    delay = max((i - place for part in order for i, place in _places(part)), default=0)
    step = max(1, round(1 / (what.film.rate * base)))
    decoded = [times[0] - step * (delay - i) for i in range(delay)] + times
    number = 0
    for path in what.segments:
        for encoded in read_packets(path):
            packet: Packet[Any] = Packet(encoded.data)
            packet.stream, packet.time_base = stream, base
            packet.pts, packet.dts = encoded.pts - offset, decoded[number] - offset
            packet.duration, packet.is_keyframe = encoded.duration, encoded.is_key
            number += 1
            yield packet


def _places(times: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the place of each packet in a segment as it is decoded, and as it is shown."""
    shown = {pts: place for place, pts in enumerate(sorted(times))}
    return ((decoded, shown[pts]) for decoded, pts in enumerate(times))


def _other_packets(what: Join, source: InputContainer, others: dict[int, Change]) -> Iterator[Packet[Any]]:
    streams = [source.streams[index] for index in others]
    if not streams:
        return
    try:
        for packet in source.demux(streams):
            index, base = packet.stream.index, packet.time_base
            at = packet.pts if packet.pts is not None else packet.dts
            if packet.size and at is not None:
                if not what.stretch.holds(at * base):
                    continue
                offset = round(what.stretch.offset / base)
                packet.pts = None if packet.pts is None else packet.pts - offset
                packet.dts = None if packet.dts is None else packet.dts - offset
            yield from others[index](packet)
    except FFmpegError:  # a damaged end: what was read is kept, as with frames
        return


def _in_order(film: Iterator[Packet[Any]], others: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Merge by time, so that no muxer has to hold much back."""
    other = next(others, None)
    for packet in film:
        now = _seconds(packet)
        while other is not None and _seconds(other) <= now:
            yield other
            other = next(others, None)
        yield packet
    while other is not None:
        yield other
        other = next(others, None)


def _seconds(packet: Packet[Any]) -> Fraction:
    at = packet.dts if packet.dts is not None else packet.pts
    return Fraction(0) if at is None or packet.time_base is None else at * packet.time_base


def _rise(packet: Packet[Any], clocks: dict[int, int]) -> None:
    """Give a packet a decoding time above its predecessor's: damaged streams have none, or one that falls back."""
    index = packet.stream.index
    last = clocks.get(index)
    if packet.dts is None:
        packet.dts = packet.pts if packet.pts is not None else (last or 0) + 1
    if last is not None and packet.dts <= last:
        packet.dts = last + 1
    if packet.pts is not None and packet.pts < packet.dts:
        packet.pts = packet.dts
    clocks[index] = packet.dts


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    """Return what still holds of a file's or stream's tags."""
    return {
        key: value
        for key, value in metadata.items()
        if key not in _STALE and not key.startswith(_STALE_PREFIXES) and not key.startswith("DURATION")
    }


def _chapters(source: InputContainer, stretch: Stretch) -> list[Any]:
    """Return the chapters that lie in the stretch, cut to it."""
    kept = []
    for chapter in source.chapters():
        base = chapter["time_base"] or Fraction(1, 1000)
        start, end = chapter["start"] * base, chapter["end"] * base
        start = max(start, stretch.start) if stretch.start is not None else start
        end = min(end, stretch.end) if stretch.end is not None else end
        if start < end:
            ticks = {name: round((at - stretch.offset) / base) for name, at in (("start", start), ("end", end))}
            kept.append({**chapter, **ticks})
    return kept
