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
from pathlib import Path, PurePath
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from cartoonize import __version__
from cartoonize.errors import CartoonizeError, shown
from cartoonize.jobs.converting import Converted, look_at
from cartoonize.jobs.running import Outcome, run
from cartoonize.jobs.sharing import thumbnails_budget
from cartoonize.machine import available_cores
from cartoonize.media.files import open_atomically
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from jinja2 import Template

    from cartoonize.jobs.planning import Job, Plan

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
    """What the page tells about one job; texts are fit to be shown, addresses percent-encoded."""

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


def check_page(page: Path, plan: Plan, *, overwrite: bool) -> None:
    """Raise ReviewError where a page cannot or must not be written; pages of earlier runs may be replaced."""
    if page.suffix.lower() not in (".html", ".htm"):
        raise ReviewError(f"{page}: expected the name of an .html file")
    if os.path.isdir(page):
        raise ReviewError(f"{page} is a folder: expected the name of an .html file")
    if not all(isinstance(end, File) for job in plan.jobs if job.action != "fail" for end in (job.source, job.target)):
        raise ReviewError("the page shows files: neither standard input nor standard output goes with it")
    if os.path.lexists(page) and not overwrite and not _is_ours(page):
        raise ReviewError(f"{page} exists and is no review page: give another name, or --overwrite")


def _is_ours(page: Path) -> bool:
    try:
        with open(page, "rb") as file:
            return _MARK in file.read(_HEAD)
    except OSError:
        return False


class Review:
    """Collects how jobs end and writes the page; thumbnails wait in a nameless file where the page will be.

    Called from one thread only. Raises ReviewError when nothing can be written there.
    """

    def __init__(self, page: Path, settings: dict[str, str], total: int) -> None:
        self.page = page
        self._settings = settings
        self._total = total
        self._cards: list[Card] = []
        self._begun = datetime.now().astimezone()
        self._start = perf_counter()
        try:
            page.parent.mkdir(parents=True, exist_ok=True)
            self._spool = tempfile.TemporaryFile(dir=page.parent, buffering=0)  # noqa: SIM115  closed by __exit__
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
        path = Path(str(job.source))
        failed = outcome.status == "failed"
        self._cards.append(
            Card(
                name=shown(path.name or path),
                folder=shown(path.parent),
                status=outcome.status,
                seconds=outcome.seconds,
                error=shown(outcome.error or ""),
                notes=shown("; ".join(filter(None, (job.renamed, *result.notes)))),
                source=relative_url(path, self.page),
                target="" if failed else relative_url(Path(str(job.target)), self.page),
                width=both.photo.width if both else 0,
                height=both.photo.height if both else 0,
                photo=self._kept(both.photo.data) if both else None,
                result=self._kept(both.result.data) if both else None,
            )
        )

    def write(self, *, interrupted: bool) -> None:
        """Write the page of what there is so far; raises EncodeError."""
        context = {
            "generator": f"{_GENERATOR} {__version__}",
            "cards": sorted(self._cards, key=lambda card: _natural(card.folder, card.name)),
            "counts": Counter(card.status for card in self._cards),
            "statuses": _STATUSES,
            "left": self._total - len(self._cards),
            "interrupted": interrupted,
            "begun": self._begun,
            "seconds": perf_counter() - self._start,
            "settings": self._settings,
            "picture": self._data_uri,
        }
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


def relative_url(path: Path, page: Path) -> str:
    """Return the address of a file as seen from the page, percent-encoded whatever bytes its name has."""
    try:
        relative = os.path.relpath(path, page.parent)
    except ValueError:  # on Windows there is no way from one drive to another
        return Path(os.path.abspath(path)).as_uri()
    return "/".join(quote(os.fsencode(part), safe="") for part in PurePath(relative).parts)


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
