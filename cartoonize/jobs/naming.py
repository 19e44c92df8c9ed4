"""What results are called: beside a photo or below a folder, no two alike, none like a photo."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath

from cartoonize.jobs.manifest import Manifests
from cartoonize.jobs.sources import Candidate, Found, fold, is_inside, outside
from cartoonize.media.film.containers import film_extension, is_film
from cartoonize.media.formats import EXTENSIONS, format_of, result_extension

SUFFIX = "_cartoon"


@dataclass(frozen=True)
class _Wish:
    """The name a result gets when no other has it: `changes` where the photo's extension is another."""

    target: Path
    key: str
    stem: str
    ending: str
    changes: bool


class Namer:
    """Gives every source a target that no other job has, that no job reads, and that is no other photo's result."""

    def __init__(self, found: Found, folder: Path | None, extension: str | None, manifests: Manifests) -> None:
        self._inputs = found.folders
        self._several = found.several
        self._among: dict[Path, bool] = {}
        self._folder = folder
        self._extension = extension
        self._all = found.candidates
        self._sources = {fold(source.real): source for source in found.candidates}
        self._taken = dict(self._sources)
        self._numbers: dict[str, int] = {}
        self._manifests = manifests

    def names(self) -> dict[Candidate, tuple[Path, str]]:
        """Return each source's target and, where that is not the name it would get alone, the reason.

        What was made keeps its name. Then photos that keep their extension come first. Of several others with one name
        none gets it: where no manifest tells, a result that exists would be taken for that of a photo added later.
        """
        wishes = {source: self._wish(source) for source in self._all}
        ordered = sorted(wishes, key=lambda source: (wishes[source].changes, source.real))
        names = {source: kept for source in ordered if (kept := self._kept(source, wishes[source]))}
        asked = Counter(wish.key for source, wish in wishes.items() if source not in names)
        for source in ordered:
            if source not in names:
                names[source] = self._name(source, wishes[source], asked[wishes[source].key] > 1)
        return names

    def _wish(self, source: Candidate) -> _Wish:
        suffix = extension_of(source.path, self._extension)
        where = self._places(source)[0]
        stem = source.path.stem
        in_place = self._lands_among_inputs(where) or key(where / f"{stem}{suffix}") in self._sources
        ending = f"{SUFFIX}{suffix}" if in_place else suffix
        target = where / f"{stem}{ending}"
        return _Wish(target, key(target), stem, ending, source.path.suffix.lower() != suffix.lower())

    def _places(self, source: Candidate) -> list[Path]:
        """Return the folder of a source's result, then where it would be if folders were given together or alone."""
        if self._folder is None:
            return [source.path.parent]
        alone = self._folder / source.place.parent
        if not source.root:  # named now, but perhaps found in its folder on an earlier night
            return [alone, alone / os.path.basename(os.path.dirname(source.real))]
        together = self._folder / source.root / source.place.parent
        return [together, alone] if self._several else [alone, together]

    def _kept(self, source: Candidate, wish: _Wish) -> tuple[Path, str] | None:
        """Return the target a source's result has since an earlier run; None when it has none."""
        extension = re.escape(source.path.suffix[1:])
        ours = re.compile(rf"{re.escape(wish.stem)}(_{extension})?(-\d+)?{re.escape(wish.ending)}", re.IGNORECASE)
        for where in self._places(source):
            names = self._manifests.of(where).results_of(source.real)
            for name in sorted(names, key=lambda name: (name != wish.target.name, name)):
                target = where / name
                if ours.fullmatch(name) and key(target) not in self._taken:
                    self._taken[key(target)] = source
                    return target, "" if target == wish.target else "its name since an earlier run"
        return None

    def _name(self, source: Candidate, wish: _Wish, contested: bool) -> tuple[Path, str]:
        target, reason = wish.target, ""
        owner = self._owner(target, source)
        if owner or (contested and wish.changes):
            reason = f"{target.name} is {owner}" if owner else f"{target.name} would be that of several"
            stem = f"{wish.stem}_{source.path.suffix[1:]}" if wish.changes else wish.stem
            target = self._free(source, target.parent, stem, wish.ending)
        self._taken[key(target)] = source
        return target, reason

    def _owner(self, target: Path, source: Candidate) -> str:
        """Say whose a name is already: of another job, or of another photo's result that is there; "" of nobody."""
        if other := self._taken.get(key(target)):
            return f"taken by {other.path}"
        manifest = self._manifests.of(target.parent)
        record = manifest.of(target.name)
        if not record or fold(manifest.source_of(record)) == fold(source.real) or record.photo.fits(source.path):
            return ""
        return "the result of another photo"

    def _free(self, source: Candidate, where: Path, stem: str, ending: str) -> Path:
        """Return the first free name of stem, stem-2, stem-3...; goes on where the last search for it ended."""
        base = key(where / f"{stem}{ending}")
        number = self._numbers.get(base, 1)
        while self._owner(target := where / f"{stem}{f'-{number}' if number > 1 else ''}{ending}", source):
            number += 1
        self._numbers[base] = number
        return target

    def _lands_among_inputs(self, where: Path) -> bool:
        """Whether a result in this folder would be read as a photo by the next run over the same inputs."""
        if self._folder is None:
            return True
        if where not in self._among:
            real, folder = os.path.realpath(where), os.path.realpath(self._folder)
            around = [read for read in (real, *outside(real)) if read in self._inputs]
            self._among[where] = not all(is_inside(folder, read) for read in around)
        return self._among[where]


def extension_of(source: PurePath, extension: str | None) -> str:
    """Return the extension of a photo's result, `extension` being the one asked for, or of a film's."""
    if is_film(source):
        return film_extension(source)
    own = format_of(source)
    if own and (extension is None or EXTENSIONS[extension] == own):
        return source.suffix
    return extension or result_extension(source)


def key(target: Path) -> str:
    """Identify a target also where capitals do not count or names are decomposed, and through links."""
    return fold(os.path.realpath(target))
