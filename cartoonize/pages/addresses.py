"""Where the review page finds a picture: addresses as seen from the page."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PurePath
from urllib.parse import quote

from cartoonize.media.stores import File, Sink, Source
from cartoonize.remote.objects import Remote


def name_and_folder(end: Source | Sink, page: Path | Remote) -> tuple[str, str]:
    """Return what a picture is called, and what it lies in: as typed, but an absolute path as seen from the page.

    A page may be shown to others, whom the place of the photos on this disk does not concern.
    """
    if isinstance(end, File):
        place = end.path.parent
        return end.path.name or str(end.path), _from(page, place) if place.is_absolute() else str(place)
    folder, _, name = str(end).rpartition("/")
    return name or str(end), folder


def _from(page: Path | Remote, folder: Path) -> str:
    if isinstance(page, Remote):
        return folder.name
    try:
        return os.path.relpath(folder, page.parent)
    except ValueError:  # on Windows there is no way from one drive to another
        return str(folder)


def address(end: Source | Sink | None, page: Path | Remote) -> str:
    """Return the address of a picture, percent-encoded: relative to a page in the same place, else its own."""
    if isinstance(end, File):
        return relative_url(end.path, page) if isinstance(page, Path) else Path(os.path.abspath(end.path)).as_uri()
    if not isinstance(end, Remote):
        return ""
    if isinstance(page, Remote) and (page.url.root, page.url.tail) == (end.url.root, end.url.tail):
        return quote(posixpath.relpath(f"/{end.url.key}", posixpath.dirname(f"/{page.url.key}")))
    return quote(str(end), safe=":/?&=%")


def relative_url(path: Path, page: Path) -> str:
    """Return the address of a file as seen from the page, percent-encoded whatever bytes its name has."""
    try:
        relative = os.path.relpath(path, page.parent)
    except ValueError:  # on Windows there is no way from one drive to another
        return Path(os.path.abspath(path)).as_uri()
    return "/".join(quote(os.fsencode(part), safe="") for part in PurePath(relative).parts)
