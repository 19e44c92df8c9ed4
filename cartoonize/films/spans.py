"""How a film is cut into segments, each of which can be made alone: on another day, or on another machine."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cartoonize.films.commission import first_tick

if TYPE_CHECKING:
    from cartoonize.films.commission import Commission

SEGMENT = 120  # frames: at most so much work is lost, and a key frame so often costs little
_LEFT = 1 / 128  # share of an earlier frame that steadying may still hold where a segment begins anew
_MOST_WARM = 30  # frames


@dataclass(frozen=True)
class Span:
    """The frames of a segment: those from tick `begin` to before `end`, which None leaves open.

    They are steadied from tick `warm` on, whoever makes them: so a segment depends on no frame before that one.
    """

    number: int
    warm: int
    begin: int
    end: int | None


def spans_of(commission: Commission) -> tuple[Span, ...]:
    """Cut what is wanted of a film into spans of SEGMENT frames, by the times of its packets."""
    film, stretch = commission.film, commission.stretch
    first = bisect_left(film.times, first_tick(commission))
    end = math.ceil(stretch.end / film.time_base) if stretch.end is not None else None
    times = film.times[first:] if end is None else film.times[first : bisect_left(film.times, end)]
    warm = _warm_up(commission.options.steady)
    begins = [first_tick(commission), *times[SEGMENT::SEGMENT]]
    ends = [*begins[1:], end]
    return tuple(
        Span(number, times[max(0, number * SEGMENT - warm)] if number else begin, begin, ends[number])
        for number, begin in enumerate(begins)
    )


def _warm_up(steady: float) -> int:
    """Return the frames after which less than _LEFT is left of what was before them."""
    if steady == 0:
        return 0
    return _MOST_WARM if steady == 1 else min(_MOST_WARM, math.ceil(math.log(_LEFT) / math.log(steady)))
