"""What the user is told: lines and a bar on stderr, JSON objects on stdout, counts and the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from cartoonize.cli.film_progress import film_progress
from cartoonize.errors import CartoonizeError, shown
from cartoonize.jobs.remaking import OLDER, OLDER_FILM, OTHER_SETTINGS
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from tqdm import tqdm

    from cartoonize.films.filming import Progress
    from cartoonize.jobs.converting import Converted
    from cartoonize.jobs.planning import Job
    from cartoonize.jobs.running import Outcome
    from cartoonize.pages.review import Review

FEW = 10  # photos whose lines still fit on a screen


class Report:
    """Tells how each job ended, and counts; `total` is None until all are known. Called from one thread only."""

    def __init__(self, total: int | None, *, as_json: bool, quiet: bool, verbose: bool) -> None:
        self._counts: Counter[str] = Counter()
        self._stale: Counter[str] = Counter()
        self._total = total
        self._as_json = as_json
        self._quiet = quiet
        self._verbose = verbose
        self._failures: list[str] = []
        self._broken = False
        self._start = perf_counter()
        self._bar: tqdm[Any] | None = None
        self._where = ""

    @property
    def total(self) -> int | None:
        """Number of all jobs; None until that is known."""
        return self._total

    @property
    def count(self) -> int:
        """Number of jobs that ended."""
        return self._counts.total()

    @property
    def failed(self) -> bool:
        """Whether a file failed, or the run itself."""
        return self._broken or self._counts["failed"] > 0

    def __call__(self, outcome: Outcome[Job, Converted]) -> None:
        """Tell one outcome."""
        self._counts[outcome.status] += 1
        if outcome.status == "skipped":
            self._stale[outcome.reason] += 1
        if outcome.status == "done" and isinstance(outcome.item.target, File):
            self._where = _around(self._where, outcome.item.target)
        if self._bar is not None:
            self._bar.set_postfix_str(shown(str(outcome.item.source)), refresh=False)
            self._bar.update()
        if self._as_json:
            self._say(json.dumps(_outcome_object(outcome)), err=False)
        if outcome.status == "failed":
            self._tell_failure(outcome)
        elif not self._quiet:
            self._tell(outcome)

    def know(self, total: int) -> None:
        """Take in how many jobs there are, once that is known; may be called from any thread."""
        self._total = total
        if self._bar is not None:
            self._bar.total = total

    @contextmanager
    def progress(self, total: int | None) -> Iterator[None]:
        """Show a bar over `total` photos while the block runs, if stderr is a terminal."""
        if self._quiet or not sys.stderr.isatty():
            yield
            return
        from tqdm import tqdm

        with tqdm(total=total, unit="photo", leave=False, dynamic_ncols=True, file=sys.stderr) as self._bar:
            try:
                yield
            finally:
                self._bar.close()
                self._bar = None

    @contextmanager
    def film(self, name: str) -> Iterator[Callable[[Progress], None]]:
        """Show how far a film is while the block runs: a bar on a terminal, a line now and then elsewhere."""
        with film_progress(shown(name), self.note, quiet=self._quiet) as tell:
            yield tell

    def note(self, text: str) -> None:
        """Say something about the whole run, unless quiet."""
        if not self._quiet:
            self._say(f"cartoonize: {text}")

    def detail(self, text: str) -> None:
        """Say something only `--verbose` asks for."""
        if self._verbose:
            self._say(f"cartoonize: {text}")

    def fail(self, text: str) -> None:
        """Say what went wrong with the run as a whole, not with one file."""
        self._broken = True
        self._say(_red(f"cartoonize: {text}"))

    def finish(self, *, interrupted: bool = False) -> None:
        """Print the summary, after a long run the failures again, as JSON too if asked for."""
        left = None if self._total is None else self._total - self.count
        seconds = perf_counter() - self._start
        if self._as_json:
            counts = {status: self._counts[status] for status in ("done", "skipped", "failed")}
            stale = {
                "other_settings": self._stale[OTHER_SETTINGS],
                "older": self._stale[OLDER] + self._stale[OLDER_FILM],
            }
            summary = {**counts, **stale, "left": left, "seconds": round(seconds, 3), "interrupted": interrupted}
            self._say(json.dumps({"summary": summary}), err=False)
        if self._quiet:
            return
        if not self._are_few and self._failures:
            self._say("\n".join(["failed:", *self._failures]))
        parts = [f"{self._counts['done']} done"]
        parts += [f"{self._counts['skipped']} skipped{self._why()}"] if self._counts["skipped"] else []
        parts += [f"{self._counts['failed']} failed"] if self._counts["failed"] else []
        parts += [f"{'an unknown number' if left is None else left} left"] if left != 0 else []
        self._say(f"{'interrupted: ' if interrupted else ''}{', '.join(parts)} in {seconds:.1f} s{self._pace(seconds)}")

    def _why(self) -> str:
        """Say which of the skipped results are no longer right, and what makes them anew."""
        other, older = self._stale[OTHER_SETTINGS], self._stale[OLDER] + self._stale[OLDER_FILM]
        counts = [f"{other} made with other settings"] if other else []
        counts += [f"{older} older than {'its photo' if older == 1 else 'their photos'}"] if older else []
        return f" ({', '.join(counts)}: --update makes {'it' if other + older == 1 else 'them'} anew)" if counts else ""

    def _pace(self, seconds: float) -> str:
        """Say how fast many photos were and where they are; of a few, each line has said it."""
        done = self._counts["done"]
        if done <= FEW:
            return ""
        where = f": {shown(_from_here(self._where))}" if self._where else ""
        return f", {done / seconds:.1f} photos a second{where}"

    @property
    def _are_few(self) -> bool:
        return self._total is not None and self._total <= FEW

    def _tell(self, outcome: Outcome[Job, Converted]) -> None:
        job = outcome.item
        few = self._are_few or self._verbose
        if outcome.status == "skipped":
            if few:
                self._say(f"{shown(str(job.source))}: skipped, {shown(str(job.target))} {shown(outcome.reason)}")
            return
        if few or self._bar is None:
            took = f" ({outcome.seconds:.1f} s)" if self._total == 1 or self._verbose else ""  # others overlap
            self._say(f"{shown(str(job.source))} -> {shown(str(job.target))}{took}")
        for note in outcome.result.notes if outcome.result else ():
            self._say(f"{shown(str(job.source))}: {shown(note)}")

    def _tell_failure(self, outcome: Outcome[Job, Converted]) -> None:
        line = f"cartoonize: {shown(str(outcome.item.source))}: {shown(outcome.error or '')}"
        self._failures.append(line)
        self._say(_red(line))
        if self._verbose and outcome.trace:
            self._say(outcome.trace.rstrip())

    def _say(self, text: str, *, err: bool = True) -> None:
        """Print a line, without tearing the bar; click drops the colour where it is no terminal."""
        if self._bar is None:
            click.echo(text, err=err)
            return
        with self._bar.external_write_mode(file=sys.stderr):
            click.echo(text, err=err)


def _around(folder: str, result: File) -> str:
    """Return the folder around this result and all that are in `folder` ("" for none yet)."""
    here = os.path.dirname(os.path.abspath(result.path))
    try:
        common = os.path.commonpath([folder or here, here])
    except ValueError:  # on two disks
        return folder
    return common


def _from_here(folder: str) -> str:
    """Name a folder as one would type it here, with a slash at its end."""
    below = Path(folder).is_relative_to(Path.cwd())
    return os.path.join(os.path.relpath(folder) if below else folder, "")


def _red(line: str) -> str:
    return line if os.environ.get("NO_COLOR") else click.style(line, fg="red")


def finish(report: Report, review: Review | None, *, interrupted: bool) -> None:
    """Write the page, if there is one, and print the summary."""
    if review:
        try:
            review.write(interrupted=interrupted)
        except CartoonizeError as error:
            report.fail(f"{shown(str(review.page))}: {shown(str(error))}")
        else:
            report.note(f"review page: {shown(str(review.page))}")
    report.finish(interrupted=interrupted)


def _outcome_object(outcome: Outcome[Job, Converted]) -> dict[str, object]:
    job = outcome.item
    return {
        "source": str(job.source),
        "target": None if job.action == "fail" else str(job.target),
        "status": outcome.status,
        "seconds": round(outcome.seconds, 3),
        "error": outcome.error,
        "notes": list(outcome.result.notes) if outcome.result else [],
        **(outcome.result.figures if outcome.result else {}),
        "reason": outcome.reason or (job.reason if job.action == "replace" else ""),
    }
