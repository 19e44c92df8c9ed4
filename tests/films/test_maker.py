"""What a Cartoonizer does with films, with the real generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cartoonize
from cartoonize import Cartoonizer
from cartoonize.errors import ArgumentError
from cartoonize.films.options import FilmOptions
from tests.clips import Clip, frames, pan


@pytest.fixture(scope="module")
def cartoonizer() -> Cartoonizer:
    return Cartoonizer("fast", threads=1)


def test_frames_that_are_not_steadied_are_those_of_single_pictures(cartoonizer: Cartoonizer) -> None:
    pictures = [*pan(3), *pan(3)[-1:], *pan(2)]
    results = list(cartoonizer.frames(pictures, steady=0))
    for picture, result in zip(pictures, results, strict=True):
        np.testing.assert_array_equal(result, cartoonizer(picture))


def test_frames_are_read_only_as_they_are_needed(cartoonizer: Cartoonizer) -> None:
    read = 0

    def pictures():  # type: ignore[no-untyped-def]
        nonlocal read
        for picture in pan(40):
            read += 1
            yield picture

    results = cartoonizer.frames(pictures(), steady=0)
    next(results)
    assert read <= 2 * cartoonizer.workers + 1


def test_frames_is_a_function_of_the_package_too(cartoonizer: Cartoonizer) -> None:
    (result,) = cartoonize.frames(pan(1), "fast", smooth=0.5, threads=1)
    np.testing.assert_array_equal(result, Cartoonizer("fast", smooth=0.5)(pan(1)[0]))


def test_what_is_no_frame_is_refused(cartoonizer: Cartoonizer) -> None:
    with pytest.raises(ArgumentError, match="uint8"):
        list(cartoonizer.frames([np.zeros((8, 8, 3))]))  # type: ignore[list-item]


def test_a_film_gets_the_cartoons_of_its_frames(cartoonizer: Cartoonizer, tmp_path: Path) -> None:
    source = Clip(pictures=pan(3), codec="ffv1", pixels="bgr0").write(tmp_path / "a.mkv")
    told: list[float] = []
    filmed = cartoonizer.video(
        source,
        tmp_path / "b.mkv",
        FilmOptions(codec="ffv1", steady=0),
        tell=lambda progress: told.append(progress.frames / progress.of),
    )
    assert filmed.frames == 3
    assert told == [1 / 3, 2 / 3, 1]
    for before, after in zip(frames(source), frames(tmp_path / "b.mkv"), strict=True):
        np.testing.assert_array_equal(after, cartoonizer(before))


def test_a_part_that_changes_is_computed_and_the_rest_is_not(cartoonizer: Cartoonizer, tmp_path: Path) -> None:
    """A clock on a still picture: little is computed, and the frames are those of single pictures all the same."""
    still = np.ascontiguousarray(np.tile(pan(1, 96, 64)[0], (7, 6, 1)))
    pictures = []
    for second in range(4):
        picture = still.copy()
        picture[10:20, 10:30] = 60 * second
        pictures.append(picture)
    source = Clip(pictures=pictures, codec="ffv1", pixels="bgr0").write(tmp_path / "a.mkv")
    filmed = cartoonizer.video(source, tmp_path / "b.mkv", FilmOptions(codec="ffv1", steady=0))
    assert filmed.computed < 1 + 3 * 0.3
    for before, after in zip(pictures, frames(tmp_path / "b.mkv"), strict=True):
        np.testing.assert_array_equal(after, cartoonizer(before))
