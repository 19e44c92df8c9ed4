"""Pictures -> encoded packets: one encoder a segment, so that every segment begins with a key frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.format import ContainerFormat
from av.format import Flags as FormatFlags

from cartoonize.media.film.colors import Color, FromRGB, tag
from cartoonize.media.film.containers import CODECS, Coding, Container
from cartoonize.media.film.opening import encode_errors
from cartoonize.media.film.packets import Encoded
from cartoonize.method.pixels import Image

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_DOING = "the result cannot be encoded"
_ALWAYS = {"libx265": {"x265-params": "log-level=none"}, "libvpx-vp9": {"deadline": "good", "row-mt": "1"}}
# In AVX-512 x264's macroblock tree reads memory that it did not set, unless the width suits it: equal pictures come
# out different from run to run. These are the instructions it may use on such a processor, at the same speed.
_WITHOUT_AVX512 = {"x264-params": "asm=MMX2,SSE2,SSE2Fast,LZCNT,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"}
_AVX512 = 13  # OpenCV's number of it


@dataclass(frozen=True)
class Picture:
    """A frame to be written: uint8 (H, W, 3) RGB, its time and duration in the film's time base."""

    image: Image
    pts: int
    duration: int


@dataclass(frozen=True)
class Settings:
    """What an encoder is told; width and height those of the pictures, `aspect` that of a pixel."""

    coding: Coding
    container: Container
    width: int
    height: int
    aspect: Fraction
    color: Color
    time_base: Fraction
    rate: Fraction

    @property
    def even_size(self) -> tuple[int, int]:
        """Width and height as the codec can hold them: one more where it needs them even."""
        odd = self.coding.codec.even
        return self.width + (self.width % 2 if odd else 0), self.height + (self.height % 2 if odd else 0)

    def options(self) -> dict[str, str]:
        """Return the encoder's own options."""
        codec = self.coding.codec
        options = dict(_ALWAYS.get(codec.encoder, {}))
        if codec.encoder == "libx264" and cv2.checkHardwareSupport(_AVX512):
            options |= _WITHOUT_AVX512
        if self.coding.crf is not None:
            options["crf"] = str(self.coding.crf)
        if codec.effort:
            options[codec.effort] = self.coding.preset
        return options

    def apply(self, context: Any) -> None:
        """Set up an encoder, or a stream that has one."""
        context.width, context.height = self.even_size
        context.pix_fmt = self.coding.codec.pixels
        context.time_base = self.time_base
        context.framerate = self.rate
        context.sample_aspect_ratio = self.aspect
        tag(context, self.color, is_rgb=self.coding.codec.pixels == "bgr0")
        if self.container.steady_rate and self.coding.name == "h264":
            context.max_b_frames = 0  # such containers know one time a frame
        if self.coding.name == "hevc" and self.container.muxer in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # what Apple's players look for
        context.options = self.options()


class Encoder:
    """Encodes one segment; `extradata` is known from the beginning."""

    def __init__(self, settings: Settings) -> None:
        self._context: Any = av.CodecContext.create(CODECS[settings.coding.name].encoder, "w")
        settings.apply(self._context)
        if FormatFlags.global_header in FormatFlags(ContainerFormat(settings.container.muxer, "w").flags):
            self._context.flags |= int(Flags.global_header)
        self._size = settings.even_size
        self._to_frame = FromRGB(settings.color, settings.coding.codec.pixels)
        self._time_base = settings.time_base
        self._durations: dict[int, int] = {}  # encoders reorder frames, and not all of them hand durations on
        with encode_errors(_DOING):
            self._context.open()

    @property
    def extradata(self) -> bytes:
        """The codec's headers, as the container stores them."""
        return bytes(self._context.extradata or b"")

    def encode(self, picture: Picture) -> Iterator[Encoded]:
        """Take a picture and yield what is ready; raises EncodeError."""
        frame = self._to_frame(_padded(picture.image, self._size))
        frame.pts, frame.duration, frame.time_base = picture.pts, picture.duration, self._time_base
        self._durations[picture.pts] = picture.duration
        yield from self._packets(frame)

    def finish(self) -> Iterator[Encoded]:
        """Yield what is left."""
        yield from self._packets(None)

    def _packets(self, frame: VideoFrame | None) -> Iterator[Encoded]:
        with encode_errors(_DOING):
            packets = self._context.encode(frame)
        for packet in packets:
            pts = packet.pts or 0
            yield Encoded(pts, self._durations.pop(pts, packet.duration or 0), packet.is_keyframe, bytes(packet))


def _padded(image: Image, size: tuple[int, int]) -> Image:
    """Repeat the last row or column of a picture whose sides are odd where the codec needs them even."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    padded: Image = np.pad(image, ((0, size[1] - height), (0, size[0] - width), (0, 0)), mode="edge")
    return padded
