"""The review page: how each job ended -> one HTML file that shows results beside their photos, offline."""

from __future__ import annotations

import os
import re
import tempfile
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from cartoonize import __version__
from cartoonize.errors import CartoonizeError, shown
from cartoonize.jobs.converting import Converted, look_at
from cartoonize.jobs.remaking import OLDER, OLDER_FILM, OTHER_SETTINGS
from cartoonize.jobs.running import Outcome, run
from cartoonize.jobs.sharing import thumbnails_budget
from cartoonize.machine import available_cores
from cartoonize.media.files import open_atomically, write_problem
from cartoonize.pages.addresses import address, name_and_folder
from cartoonize.remote.objects import Remote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from jinja2 import Template

    from cartoonize.jobs.planning import Job

_GENERATOR = "cartoonize"
_MARK = f'<meta name="generator" content="{_GENERATOR} '.encode()
_HEAD = 1000  # bytes in which the mark is found
_STATUSES = ("done", "skipped", "failed")


class ReviewError(CartoonizeError):
    """The page cannot be made as asked: a usage error."""


@dataclass(frozen=True)
class Span:
    """Where a thumbnail lies in the spool, in bytes."""

    start: int
    length: int


@dataclass(frozen=True)
class Card:
    """What the page tells about one job; texts are fit to be shown, addresses percent-encoded.

    film: of a film, the second of it at which its result begins.
    """

    name: str
    folder: str
    status: str
    seconds: float
    error: str
    notes: str
    source: str
    target: str
    width: int
    height: int
    photo: Span | None
    result: Span | None
    film: float | None


def check_page(page: Path | Remote, *, streams: bool, overwrite: bool) -> None:
    """Raise ReviewError where a page cannot or must not be written; pages of earlier runs may be replaced.

    `streams` tells whether the run reads standard input or writes standard output.
    """
    if (page.suffix if isinstance(page, Path) else page.url.suffix).lower() not in (".html", ".htm"):
        raise ReviewError(f"{page}: expected the name of an .html file")
    if isinstance(page, Path) and os.path.isdir(page):
        raise ReviewError(f"{page} is a folder: expected the name of an .html file")
    if isinstance(page, Path) and (problem := write_problem(page)):
        raise ReviewError(f"{page}: {problem}")
    if streams:
        raise ReviewError("the page shows files: neither standard input nor standard output goes with it")
    if not overwrite and _is_another(page):
        raise ReviewError(f"{page} exists and is no review page: give another name, or --overwrite")


def _is_another(page: Path | Remote) -> bool:
    """Whether something has the page's name and is no page of ours."""
    if isinstance(page, Remote):
        return page.is_listed() and _MARK not in page.content()[:_HEAD]
    try:
        with open(page, "rb") as file:
            return _MARK not in file.read(_HEAD)
    except OSError:
        return os.path.lexists(page)


class Review:
    """Collects how jobs end and writes the page; thumbnails wait in a nameless file where the page will be.

    `total` is None where nobody knows yet how many there will be. Called from one thread only. Raises ReviewError when
    nothing can be written there.
    """

    def __init__(self, page: Path | Remote, settings: dict[str, str], total: int | None) -> None:
        self.page = page
        self._settings = settings
        self._total = total
        self._cards: list[Card] = []
        self._begun = datetime.now().astimezone()
        self._start = perf_counter()
        try:
            if isinstance(page, Path):
                page.parent.mkdir(parents=True, exist_ok=True)
            spool_folder = page.parent if isinstance(page, Path) else None
            self._spool = tempfile.TemporaryFile(dir=spool_folder, buffering=0)  # noqa: SIM115  closed by __exit__
        except OSError as error:
            raise ReviewError(f"{page}: its folder cannot be written to: {error.strerror}") from error

    def __enter__(self) -> Review:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()

    def __call__(self, outcome: Outcome[Job, Converted]) -> None:
        """Take up one outcome."""
        job, result = outcome.item, outcome.result or Converted()
        both = result.thumbnails
        name, folder = name_and_folder(job.source, self.page)
        failed = outcome.status == "failed"
        self._cards.append(
            Card(
                name=shown(name),
                folder=shown(folder),
                status=outcome.status,
                seconds=outcome.seconds,
                error=shown(outcome.error or ""),
                notes=shown("; ".join(filter(None, (job.renamed, _stale(outcome), *result.notes)))),
                source=address(job.source, self.page),
                target="" if failed else address(job.target, self.page),
                width=both.photo.width if both else 0,
                height=both.photo.height if both else 0,
                photo=self._kept(both.photo.data) if both else None,
                result=self._kept(both.result.data) if both else None,
                film=result.begins if job.film else None,
            )
        )

    def write(self, *, interrupted: bool) -> None:
        """Write the page of what there is so far; raises EncodeError."""
        context = {
            "generator": f"{_GENERATOR} {__version__}",
            "cards": sorted(self._cards, key=lambda card: _natural(card.folder, card.name)),
            "counts": Counter(card.status for card in self._cards),
            "statuses": _STATUSES,
            "left": 0 if self._total is None else self._total - len(self._cards),
            "interrupted": interrupted,
            "begun": self._begun,
            "seconds": perf_counter() - self._start,
            "settings": self._settings,
            "picture": self._data_uri,
        }
        if isinstance(self.page, Remote):
            self.page.write(_template().render(context).encode(), overwrite=True)
            return
        with open_atomically(self.page, overwrite=True) as file:
            _template().stream(context).dump(file, encoding="utf-8")

    def _kept(self, data: bytes | None) -> Span | None:
        """Append a thumbnail to the spool; a full disk costs the page a picture, not the run its results."""
        if data is None:
            return None
        try:
            start = self._spool.seek(0, os.SEEK_END)
            complete = self._spool.write(data) == len(data)
        except OSError:
            return None
        return Span(start, len(data)) if complete else None

    def _data_uri(self, span: Span) -> str:
        self._spool.seek(span.start)
        return f"data:image/webp;base64,{b64encode(self._spool.read(span.length)).decode()}"


def earlier_results(skipped: Sequence[Job]) -> Iterator[Outcome[Job, Converted]]:
    """Yield the outcome of each skipped job with thumbnails of the result that exists, or a note why there are none."""
    from cartoonize.media import opening

    opening.configure_pillow()
    for outcome in run(skipped, look_at, workers=available_cores(), budget=thumbnails_budget()):
        unseen = Converted(notes=(f"no thumbnail: {outcome.error}",))
        yield Outcome(outcome.item, "skipped", result=outcome.result or unseen, reason=outcome.item.reason)


def _stale(outcome: Outcome[Job, Converted]) -> str:
    return f"the result {outcome.reason}" if outcome.reason in (OLDER, OLDER_FILM, OTHER_SETTINGS) else ""


def _natural(*texts: str) -> list[list[tuple[str, int]]]:
    """Return a key that sorts photo2 before photo10."""
    return [[(word.casefold(), int(digits or 0)) for word, digits in re.findall(r"(\D*)(\d*)", text)] for text in texts]


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("cartoonize.pages", "review_page")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    for name in ("style.css", "script.js"):
        text = loader.get_source(environment, name)[0]
        environment.globals[name.partition(".")[0]] = text
        environment.globals[f"{name.partition('.')[0]}_hash"] = b64encode(sha256(text.encode()).digest()).decode()
    environment.filters["duration"] = _duration
    return environment.get_template("page.html.jinja")
