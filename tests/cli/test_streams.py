"""Standard streams and caches that are closed or full: words may be lost, work and exit codes are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import cartoonize

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full and a shell")

UNWRITABLE = "cartoonize: standard output cannot be written: "


def shell(words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `cartoonize WORDS` by a shell, in a folder with a photo."""
    Image.new("RGB", (8, 8), "red").save(folder / "a.jpg")
    environment = {**os.environ, "PYTHONPATH": str(Path(cartoonize.__file__).parents[1]), **variables}
    command = ["sh", "-c", f"'{sys.executable}' -m cartoonize {words}"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("stream", [">/dev/full", ">&-"])
@pytest.mark.parametrize("words", ["--help", "version", "weights list", "a.jpg --dry-run", "a.jpg --json"])
def test_standard_output_that_cannot_be_written_is_one_line(words: str, stream: str, tmp_path: Path) -> None:
    ended = shell(f"{words} {stream}", tmp_path)
    assert ended.returncode == 1
    first, *further = ended.stderr.splitlines()
    assert first.startswith(UNWRITABLE)
    assert len(further) == ("--json" in words), "and the summary"


@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>&1"])
def test_work_is_done_whatever_becomes_of_the_words(streams: str, tmp_path: Path) -> None:
    ended = shell(f"a.jpg {streams}", tmp_path)
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "a_cartoon.jpg").is_file()


@pytest.mark.parametrize(
    ("words", "code"),
    [("gone.jpg", 1), ("--nonsense", 2), ("", 2), ("inspct a.jpg", 2), ("weights verify", 0), ("a.jpg -q --nope", 2)],
)
@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
def test_exit_codes_are_the_same_when_nobody_hears_a_word(words: str, code: int, stream: str, tmp_path: Path) -> None:
    ended = shell(f"{words} {stream}", tmp_path)
    assert (ended.returncode, ended.stderr) == (code, "")


@pytest.mark.parametrize("stream", [">/dev/full", ">&-"])
def test_a_picture_that_cannot_be_written_to_standard_output_fails(stream: str, tmp_path: Path) -> None:
    ended = shell(f"- <a.jpg {stream}", tmp_path)
    assert ended.returncode == 1
    assert "cartoonize: -: cannot be written to standard output: " in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", ["- -o b.jpg", "--files-from -"])
def test_standard_input_that_is_closed_is_empty(words: str, tmp_path: Path) -> None:
    ended = shell(f"{words} <&-", tmp_path)
    assert ended.returncode in (1, 3)
    assert ended.stderr.startswith("cartoonize: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("words", "code"), [("weights list", 0), ("weights verify", 0), ("a.jpg -w whitebox", 2)])
def test_a_cache_folder_that_cannot_be_looked_into_is_empty(words: str, code: int, tmp_path: Path) -> None:
    """A name too long for the disk stands in for a folder without the right to search it, which root always has."""
    ended = shell(words, tmp_path, XDG_CACHE_HOME=str(tmp_path / ("x" * 300)))
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
