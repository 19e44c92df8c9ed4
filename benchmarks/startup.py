"""Cold starts: `cartoonize --help` and `cartoonize photo.jpg` against importing TensorFlow."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import cartoonize, header, median_command_seconds, median_seconds, photo, row, save

from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import load
from cartoonize.method.pixels import to_network


def main() -> None:
    header()
    array = to_network(photo(720, 1080))[np.newaxis]
    engine = LiteRTEngine(load("fast"), threads=2)
    with tempfile.TemporaryDirectory() as folder:
        source = save(Path(folder) / "photo.jpg", 720, 1080)
        target = Path(folder) / "cartoon.jpg"
        tensorflow = median_command_seconds([sys.executable, "-c", "import tensorflow"])
        python = median_command_seconds([sys.executable, "-c", ""])
        show_help = median_command_seconds(cartoonize("--help"))
        cold = median_command_seconds(cartoonize(str(source), "--out", str(target), "--overwrite"))
        generator = median_seconds(lambda: engine(array))
    row("python -c ''", python)
    row("python -c 'import tensorflow'", tensorflow)
    row("one generator pass, 720 x 1080", generator)
    row("cartoonize --help", show_help)
    row("  share of importing TensorFlow", show_help / tensorflow, "x")
    row("cartoonize photo.jpg, cold, 720 x 1080", cold)
    row("  share of importing TensorFlow + a generator pass", cold / (tensorflow + generator), "x")


if __name__ == "__main__":
    main()
