"""Segments of films as items of a cluster: made by a worker from the film, wherever both can reach it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cartoonize.media.stores import File
from cartoonize.remote.objects import Remote
from cartoonize.remote.transfer import fetch

if TYPE_CHECKING:
    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.films.commission import Commission
    from cartoonize.films.spans import Span
    from cartoonize.media.film.segments import Segment
    from cartoonize.media.stores import Source


@dataclass(frozen=True)
class SegmentItem:
    """A segment to be made: of which film, by which plan, and where its packets go."""

    film: int
    source: Source
    commission: Commission
    span: Span
    packets: File | Remote
    action: Literal["write"] = "write"

    def __str__(self) -> str:
        return f"{self.source}, segment {self.span.number + 1}"


def make_segment(item: SegmentItem, cartoonizer: Cartoonizer) -> Segment | None:
    """Draw, encode and write a segment; None where none of its frames can be decoded. Raises CartoonizeError."""
    from cartoonize.films.segmenting import finished_frames, write_segment

    order = item.commission
    if isinstance(item.source, Remote):
        order = replace(order, film=replace(order.film, path=_copy(item.source)))
    frames = finished_frames(order, cartoonizer, [item.span], workers=1)  # the other cores have workers of their own
    first = next(frames, None)
    if first is None:
        return None
    if isinstance(item.packets, File):
        return write_segment(item.packets.path, order, chain([first], frames), lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "packets")
        segment = write_segment(path, order, chain([first], frames), lambda _: None)
        item.packets.write(path.read_bytes(), overwrite=True)
    return segment


@lru_cache(maxsize=1)
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="cartoonize-film-")


@lru_cache(maxsize=1)
def _copy(source: Remote) -> Path:
    """Return where this worker has a film; it keeps one at a time."""
    path = Path(_folder().name, f"film{source.url.suffix}")
    fetch(source.url, path)
    return path
