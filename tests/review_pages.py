"""What the tests of the review page share: outcomes, and pages made of them without a generator."""

from __future__ import annotations

import random
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from cartoonize.jobs.converting import Converted
from cartoonize.jobs.planning import Job
from cartoonize.jobs.running import Outcome
from cartoonize.media.stores import File
from cartoonize.media.thumbnails import Thumbnail, Thumbnails
from cartoonize.pages.review import Review

Told: TypeAlias = Outcome[Job, Converted]


def webp(color: tuple[int, int, int] = (200, 80, 40)) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (32, 24), color).save(stream, "WEBP")
    return stream.getvalue()


def done(source: Path, target: Path, seconds: float = 1.0) -> Told:
    thumbnails = Thumbnails(Thumbnail(None, 320, 240), Thumbnail(webp(), 320, 240))
    return Outcome(Job(File(source), File(target), "JPEG", "write"), "done", seconds, Converted(thumbnails=thumbnails))


def skipped(source: Path, target: Path) -> Told:
    thumbnails = Thumbnails(Thumbnail(None, 320, 240), Thumbnail(webp((40, 80, 200)), 320, 240))
    return Outcome(
        Job(File(source), File(target), "JPEG", "skip", "exists"), "skipped", result=Converted(thumbnails=thumbnails)
    )


def failed(source: Path, error: str) -> Told:
    return Outcome(Job(File(source), None, "JPEG", "fail", error), "failed", error=error)


def write_page(page: Path, outcomes: Iterable[Told], *, total: int | None = None, interrupted: bool = False) -> str:
    outcomes = list(outcomes)
    with Review(page, {"Weights": "fast"}, len(outcomes) if total is None else total) as review:
        for outcome in outcomes:
            review(outcome)
        review.write(interrupted=interrupted)
    return page.read_text(encoding="utf-8")


def many(folder: Path, count: int) -> list[Told]:
    """Outcomes of a large run; every seventh is skipped, every hundredth failed."""
    chance = random.Random(0)
    outcomes = []
    for number in range(count):
        source, target = folder / f"in/{number}.jpg", folder / f"out/{number}.jpg"
        if number % 100 == 99:
            outcomes.append(failed(source, "not a picture"))
        elif number % 7 == 6:
            outcomes.append(skipped(source, target))
        else:
            # Each of a thumbnail's usual size and unlike the others, so that nothing is shared.
            data = webp() + chance.randbytes(9_000)
            outcomes.append(
                Outcome(
                    Job(File(source), File(target), "JPEG", "write"),
                    "done",
                    chance.random(),
                    Converted(thumbnails=Thumbnails(Thumbnail(None, 320, 240), Thumbnail(data, 320, 240))),
                )
            )
    return outcomes
