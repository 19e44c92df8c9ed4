"""The review page: what thumbnails cost, and pages of 2,000 and 20,000 photos written and opened in Chromium."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

from measure import header, median_seconds, photo, row, save
from selenium import webdriver

from cartoonize.jobs.converting import Converted
from cartoonize.jobs.planning import Job
from cartoonize.jobs.running import Outcome
from cartoonize.media import thumbnails
from cartoonize.media.codec import EncodeOptions, Frame, Metadata, Photo
from cartoonize.media.stores import File
from cartoonize.media.thumbnails import Thumbnail, Thumbnails
from cartoonize.pages.review import Review

SIZES = {"720 x 1080": (720, 1080), "24 megapixels": (4000, 6000)}
OPTIONS = EncodeOptions("JPEG")
COUNTS = 2_000, 20_000


def write(page: Path, count: int, thumbnail: bytes) -> None:
    chance = random.Random(0)
    with Review(page, {}, count) as review:
        for number in range(count):
            job = Job(File(page.parent / f"in/{number}.jpg"), File(page.parent / f"out/{number}.jpg"), "JPEG", "write")
            unlike = thumbnail + chance.randbytes(8)  # no two alike, or the browser would keep one for all
            both = Thumbnails(Thumbnail(None, 640, 480), Thumbnail(unlike, 640, 480))
            review(Outcome(job, "done", chance.random(), Converted(thumbnails=both)))
        review.write(interrupted=False)


def opening_seconds(page: Path, profile: Path) -> float:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        begun = time.perf_counter()
        driver.get(page.as_uri())
        return time.perf_counter() - begun
    finally:
        driver.quit()


def main() -> None:
    header()
    for name, shape in SIZES.items():
        picture = Photo((Frame(photo(*shape)),), Metadata(None, None, None, None, None), "JPEG")
        row(f"thumbnail of a result, {name}", median_seconds(partial(thumbnails.of_result, picture, OPTIONS)))
        with tempfile.TemporaryDirectory() as folder:
            target = save(Path(folder, "result.jpg"), *shape)
            row(f"  of one on disk, {name}", median_seconds(partial(thumbnails.of_files, Path("a.jpg"), target)))
    data = thumbnails.of_result(picture, OPTIONS).data or b""
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "review.html")
            begun = time.perf_counter()
            write(page, count, data)
            row(f"page of {count} photos: writing", time.perf_counter() - begun)
            row("  size", page.stat().st_size / 1e6, "MB")
            row("  opening", opening_seconds(page, Path(folder, "profile")))


if __name__ == "__main__":
    main()
