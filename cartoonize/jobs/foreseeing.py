"""Photos whose results cannot be made or take very long, found by their headers before the work."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from cartoonize.errors import DecodeError
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from cartoonize.jobs.converting import ConverterSpec
    from cartoonize.jobs.planning import Job


def foreseen(job: Job, spec: ConverterSpec) -> Job:
    """Return a job as one that fails or is costly where its photo's header shows that it will be; else as it is.

    Only photos of which some do not fit are opened; streams, films and what lies in a store never.
    """
    source = job.source
    if job.action not in ("write", "replace") or job.format is None or job.film or not isinstance(source, File):
        return job
    if spec.fits_all(job.format, source.format) or not os.path.isfile(source.path):
        return job
    from cartoonize.media.measure import measure
    from cartoonize.method.pixels import enlarging

    try:
        height, width, frames = measure(source.path, salvage=spec.salvage)
    except DecodeError as error:
        return replace(job, action="fail", reason=str(error))
    if problem := spec.wanted(job.format).problem(height, width, frames, lambda: _short_side(spec)):
        return replace(job, action="fail", reason=problem)
    return replace(job, costly=enlarging((height, width), spec.size, lambda: _short_side(spec)))


def _short_side(spec: ConverterSpec) -> int:
    from cartoonize.generators.generator import load

    return load(spec.weights).card.short_side
