"""Colours of films: what the tags of a stream mean, YUV of any kind -> 8-bit RGB, and back with the same tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, ColorTrc, VideoReformatter

from cartoonize.errors import DecodeError
from cartoonize.media.film.tone_mapping import to_sdr
from cartoonize.method.pixels import Image

_HD_LINES = 720  # untagged films of fewer lines are taken for BT.601, as players do
RGB, BT709, UNSPECIFIED, FCC, BT470BG, BT601, SMPTE240M, BT2020 = 0, 1, 2, 4, 5, 6, 7, 9  # FFmpeg's AVColorSpace
_KNOWN = (BT709, FCC, BT470BG, BT601, SMPTE240M, BT2020)
_LIMITED, _FULL = int(ColorRange.MPEG), int(ColorRange.JPEG)
_HDR = (int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67))
# SWS_FULL_CHR_H_INT, _FULL_CHR_H_INP and _ACCURATE_RND: not all versions of PyAV have names for them.
_EXACT = 0x2000 | 0x4000 | 0x40000
_BILINEAR, _BICUBIC = 0x2, 0x4  # how colours get their size: to read them as players do, in half the time, and to write


@dataclass(frozen=True)
class Color:
    """Tags of a film, in FFmpeg's numbers: matrix and range are always known here, primaries and transfer may be 2."""

    matrix: int
    range: int
    primaries: int
    transfer: int

    @property
    def is_hdr(self) -> bool:
        """Whether the levels are PQ or HLG."""
        return self.transfer in _HDR

    @property
    def result(self) -> Color:
        """The tags of the result: the same, but BT.709 for what is tone-mapped."""
        return Color(BT709, self.range, 1, 1) if self.is_hdr else self


def color_of(frame: VideoFrame) -> Color:
    """Read the tags of a decoded frame, with a player's guess for what is not tagged: DecodeError for rare matrices."""
    is_rgb = frame.format.is_rgb
    guessed = BT709 if frame.height >= _HD_LINES else BT601
    matrix = guessed if is_rgb or frame.colorspace in (UNSPECIFIED, RGB) else int(frame.colorspace)
    if matrix not in _KNOWN:
        raise DecodeError(
            f"its colours use a matrix that is not supported (number {matrix}): convert it to BT.709 first"
        )
    full = int(frame.color_range) == _FULL or (not is_rgb and frame.format.name.startswith("yuvj"))
    return Color(matrix, _FULL if full and not is_rgb else _LIMITED, int(frame.color_primaries), int(frame.color_trc))


class ToRGB:
    """Converts frames of one film to uint8 (H, W, 3) RGB, of one `size` (width, height) even where the film changes it.

    For one thread at a time: its scaler is kept.
    """

    def __init__(self, color: Color, size: tuple[int, int], background: tuple[int, int, int]) -> None:
        self._color = color
        self._width, self._height = size
        self._background = np.array(background, np.float32)
        self._scaler = VideoReformatter()

    def __call__(self, frame: VideoFrame) -> Image:
        """Convert one frame; PQ and HLG are tone-mapped, transparency is laid on the background."""
        if self._color.is_hdr:
            return to_sdr(self._as("rgb48le", frame), hlg=self._color.transfer == int(ColorTrc.ARIB_STD_B67))
        if not has_alpha(frame):
            image: Image = self._as("rgb24", frame)
            return image
        with_alpha = self._as("rgba", frame)
        share = with_alpha[..., 3:] * np.float32(1 / 255)
        flat = with_alpha[..., :3] * share + self._background * (1 - share)
        result: Image = np.rint(flat).astype(np.uint8)
        return result

    def _as(self, pixels: str, frame: VideoFrame) -> Any:
        is_rgb = frame.format.is_rgb
        if not is_rgb:
            frame.colorspace = self._color.matrix  # as an argument PyAV 17 does not know BT.2020
        converted = self._scaler.reformat(
            frame,
            width=self._width,
            height=self._height,
            format=pixels,
            src_color_range=None if is_rgb else self._color.range,
            dst_color_range=_FULL,
            interpolation=_BILINEAR | _EXACT,
            threads=1,
        )
        return converted.to_ndarray()


class FromRGB:
    """Converts uint8 (H, W, 3) RGB to frames in `pixels`, a pixel format's name, by the tags of the result."""

    def __init__(self, color: Color, pixels: str) -> None:
        self._color = color
        self._pixels = pixels
        self._scaler = VideoReformatter()

    def __call__(self, image: Image) -> VideoFrame:
        """Convert one picture."""
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
        if self._pixels == "bgr0":
            return self._scaler.reformat(frame, format=self._pixels, threads=1)
        frame.colorspace = self._color.matrix  # which the result takes on
        return self._scaler.reformat(
            frame,
            format=self._pixels,
            dst_color_range=self._color.range,
            interpolation=_BICUBIC | _EXACT,
            threads=1,
        )


def tag(context: Any, color: Color, *, is_rgb: bool) -> None:
    """Write the tags into an encoder."""
    context.colorspace = RGB if is_rgb else color.matrix
    context.color_range = _FULL if is_rgb else color.range
    context.color_primaries = color.primaries
    context.color_trc = color.transfer


def has_alpha(frame: VideoFrame) -> bool:
    """Whether a frame has transparency."""
    return any(component.is_alpha for component in frame.format.components)
