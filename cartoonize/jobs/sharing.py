"""How many photos are worked on at a time: as the machine's cores and its free memory allow."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cartoonize.errors import DecodeError
from cartoonize.jobs.line import Budget
from cartoonize.machine import available_cores, free_memory
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cartoonize.generators.generator import Generator
    from cartoonize.jobs.planning import Job
    from cartoonize.method.pixels import Size

# Peak bytes a pixel, measured and rounded up: of a photo's own pixels, where decoding, the result and its encoder meet;
# and of those at working size, where the guided filter does.
_PHOTO, _WORK = 21, 80
# Times the bytes of a generator's tensors that LiteRT keeps from photo to photo: measured, of the authors' U-Net 4.6,
# of the built-in ones 2.5 to 4.3.
_KEPT = 4.6
UNSEEN = 550 * 10**6  # peak bytes of a conversion whose photo nobody has measured: of 24 megapixels
_PATIENCE, _PATIENCE_A_PIXEL = 600.0, 20e-6  # seconds
_SHARE = 0.7  # of the free memory: the rest is for what the estimate does not see, and for other programs


@dataclass(frozen=True)
class Share:
    """How many photos at a time, the threads each gets for inference, and the memory they share."""

    workers: int
    threads: int
    budget: Budget[Job]


def share(photos: int, generator: Generator, size: Size, device: str, wanted: int | None = None) -> Share:
    """Share the machine among so many photos.

    `wanted` workers where a person says so, else one a core that has the memory for a generator: with one inference
    thread each they beat fewer with more, since decoding, filtering and encoding then overlap. A GPU takes one photo
    at a time, while the cores decode and encode others: two of them at least, that it need not wait.
    """
    cores = available_cores()
    memory = int(free_memory() * _SHARE)
    each = _generator_bytes(generator, size)
    most = wanted or max(1 if device == "cpu" else 2, min(cores, memory // each))
    workers = max(1, min(most, photos))
    left = max(0, memory - workers * each)
    weigh = partial(_conversion_bytes, size, generator.card.short_side)
    return Share(workers, max(1, cores // workers), Budget(left, weigh))


def patience(size: Size, job: Job) -> float:
    """Return the seconds that a photo may take where nobody has set a limit: many times what any has been seen to take.

    10 minutes, and 20 s more for each million pixels, of its own and of those that the generator works on.
    """
    from cartoonize.method.pixels import DEFAULT_SHORT_SIDE

    with suppress(DecodeError):  # whoever decodes it will say what is wrong
        pixels = sum(frames * (own + work) for own, work, frames in _pixels(size, job, DEFAULT_SHORT_SIDE))
        return _PATIENCE + _PATIENCE_A_PIXEL * pixels
    return _PATIENCE


def worker_memory(generator: Generator, size: Size) -> int:
    """Return the bytes that a worker of a cluster needs, with a photo as large as cameras make them."""
    return _generator_bytes(generator, size) + UNSEEN


def _generator_bytes(generator: Generator, size: Size) -> int:
    """Estimate what a worker's generator keeps in memory: of a photo twice as long as high, or of its largest tile."""
    from cartoonize.generators.tiles import MAX_TILE_BYTES, WHOLE_PIXELS

    short_side = generator.card.short_side if size is None else size
    pixels = WHOLE_PIXELS if short_side == "full" else min(WHOLE_PIXELS, 2 * short_side**2)
    tensors = min(pixels * generator.field.peak, MAX_TILE_BYTES)
    return max(1, int(_KEPT * tensors))


def thumbnails_budget() -> Budget[Job]:
    """Return the memory that photos and results share while thumbnails are made of them."""
    return Budget(int(free_memory() * _SHARE), _thumbnail_bytes)


def _conversion_bytes(size: Size, short_side: int, job: Job) -> int:
    """Estimate the peak memory of a photo's conversion; 0 of a stream, which comes alone."""
    return sum(own * frames * _PHOTO + work * _WORK for own, work, frames in _pixels(size, job, short_side))


def _pixels(size: Size, job: Job, short_side: int) -> Iterator[tuple[int, int, int]]:
    """Yield the pixels of a frame, those of it at working size, and the number of frames, where a photo is a file."""
    from cartoonize.media.measure import measure
    from cartoonize.method.pixels import working_shape

    for path in _files(job.source):
        height, width, frames = measure(path)
        rows, columns = working_shape((height, width), size, short_side)
        yield height * width, rows * columns, frames


def _thumbnail_bytes(job: Job) -> int:
    from cartoonize.media.measure import measure

    return sum(height * width * _PHOTO for height, width, _ in map(measure, _files(job.source, job.target)))


def _files(*ends: object) -> list[Path]:
    """Return those of a job's ends that are files on a disk: a pipe can be opened only once."""
    return [end.path for end in ends if isinstance(end, File) and os.path.isfile(end.path)]
