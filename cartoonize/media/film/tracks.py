"""What becomes of a film's other streams in the container of the result: copied, converted, or it cannot hold them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import av
from av.error import FFmpegError

from cartoonize.media.film.description import ATTACHED

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

    from cartoonize.media.film.containers import Container

_TEXT = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
_TEXT_CODECS = ("mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text")
_SOUND = {"webm": "libopus", "avi": "libmp3lame"}
_SOUND_OF_TS = ("aac", "aac_latm", "ac3", "eac3", "mp2", "mp3", "opus", "dts", "truehd")  # FFmpeg would write any
_NOT_KEPT = ("avi", "mpegts")  # their subtitles are no text


@dataclass(frozen=True)
class Track:
    """One stream beside the film's own: copied packet by packet, converted to `codec`, or refused."""

    index: int
    name: str
    action: Literal["copy", "convert", "refuse"]
    codec: str = ""


def tracks_of(source: InputContainer, film_index: int, container: Container) -> tuple[Track, ...]:
    """Decide for every stream but the film's own; a chapter list that is stored as a stream is none."""
    chapters = source.chapters()
    others = [s for s in source.streams if s.index != film_index and not (chapters and _is_chapter_text(s))]
    return tuple(_track(stream, container) for stream in others)


def _track(stream: Stream, container: Container) -> Track:
    name = track_name(stream)
    if _holds(container, stream):
        return Track(stream.index, name, "copy")
    if stream.type == "audio" and stream.codec_context is not None:
        return Track(stream.index, name, "convert", _SOUND.get(container.muxer, "aac"))
    if stream.type == "subtitle" and _codec(stream) in _TEXT_CODECS and container.muxer in _TEXT:
        return Track(stream.index, name, "convert", _TEXT[container.muxer])
    return Track(stream.index, name, "refuse")


def track_name(stream: Stream) -> str:
    """Name a stream for a message."""
    kind = {"video": "picture", "subtitle": "subtitles"}.get(stream.type, stream.type)
    said = [_codec(stream), stream.metadata.get("language", ""), stream.metadata.get("filename", "")]
    return f"{kind} {stream.index} ({', '.join(filter(None, dict.fromkeys(said))) or 'unknown'})"


def _holds(container: Container, stream: Stream) -> bool:
    """Try a header with this stream alone: FFmpeg's muxers have rules beyond their lists of codecs."""
    if container.muxer == "mpegts" and stream.type == "audio" and _codec(stream) not in _SOUND_OF_TS:
        return False
    if container.muxer in _NOT_KEPT and _codec(stream) in _TEXT_CODECS:
        return False
    try:
        with av.open(BytesIO(), "w", format=container.muxer) as trial:
            add_copy(trial, stream)
            trial.start_encoding()
    except (FFmpegError, ValueError, RuntimeError):
        return False
    return True


def add_copy(target: Any, stream: Any) -> Stream:
    """Add a stream to an output that takes the packets of `stream` as they are, with its name, language and flags."""
    if stream.type == "attachment":
        names = stream.metadata
        copy = target.add_attachment(
            names.get("filename", "attachment"), names.get("mimetype", "application/octet-stream"), stream.data
        )
    else:
        copy = target.add_stream_from_template(stream)
    copy.metadata.update(stream.metadata)
    copy.disposition = stream.disposition
    result: Stream = copy
    return result


def _codec(stream: Stream) -> str:
    context = stream.codec_context
    return context.name if context is not None else (stream.name or "")


def _is_chapter_text(stream: Stream) -> bool:
    return stream.type == "data" and stream.name == "bin_data" and not stream.disposition & ATTACHED
