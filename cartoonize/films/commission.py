"""What is to be made of a film, found possible before any work: the film as it is, what goes where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from cartoonize.errors import EncodeError
from cartoonize.films.options import FilmOptions
from cartoonize.media.film.containers import CONTAINERS, Coding, Container, coding_for, container_of
from cartoonize.media.film.description import Film, describe
from cartoonize.media.film.opening import check_encoder, opened
from cartoonize.media.film.stretch import Stretch
from cartoonize.media.film.tracks import Track, tracks_of

_BEFORE_ALL = -(2**62)


@dataclass(frozen=True)
class Commission:
    """A film that can be converted as asked; `notes` say what will not be as in the source."""

    film: Film
    target: Path
    options: FilmOptions
    coding: Coding
    container: Container
    tracks: tuple[Track, ...]
    stretch: Stretch
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long the stretch is that will be converted."""
        film = self.film
        begin, end = film.start * film.time_base, film.end * film.time_base
        begin = begin if self.stretch.start is None else max(begin, self.stretch.start)
        end = end if self.stretch.end is None else min(end, self.stretch.end)
        return float(end - begin)

    @property
    def frames(self) -> int:
        """About how many frames there are to convert."""
        film = self.film
        return max(1, round(film.frames * self.seconds / film.seconds)) if film.seconds > 0 else film.frames


def first_tick(commission: Commission) -> int:
    """Return the tick from which frames are wanted, one that no film has where it is wanted from its beginning."""
    start = commission.stretch.start
    return _BEFORE_ALL if start is None else math.ceil(start / commission.film.time_base)


def commission(source: Path, target: Path, options: FilmOptions) -> Commission:
    """Look a film over and decide how it is converted.

    Raises DecodeError where the source is no film, EncodeError where the result cannot be as asked.
    """
    coding = coding_for(target, options.codec, options.crf, options.preset)
    check_encoder(coding)
    container = CONTAINERS[target.suffix.lower()]
    film = describe(source)
    stretch = _stretch(film, options)
    with opened(source) as file:
        tracks = tracks_of(file, film.index, container)
        kept_chapters = container.muxer not in ("avi", "mpegts") or not file.chapters()
    refused = [track.name for track in tracks if track.action == "refuse"]
    refused += [] if kept_chapters else ["its chapters"]
    own = container_of(source)
    is_other = own is None or own.muxer != container.muxer
    if refused and is_other:
        raise EncodeError(f"{target.suffix} cannot hold {', '.join(refused)}: choose {_others(source)}")
    if container.steady_rate and is_other and not film.steady_rate:
        raise EncodeError(f"{target.suffix} holds one frame rate only and this film's varies: choose .mkv or .mp4")
    notes = [*film.notes, *(f"left out, {target.suffix} cannot hold it here: {name}" for name in refused)]
    notes += [f"converted to {track.codec}: {track.name}" for track in tracks if track.action == "convert"]
    return Commission(film, target, options, coding, container, tracks, stretch, tuple(notes))


def _others(source: Path) -> str:
    return " or ".join(dict.fromkeys((source.suffix, ".mkv")))


def _stretch(film: Film, options: FilmOptions) -> Stretch:
    first = film.start * film.time_base
    last = film.end * film.time_base
    start, end = options.start, options.end
    if start is not None and start >= last:
        raise EncodeError(f"--from {float(start):g}: the film ends at {float(last):.2f} s")
    if end is not None and end <= max(start or first, first):
        raise EncodeError(f"--to {float(end):g}: nothing is left, the stretch begins at {float(start or first):.2f} s")
    return Stretch(start, end)
