"""What the benchmarks share: test photos, medians, child processes with their peak memory."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image


def photo(height: int, width: int) -> NDArray[np.uint8]:
    """A real photo (scikit-image's astronaut), cut to the aspect and enlarged."""
    source = Image.fromarray(skimage.data.astronaut())
    scale = min(source.width / width, source.height / height)
    box = (0, 0, round(width * scale), round(height * scale))
    return np.asarray(source.resize((width, height), Image.Resampling.BICUBIC, box))


def save(path: Path, height: int, width: int) -> Path:
    Image.fromarray(photo(height, width)).save(path, quality=92)
    return path


def median_seconds(run: Callable[[], object], repeats: int = 5) -> float:
    """Median wall time after one warm-up call."""
    run()
    return statistics.median(seconds(run) for _ in range(repeats))


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_command_seconds(command: Sequence[str], repeats: int = 5) -> float:
    return median_seconds(lambda: subprocess.run(command, check=True, capture_output=True), repeats)


def cartoonize(*arguments: str) -> list[str]:
    """The command as a user runs it: the script that was installed beside this Python."""
    return [str(Path(sys.executable).with_name("cartoonize")), *arguments]


def peak_megabytes(command: Sequence[str]) -> float:
    """Run a command and return its peak resident memory."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_maxrss / 1024


def header() -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")


def row(label: str, value: float, unit: str = "s") -> None:
    print(f"{label:<58} {value:10.3f} {unit}")
