"""The part of a film that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Stretch:
    """From `start` to before `end`, in seconds of the film's own clock; None: from its beginning, to its end."""

    start: Fraction | None = None
    end: Fraction | None = None

    def holds(self, seconds: Fraction) -> bool:
        """Whether a moment lies in it."""
        return (self.start is None or seconds >= self.start) and (self.end is None or seconds < self.end)

    @property
    def offset(self) -> Fraction:
        """What is taken off all times: a stretch that was cut out begins at zero."""
        return self.start or Fraction(0)
