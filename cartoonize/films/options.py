"""How a film is to be converted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

STEADY = 0.5
"""How far frames are blended where nothing is said: chosen by the measure in docs/video.md."""


@dataclass(frozen=True)
class FilmOptions:
    """What can be chosen; None stands for the default of the container or the codec, or for the film's own end.

    codec: "h264", "hevc", "av1", "vp9" or "ffv1", as the container holds. crf: constant rate factor, lower is better
    and larger. preset: the encoder's effort, in its own words. start, end: the stretch to convert, in seconds. steady:
    0 (each frame for itself) to 1. background: laid under transparency, RGB. strip_metadata: leave titles and tags out.
    """

    codec: str | None = None
    crf: int | None = None
    preset: str | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    steady: float = STEADY
    background: tuple[int, int, int] = (255, 255, 255)
    strip_metadata: bool = False


AS_USUAL = FilmOptions()
