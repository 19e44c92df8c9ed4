"""Numbers on the command line: in a range, or a time."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import click

_TIME = re.compile(r"(?:(?:(?P<hours>\d+):)?(?P<minutes>[0-5]?\d):)?(?P<seconds>\d+(?:\.\d+)?)")


class NumberRange(click.FloatRange):
    """A number in a range; click's own takes nan to be in every one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fails as click's own does."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


class Time(click.ParamType[Fraction]):
    """A time in a film: seconds, or [hours:]minutes:seconds, exactly."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Fraction:
        """Return the seconds; fails for what is no time."""
        if isinstance(value, Fraction):
            return value
        match = _TIME.fullmatch(value.strip())
        if match is None or (match["minutes"] and float(match["seconds"]) >= 60):
            self.fail(f"{value!r} is no time: expected seconds, or minutes:seconds such as 1:23.5", param, ctx)
        whole = int(match["hours"] or 0) * 3600 + int(match["minutes"] or 0) * 60
        return whole + Fraction(match["seconds"])
