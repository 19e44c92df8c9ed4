"""How far a film is: a bar on a terminal, elsewhere a line every half minute; and a film in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cartoonize.films.filming import Progress

_EVERY = 30.0  # seconds between lines


@contextmanager
def film_progress(name: str, say: Callable[[str], None], *, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Yield what is to be called after every frame, from one thread."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar(name) as tell:
            yield tell
    else:
        yield _Lines(name, say)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[Progress], None]]:
    from tqdm import tqdm

    with tqdm(desc=name, unit="frame", leave=False, dynamic_ncols=True, file=sys.stderr, smoothing=0.05) as bar:

        def tell(progress: Progress) -> None:
            if not bar.total:  # of a run that goes on, what was done before is no part of the speed
                bar.initial = bar.n = bar.last_print_n = progress.frames - 1
            bar.total = max(progress.of, progress.frames)
            bar.set_postfix_str(clock(progress.position), refresh=False)
            bar.update(progress.frames - bar.n)

        yield tell


class _Lines:
    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name = name
        self._say = say
        self._first: int | None = None
        self._start = self._last = perf_counter()

    def __call__(self, progress: Progress) -> None:
        now = perf_counter()
        if self._first is None:
            self._first, self._start = progress.frames, now
        if now - self._last < _EVERY:
            return
        self._last = now
        total = max(progress.of, progress.frames)
        rate = (progress.frames - self._first) / max(now - self._start, 1e-6)
        speed = f", {rate:.1f} frames/s, {in_words((total - progress.frames) / rate)} left" if rate else ""
        self._say(f"{self._name}: frame {progress.frames} of {total}, at {clock(progress.position)}{speed}")


def film_in_words(film: Mapping[str, float]) -> str:
    """Say what a dry run tells of a film: frames, size, length, and how long it will take at most."""
    takes = f", takes about {in_words(film['takes'])}" if film.get("takes") else ""
    length = clock(film["duration"])
    return f"{film['frames']} frames of {film['width']}x{film['height']}, {length} long{takes}"


def clock(seconds: float) -> str:
    """Write a place in a film as people do: 1:02:03, or 0:08."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def in_words(seconds: float) -> str:
    """Write a duration to two figures: 12 s, 5 min, 3 h 20 min."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
