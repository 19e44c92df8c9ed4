"""Containers and codecs of films: names, which goes into which, settings. Nothing heavy: planning needs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from cartoonize.errors import EncodeError


@dataclass(frozen=True)
class Container:
    """A kind of film file: FFmpeg's name of the muxer, the codecs we write into it (the first is the default).

    `steady_rate`: it numbers its frames and cannot hold frames of different lengths.
    """

    muxer: str
    codecs: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()
    steady_rate: bool = False


@dataclass(frozen=True)
class Codec:
    """How a codec is written: FFmpeg's encoder, its pixel format, quality and effort.

    crf: default constant rate factor, lower is better; None is lossless. effort: the encoder's option that `preset`
    sets, with its values and our default. even: it needs an even width and height.
    """

    encoder: str
    pixels: str
    crf: int | None = None
    worst: int = 0
    effort: str = ""
    presets: tuple[str, ...] = ()
    preset: str = ""
    even: bool = False


_MP4 = Container("mp4", ("h264", "hevc", "av1", "vp9"), (("movflags", "+faststart"),))
_TS = Container("mpegts", ("h264", "hevc"), (("mpegts_copyts", "1"),))

CONTAINERS: dict[str, Container] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container("mov", ("h264", "hevc"), _MP4.options),
    ".mkv": Container("matroska", ("h264", "hevc", "av1", "vp9", "ffv1")),
    ".webm": Container("webm", ("vp9", "av1")),
    ".avi": Container("avi", ("h264", "ffv1"), steady_rate=True),
    ".ts": _TS,
    ".m2ts": Container("mpegts", _TS.codecs, (*_TS.options, ("mpegts_m2ts_mode", "1"))),
}
"""Extension in lower case -> the container it stands for."""

_READ_ONLY = frozenset(f".{name}" for name in ["mts", "mpg", "mpeg", "vob", "wmv", "flv", "3gp", "ogv"])

_NAMED = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")

CODECS: dict[str, Codec] = {
    "h264": Codec("libx264", "yuv420p", 18, 51, "preset", _NAMED, "veryfast", even=True),
    "hevc": Codec("libx265", "yuv420p", 20, 51, "preset", _NAMED, "medium", even=True),
    "av1": Codec("libsvtav1", "yuv420p", 24, 63, "preset", tuple(map(str, range(14))), "8", even=True),
    "vp9": Codec("libvpx-vp9", "yuv420p", 24, 63, "cpu-used", tuple(map(str, range(9))), "4"),
    "ffv1": Codec("ffv1", "bgr0"),
}
"""Name on the command line -> codec."""


def container_of(path: PurePath) -> Container | None:
    """Return the container that the suffix of `path` stands for, in any case; None when it is none of a film."""
    return CONTAINERS.get(path.suffix.lower())


def is_film(path: PurePath) -> bool:
    """Whether a file is by its name a film that is read."""
    return path.suffix.lower() in CONTAINERS or path.suffix.lower() in _READ_ONLY


def film_extension(path: PurePath) -> str:
    """Return the extension of a film's result: its own where that container is written, else one that holds all."""
    return path.suffix if path.suffix.lower() in CONTAINERS else ".mkv"


@dataclass(frozen=True)
class Coding:
    """What the frames are written with: a codec's name, its CRF (None: lossless) and effort."""

    name: str
    crf: int | None
    preset: str

    @property
    def codec(self) -> Codec:
        """The codec's entry in CODECS."""
        return CODECS[self.name]


def coding_for(target: PurePath, name: str | None = None, crf: int | None = None, preset: str | None = None) -> Coding:
    """Return the coding of a result called `target`; None stands for the default of the container or the codec.

    Raises EncodeError where they do not go together.
    """
    container = container_of(target)
    if container is None:
        raise EncodeError(f"no film is written as {target.suffix or target.name}: expected {', '.join(CONTAINERS)}")
    name = name or container.codecs[0]
    if name not in container.codecs:
        held = ", ".join(container.codecs)
        other = next(extension for extension, one in CONTAINERS.items() if name in one.codecs)
        raise EncodeError(f"{target.suffix} is not written with {name}: expected {held}, or {other}")
    codec = CODECS[name]
    if crf is not None and codec.crf is None:
        raise EncodeError(f"{name} is lossless and has no --crf: leave it out")
    if crf is not None and crf > codec.worst:
        raise EncodeError(f"--crf {crf}: {name} knows 0 to {codec.worst}")
    if preset is not None and preset not in codec.presets:
        expected = ", ".join(codec.presets) if codec.presets else "none"
        raise EncodeError(f"--preset {preset}: of {name} expected {expected}")
    return Coding(name, codec.crf if crf is None else crf, preset or codec.preset)
