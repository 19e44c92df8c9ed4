"""What is asked of whoever converts a photo, and what comes back; the same in this process and between two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from cartoonize.media.thumbnails import Thumbnails


class Request(NamedTuple):
    """What is to be converted: a file or the bytes of one, into which format (None is its own).

    is_file, makes_file: whether browsers reach the photo, and its result.
    """

    content: Path | bytes
    format: str | None
    is_file: bool = True
    makes_file: bool = True


@dataclass(frozen=True)
class Made:
    """The bytes of a result's file, what the user should know, and small pictures where they were asked for."""

    data: bytes
    notes: tuple[str, ...] = ()
    thumbnails: Thumbnails | None = None
