"""The same bits whatever the number of threads: of LiteRT, of BLAS, of OpenCV, and of photos at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from cartoonize import Cartoonizer
from cartoonize.generators.tiles import WHOLE_PIXELS
from cartoonize.media.hdr import tone_mapped
from cartoonize.media.profiles import PQ


@contextmanager
def threads(count: int) -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        cv2.setNumThreads(before)


def large(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a photo that is drawn in tiles at its own size."""
    twice = cv2.resize(photo, (1801, 603), interpolation=cv2.INTER_CUBIC)
    assert twice.shape[0] * twice.shape[1] > WHOLE_PIXELS
    return twice


@pytest.mark.parametrize("look", ["fast", "quality", "comic"])
@pytest.mark.parametrize("size", [64, pytest.param("full", marks=pytest.mark.slow)], ids=["brought up", "in tiles"])
def test_of_libraries(look: str, size: int | str, coffee: NDArray[np.uint8]) -> None:
    photo = large(coffee) if size == "full" else coffee[::2, ::2]
    results = []
    for count in (1, 2):
        with threads(count):
            results.append(Cartoonizer(look, size=size, threads=count)(photo))  # type: ignore[arg-type]
    np.testing.assert_array_equal(results[0], results[1])


def test_of_tone_mapping(coffee: NDArray[np.uint8]) -> None:
    results = []
    for count in (1, 2, 3):
        with threads(count):
            results.append(np.asarray(tone_mapped(Image.fromarray(coffee), 9, PQ)))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.slow
def test_of_the_program(coffee: NDArray[np.uint8], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        Image.fromarray(np.roll(coffee, 50 * number, 0)).save(tmp_path / "in" / f"{number}.png")
    for count in (1, 2):
        environment = os.environ | {f"{library}_NUM_THREADS": str(count) for library in ("OMP", "OPENBLAS")}
        words = [tmp_path / "in", "-o", tmp_path / f"out{count}", "--size", "150", "--jobs", count, "-q"]
        subprocess.run([sys.executable, "-m", "cartoonize", *map(str, words)], env=environment, check=True, timeout=600)
    one, two = (sorted((tmp_path / f"out{count}").glob("*.png")) for count in (1, 2))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert len(one) == 3


def test_a_converter_has_one_thread_of_blas() -> None:
    from cartoonize.jobs.converting import ConverterSpec

    with threadpool_limits(2):
        ConverterSpec().build()
        assert {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"} == {1}
