"""Cold starts of `cartoonize --help` and `cartoonize photo.jpg` beside importing TensorFlow and another checkout.

Every figure beside another is the median of commands that ran in turn. Without a checkout the other side of reading is
Pillow's bare decoding and encoding, which draws nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from measure import cartoonize, header, median_seconds, photo, row, save, seconds

from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import load
from cartoonize.method.pixels import to_network

ROOT = Path(__file__).parents[1]
BARE = "import sys; from PIL import Image; image = Image.open(sys.argv[1]); image.load(); image.save(sys.argv[2])"
DECODE = "import sys; from pathlib import Path; from cartoonize.media.codec import decode; decode(Path(sys.argv[1]))"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout of this program")
    parser.add_argument("--repeats", type=int, default=9)
    asked = parser.parse_args()
    header()
    with tempfile.TemporaryDirectory() as folder:
        small, large = (save(Path(folder) / f"{side}.jpg", side, side * 3 // 2) for side in (720, 4000))
        target = str(Path(folder) / "cartoon.jpg")
        against_tensorflow(small, target, asked.repeats)
        beside_pillow(small, large, target, asked.repeats)
        if asked.against:
            beside_a_checkout(asked.against, small, large, target, asked.repeats)


def against_tensorflow(source: Path, target: str, repeats: int) -> None:
    array = to_network(photo(720, 1080))[np.newaxis]
    engine = LiteRTEngine(load("fast"), threads=2)
    commands = {
        "python -c ''": [sys.executable, "-c", ""],
        "python -c 'import tensorflow'": [sys.executable, "-c", "import tensorflow"],
        "cartoonize --help": cartoonize("--help"),
        "cartoonize photo.jpg, cold, 720 x 1080": cartoonize(str(source), "--out", target, "--overwrite"),
    }
    found = medians(list(commands.values()), repeats)
    for name, value in zip(commands, found, strict=True):
        row(name, value)
    _, tensorflow, show_help, cold = found
    generator = median_seconds(lambda: engine(array))
    row("one generator pass, 720 x 1080", generator)
    row("--help: share of importing TensorFlow", show_help / tensorflow, "x")
    row("photo.jpg: share of importing TensorFlow + a generator pass", cold / (tensorflow + generator), "x")


def beside_pillow(small: Path, large: Path, target: str, repeats: int) -> None:
    for source, name in ((small, "720 x 1080"), (large, "24 megapixels")):
        decoding = [[sys.executable, "-c", code, str(source), target] for code in (DECODE, BARE)]
        ours, bare = medians(decoding, repeats)
        row(f"decode {name} in a new process, ours", ours)
        row(f"decode and encode {name} in a new process, Pillow's", bare)
        row("  ours against Pillow's", ours / bare, "x")


def beside_a_checkout(other: Path, small: Path, large: Path, target: str, repeats: int) -> None:
    python, draw = sys.executable, ["--out", target, "--overwrite"]
    for name, command in (
        ("cartoonize --help", [python, "-m", "cartoonize", "--help"]),
        ("cartoonize photo.jpg, cold", [python, "-m", "cartoonize", str(small), *draw]),
        ("decode 24 megapixels", [python, "-c", DECODE, str(large)]),
    ):
        ours, theirs = medians([command, command], repeats, [of(ROOT), of(other.resolve())])
        row(f"{name}, this checkout", ours)
        row(f"{name}, the other", theirs)
        row("  this against the other", ours / theirs, "x")


def of(checkout: Path) -> Mapping[str, str]:
    """An environment in which Python imports the program from a checkout."""
    return {**os.environ, "PYTHONPATH": str(checkout)}


def medians(
    commands: Sequence[Sequence[str]], repeats: int, environments: Sequence[Mapping[str, str] | None] | None = None
) -> list[float]:
    """Median seconds of each command, run in turn after one warm-up, so that what else the machine does meets all."""
    pairs = list(zip(commands, environments or [None] * len(commands), strict=True))
    taken: list[list[float]] = [[] for _ in pairs]
    for number in range(repeats + 1):
        for times, (command, environment) in zip(taken, pairs, strict=True):
            spent = seconds(
                lambda command=command, environment=environment: subprocess.run(
                    command, check=True, capture_output=True, env=environment, cwd=tempfile.gettempdir()
                )
            )
            times += [spent] * (number > 0)
    return [statistics.median(times) for times in taken]


if __name__ == "__main__":
    main()
