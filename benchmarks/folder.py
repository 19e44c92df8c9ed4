"""A folder of 30 photos against the generator passes it needs (same threads, same machine, one run)."""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from measure import cartoonize, header, photo, row, save, seconds

from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import load
from cartoonize.method.pixels import resize, to_network, working_shape

PHOTOS = 30


def bare_seconds(weights: str, shape: tuple[int, int]) -> float:
    """Sum of the generator's own time over the photos, at their working size, on all cores: planning, no files."""
    engine = LiteRTEngine(load(weights), threads=os.cpu_count() or 1)
    array = to_network(resize(photo(*shape), working_shape(shape, None)))[np.newaxis]
    return sum(seconds(lambda: engine(array)) for _ in range(PHOTOS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="fast")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--width", type=int, default=1080)
    options = parser.parse_args()
    header()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "photos"
        folder.mkdir()
        for n in range(PHOTOS):
            save(folder / f"{n:02}.jpg", options.height, options.width)
        command = cartoonize(str(folder), "--out", f"{name}/out", "--weights", options.weights, "--quiet")
        bare = bare_seconds(options.weights, (options.height, options.width))
        whole = seconds(lambda: subprocess.run(command, check=True))
    row(f"{PHOTOS} generator passes, {options.width} x {options.height}, `{options.weights}`", bare)
    row("cartoonize folder/ --out out/, everything included", whole)
    row("  ratio", whole / bare, "x")


if __name__ == "__main__":
    main()
