"""Films for tests, made of a real photo with PyAV: pans, several sounds, subtitles, uneven times, turned, damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import skimage.data
from av.subtitles.subtitle import SubtitleSet
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]
CLOCK = Fraction(1, 90_000)
EVEN = (3000,)
UNEVEN = (3000, 1500, 4511, 9000)

_STYLES = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment, Encoding
Style: Default,Arial,16,&Hffffff,2,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def pan(frames: int, width: int = 96, height: int = 64, step: int = 2) -> list[Picture]:
    """A camera that moves over a photo."""
    photo = np.asarray(Image.fromarray(skimage.data.coffee()).resize((300, 200)))
    return [np.ascontiguousarray(photo[i * step % 60 :, i * step % 150 :][:height, :width]) for i in range(frames)]


@dataclass(frozen=True)
class Clip:
    """What a film is made of; `ticks` are the frames' durations, over and over."""

    pictures: Sequence[Picture] = field(default_factory=lambda: pan(20))
    codec: str = "libx264"
    pixels: str = "yuv420p"
    clock: Fraction = CLOCK
    ticks: Sequence[int] = EVEN
    sounds: Sequence[str] = ()
    subtitles: str | None = None
    chapters: bool = False
    aspect: Fraction | None = None
    color: tuple[int, int, int, int] | None = None
    turn: tuple[int, bool, bool] | None = None
    options: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        with av.open(str(path), "w") as output:
            film = self._film_stream(output)
            sounds = [output.add_stream(codec, rate=48_000, layout="stereo") for codec in self.sounds]
            for sound, language in zip(sounds, ("eng", "deu", "fra"), strict=False):
                sound.metadata["language"] = language
            text = self._text_stream(output) if self.subtitles else None
            output.metadata.update(self.metadata)
            if self.chapters:
                output.set_chapters([_chapter(1, 0, 300), _chapter(2, 300, 600)])
            length = self._write_film(output, film)
            for number, sound in enumerate(sounds):
                _write_sound(output, sound, length, 440 + 200 * number)
            if text:
                _write_text(output, text)
        return path

    def _film_stream(self, output: Any) -> Any:
        height, width = self.pictures[0].shape[:2]
        film = output.add_stream(self.codec, rate=30)
        film.width, film.height, film.pix_fmt = width, height, self.pixels
        context = film.codec_context
        context.time_base = self.clock
        context.options = self.options
        if self.aspect:
            context.sample_aspect_ratio = self.aspect
        if self.color:
            context.colorspace, context.color_range, context.color_primaries, context.color_trc = self.color
        if self.turn:
            film.set_display_rotation(self.turn[0], hflip=self.turn[1], vflip=self.turn[2])
        return film

    def _write_film(self, output: Any, film: Any) -> float:
        matrix, full = (self.color[0], self.color[1] == 2) if self.color else (6, False)
        at = 0
        for number, picture in enumerate(self.pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(
                format=self.pixels, dst_colorspace=5 if matrix == 6 else matrix, dst_color_range=2 if full else 1
            )
            ticks = self.ticks[number % len(self.ticks)]
            frame.pts, frame.duration, frame.time_base = at, ticks, self.clock
            at += ticks
            output.mux(film.encode(frame))
        output.mux(film.encode(None))
        return float(at * self.clock)

    def _text_stream(self, output: Any) -> Any:
        text = output.add_stream(self.subtitles)
        text.codec_context.time_base = Fraction(1, 1000)
        text.codec_context.subtitle_header = _STYLES
        return text


def _chapter(number: int, start: int, end: int) -> dict[str, Any]:
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": f"part {number}"},
    }


def _write_sound(output: Any, sound: Any, seconds: float, pitch: float) -> None:
    wave = (np.sin(np.arange(int(seconds * 48_000)) / 48_000 * 2 * np.pi * pitch) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2).reshape(1, -1), "s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    output.mux(sound.encode(frame))
    output.mux(sound.encode(None))


def _write_text(output: Any, text: Any) -> None:
    for number, words in enumerate((b"Hello", b"World")):
        line = SubtitleSet.create(text=b"0,0,Default,,0,0,0,," + words, start=0, end=200, pts=0)
        packet = text.codec_context.encode_subtitle(line)
        packet.stream = text
        packet.pts = packet.dts = number * 300
        packet.duration, packet.time_base = 200, Fraction(1, 1000)
        output.mux(packet)


def frames(path: Path) -> list[Picture]:
    """The pictures of a film as RGB."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def times(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def packets(path: Path, kind: str) -> Iterator[list[tuple[Fraction, str]]]:
    """For each stream of a kind the time in seconds and the content of every packet."""
    with av.open(str(path)) as container:
        for stream in [stream for stream in container.streams if stream.type == kind]:
            container.seek(0)
            yield [
                (packet.pts * packet.time_base, hashlib.sha256(bytes(packet)).hexdigest())
                for packet in container.demux(stream)
                if packet.size
            ]
