import subprocess
import sys
from pathlib import PurePath

import pytest

from cartoonize.media.formats import (
    EXTENSIONS,
    MAX_SIDE,
    PREFERRED_EXTENSION,
    color_name,
    format_of,
    plays,
    size_problem,
    timing,
)


def test_every_format_is_written_with_an_extension_of_its_own():
    assert set(PREFERRED_EXTENSION) == set(EXTENSIONS.values())
    assert all(EXTENSIONS[suffix] == name for name, suffix in PREFERRED_EXTENSION.items())


@pytest.mark.parametrize(
    ("path", "name"), [("a.JPG", "JPEG"), ("x/y.b.Heic", "HEIF"), ("a.txt", None), (".png", None), ("png", None)]
)
def test_format_of_a_path(path, name):
    assert format_of(PurePath(path)) == name


def test_planning_needs_no_image_library():
    code = "import sys, cartoonize.media.formats; print({'PIL', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_size_problem_names_the_limit_and_the_way_out():
    assert size_problem("JPEG", 65_500, 1) is None
    assert size_problem("PNG", 100_000, 100_000) is None
    problem = size_problem("WEBP", 7, 16_384)
    assert problem is not None
    assert "16383" in problem
    assert "png" in problem
    assert MAX_SIDE["WEBP"] == 16_383


@pytest.mark.parametrize(("loop", "times"), [(None, 1), (0, 0), (1, 2), (4, 5)])
def test_plays_of_a_gif_and_back(loop, times):
    assert plays("GIF", loop) == times
    assert timing("GIF", [10], times).get("loop") == loop


def test_plays_of_other_formats_is_their_loop_count():
    assert [plays("PNG", loop) for loop in (None, 0, 3)] == [0, 0, 3]
    assert timing("PNG", [15], 3) == {"duration": [15], "loop": 3}


def test_hundredths_of_a_second_keep_the_total():
    durations = timing("GIF", [33] * 30, 0)["duration"]
    assert sum(durations) == 990
    assert set(durations) == {30, 40}


def test_color_name():
    assert color_name((255, 255, 255)) == "white"
    assert color_name((255, 0, 16)) == "#ff0010"
