"""What the packets of a stream become: the same ones, or sound and text in a codec that the container takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from cartoonize.media.film.tracks import Track, add_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

    Change = Callable[[Packet[Any]], list[Packet[Any]]]

_OPUS_RATE = 48_000
_NO_TEXT = b"\0\0"


def change_of(track: Track, source: InputContainer, output: OutputContainer) -> Change:
    """Add a stream for one of the source's to the output; what is returned makes its packets.

    An empty packet, the last of a stream, asks for what is left.
    """
    original: Any = source.streams[track.index]
    if track.action == "copy":
        return _Copied(add_copy(output, original))
    made = _Sound(original, output, track.codec) if original.type == "audio" else _Text(original, output, track.codec)
    made.stream.metadata.update(original.metadata)
    made.stream.disposition = original.disposition
    return made


class _Copied:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._is_text = stream.type == "subtitle" and stream.codec_context.name == "mov_text"

    def __call__(self, packet: Packet[Any]) -> list[Packet[Any]]:
        # Where nothing is said MP4 stores an empty text, which its muxer writes of itself.
        is_gap = self._is_text and packet.size == len(_NO_TEXT) and bytes(packet) == _NO_TEXT
        packet.stream = self._stream
        return [packet] if packet.size and not is_gap else []


class _Sound:
    def __init__(self, original: Any, output: Any, codec: str) -> None:
        rate = _OPUS_RATE if codec == "libopus" else original.codec_context.sample_rate
        self.stream = output.add_stream(codec, rate=rate, layout=original.codec_context.layout.name)
        context = self.stream.codec_context
        context.open()
        self._resampler = AudioResampler(context.format, context.layout, rate, context.frame_size or None)

    def __call__(self, packet: Packet[Any]) -> list[Packet[Any]]:
        try:
            frames = [heard for frame in _decoded(packet) for heard in self._resampler.resample(frame)]
        except FFmpegError:  # a broken packet is a gap
            frames = []
        if not packet.size:
            frames += self._resampler.resample(None)
        packets = [made for frame in frames for made in self.stream.encode(frame)]
        return packets if packet.size else packets + self.stream.encode(None)


def _decoded(packet: Packet[Any]) -> list[Any]:
    return list(packet.decode())


class _Text:
    def __init__(self, original: Any, output: Any, codec: str) -> None:
        self._original = original
        self.stream = output.add_stream(codec)
        context = self.stream.codec_context
        context.time_base = original.time_base
        original.codec_context.open(strict=False)  # or it does not know its styles yet
        context.subtitle_header = original.codec_context.subtitle_header

    def __call__(self, packet: Packet[Any]) -> list[Packet[Any]]:
        if not packet.size:
            return []
        try:
            text = self._original.codec_context.decode2(packet)
            made = self.stream.codec_context.encode_subtitle(text) if text is not None else None
        except FFmpegError:
            return []
        if made is None:
            return []
        made.stream, made.time_base = self.stream, packet.time_base
        made.pts = made.dts = packet.pts
        made.duration = packet.duration
        return [made]
