import subprocess
import sys
from pathlib import PurePath

import pytest

from cartoonize.media import formats
from cartoonize.media.formats import (
    EXTENSIONS,
    MAX_SIDE,
    PREFERRED_EXTENSION,
    color_name,
    format_of,
    is_readable,
    plays,
    result_extension,
    result_format,
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


def test_extensions_as_cameras_write_them():
    for name in ("DSC01.HIF", "P1.MPO", "a.JPE", "a.jfif", "a.Avifs", "scan.J2K", "logo.PSD", "x.Ppm"):
        assert is_readable(PurePath(name)), name
    assert not is_readable(PurePath("clip.mp4"))
    results = {
        "DSC01.HIF": ".HIF",
        "P1.MPO": ".jpg",
        "IMG_1.CR2": ".jpg",
        "a.psd": ".png",
        "a.xyz": ".png",
        "a.JPG": ".JPG",
    }
    assert {name: result_extension(PurePath(name)) for name in results} == results
    formats = {"JPEG": "JPEG", "HEIF": "HEIF", "RAW": "JPEG", "PSD": "PNG"}
    assert {name: result_format(name) for name in formats} == formats


@pytest.mark.parametrize(("suffix", "package"), [(".NEF", "rawpy"), (".jxl", "pillow_jxl")])
def test_what_needs_a_package_is_taken_from_folders_only_where_that_is_there(monkeypatch, suffix, package):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    assert not is_readable(PurePath(f"a{suffix}"))
    monkeypatch.setattr(formats, "find_spec", lambda name: name == package or None)
    assert is_readable(PurePath(f"a{suffix}"))
