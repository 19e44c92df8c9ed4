"""Whether a result can be made at all, by what a photo's header says: to be known before a pixel is decoded."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cartoonize.errors import AlreadyThereError, ArgumentError, EncodeError
from cartoonize.media.files import write_problem
from cartoonize.media.formats import ANIMATION, PREFERRED_EXTENSION, format_of, size_problem
from cartoonize.method.pixels import MAX_PIXELS, Size, is_count, work_problem, working_shape


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a photo: the format of the result, and `Cartoonizer`'s size and output_size."""

    format: str
    size: Size = None
    output_size: Literal["photo", "work"] = "photo"

    def problem(self, height: int, width: int, frames: int, short_side: Callable[[], int]) -> str | None:
        """Return why a photo of this size has no such result, with what to do about it; None where it has.

        short_side: tells the generator's working size in pixels; called only where it matters.
        """
        shape, frames = (height, width), frames if self.format in ANIMATION else 1
        if self.size is not None:
            work = working_shape(shape, self.size)
            if problem := work_problem(*work):
                return problem
            if self.output_size == "work":
                shape = work
        elif self.output_size == "work" and size_problem(self.format, width, height):  # it is never larger
            shape = working_shape(shape, None, short_side())
        if frames * shape[0] * shape[1] > MAX_PIXELS:
            many = f"{frames} frames of {shape[1]}x{shape[0]} pixels"
            return f"{many} are too many: expected at most {MAX_PIXELS // 10**6} million, choose a smaller --size"
        return size_problem(self.format, shape[1], shape[0])


def check_file(source: Path, target: Path, quality: int | None, *, overwrite: bool) -> None:
    """Find out before any work what would fail; raises ArgumentError, AlreadyThereError."""
    if format_of(target) is None:
        known = ", ".join(PREFERRED_EXTENSION.values())
        raise ArgumentError(f"{target}: expected an extension out of {known}")
    if quality is not None and not (is_count(quality) and quality <= 100):
        raise ArgumentError(f"quality must be a number from 1 to 100, got {quality!r}")
    if target.exists() and source.exists() and target.samefile(source):
        raise ArgumentError(f"{target} is the photo itself: give another name")
    if not overwrite and os.path.lexists(target):
        raise AlreadyThereError
    if problem := write_problem(target):
        raise EncodeError(f"{target}: {problem}")
