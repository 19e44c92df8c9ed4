"""What is done about a result that exists: left, made anew, or not touched because nobody knows whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cartoonize.jobs.manifest import Record, Settings
from cartoonize.media.film.containers import is_film

EXISTS = "exists"
OTHER_SETTINGS = "was made with other settings"
OLDER = "is older than its photo"
OLDER_FILM = "is older than its film"
FOREIGN = "exists, and this program did not make it: delete it, or give its name with --out"
"""Why a result is left or replaced: words that follow its name."""


@dataclass(frozen=True)
class Remake:
    """Which results are made anew: all that this program made, or with `update` those that are no longer right.

    settings, film_settings: those of this run, None where they are not to be compared. defaults: what a record that
    does not name a setting was made with, since it was not there then.
    """

    overwrite: bool = False
    update: bool = False
    settings: Settings | None = None
    defaults: Mapping[str, Any] | None = None
    film_settings: Settings | None = None

    def state(self, record: Record | None, photo: Path) -> str:
        """Say how a result stands to its photo or film and to this run: EXISTS, OLDER, OLDER_FILM, OTHER_SETTINGS."""
        film = is_film(photo)
        if record is None:
            return EXISTS
        if not record.photo.fits(photo):
            return OLDER_FILM if film else OLDER
        before = {**(self.defaults or {}), **record.settings}
        wanted = self.film_settings if film else self.settings
        same = all(before.get(name) == value for name, value in (wanted or {}).items())
        return EXISTS if same else OTHER_SETTINGS

    def replaces(self, state: str) -> bool:
        """Whether a result in this state is made anew."""
        return self.overwrite or (self.update and state != EXISTS)


KEEP = Remake()
"""Nothing that exists is made anew, nor compared."""
