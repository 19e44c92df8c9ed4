"""Peak memory of a 24-megapixel photo, and growth over a long run."""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from pathlib import Path

import psutil
from measure import cartoonize, header, peak_megabytes, row, save


def growth(folder: Path, photos: int) -> tuple[float, float]:
    """Run over many small photos; return the resident megabytes when 50 and when nearly all are done."""
    out = folder / "out"
    process = psutil.Popen(cartoonize(str(folder / "many"), "--out", str(out), "--quiet"))
    samples: dict[int, float] = {}
    ended = threading.Event()
    while not ended.wait(0.02) and process.poll() is None:
        try:
            done = len(os.listdir(out)) if out.is_dir() else 0
            samples[done] = process.memory_info().rss / 1024**2
        except psutil.NoSuchProcess:
            break
    first = next(megabytes for done, megabytes in sorted(samples.items()) if done >= 50)
    return first, samples[max(done for done in samples if done < photos)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="fast")
    weights = parser.parse_args().weights
    header()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = save(folder / "large.jpg", 4000, 6000)
        common = ["--overwrite", "--weights", weights, "--out", str(folder / "result.jpg")]
        row("24 megapixels, default size: peak", peak_megabytes(cartoonize(str(large), *common)), "MB")
        row("24 megapixels, --size full: peak", peak_megabytes(cartoonize(str(large), *common, "--size", "full")), "MB")
        (folder / "many").mkdir()
        for n in range(500):
            save(folder / "many" / f"{n:03}.jpg", 200 + n % 7 * 8, 320 - n % 5 * 8)
        first, last = growth(folder, 500)
        row("500 photos of 35 sizes: resident after photo 50", first, "MB")
        row("500 photos of 35 sizes: resident near photo 500", last, "MB")
        row("  growth", last - first, "MB")


if __name__ == "__main__":
    main()
