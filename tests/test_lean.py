"""Without TensorFlow, Keras and scikit-image all that can work works, and the rest says what to install.

Tried in this Python with their import forbidden, or, where LEAN_PYTHON names the Python of a lean install, in that.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from cartoonize.generators.weights import builtin_folder

from .clips import Clip, times

ROOT = Path(__file__).parents[1]
LEAN = {line.strip() for line in (ROOT / "requirements-lean.txt").read_text().splitlines() if line[0] != "#"}
FORBID = """
import sys

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Forbidden())
from cartoonize.__main__ import main
main()
"""
LEFT_OUT = ("tensorflow", "keras", "h5py", "pydantic", "yaml", "tensorboard", "skimage")


def run(*arguments: str | Path, cwd: Path, without: str = "") -> subprocess.CompletedProcess[str]:
    lean = os.environ.get("LEAN_PYTHON")
    forbidding = [sys.executable, "-c", FORBID.format(names={*LEFT_OUT, without})]
    start = [lean, "-m", "cartoonize"] if lean and not without else forbidding
    return subprocess.run([*start, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=600)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.fromarray(skimage.data.coffee()[::4, ::4]).save(tmp_path / "photo.jpg")
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    (tmp_path / "cfg.yaml").write_text("run: runs/x\n")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["photo.jpg"],
        ["photo.jpg", "--weights", "quality", "--format", "heic", "--review", "page.html"],
        ["compare", "photo.jpg", "--size", "50", "--size", "full"],
        ["weights", "list"],
        ["weights", "verify"],
        ["--help"],
        ["train", "--help"],
        ["version"],
    ],
    ids=" ".join,
)
def test_what_needs_no_training_library_works(arguments: list[str], folder: Path) -> None:
    result = run(*arguments, cwd=folder)
    assert result.returncode == 0, result.stderr


def test_a_heic_photo_is_read(folder: Path) -> None:
    run("photo.jpg", "--out", "photo.heic", cwd=folder)
    objects = run("photo.heic", "--json", cwd=folder).stdout.splitlines()
    assert json.loads(objects[-1])["summary"]["done"] == 1


def test_a_film_is_drawn(folder: Path) -> None:
    Clip().write(folder / "film.mp4")
    result = run("film.mp4", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert times(folder / "film_cartoon.mp4") == times(folder / "film.mp4")


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (["inspect", "photo.jpg"], "scikit-image"),
        (["train", "--print-config"], "tensorflow"),
        (["train", "--config", "cfg.yaml"], "tensorflow"),
        (["distill", "--config", "cfg.yaml"], "tensorflow"),
        (["photo.jpg", "--weights", builtin_folder() / "fast.weights.h5"], "tensorflow"),
    ],
    ids=lambda value: Path(str(value[-1])).name if isinstance(value, list) else value,
)
def test_what_needs_one_says_in_one_line_what_to_install(arguments: list[str], package: str, folder: Path) -> None:
    refused(run(*arguments, cwd=folder), package, folder)


@pytest.mark.parametrize("options", [[], ["photo.jpg", "--shard", "1/1"]])
def test_a_film_without_pyav_says_what_to_install(options: list[str], folder: Path) -> None:
    refused(run("clip.mp4", *options, cwd=folder, without="av"), "av", folder)


def refused(result: subprocess.CompletedProcess[str], package: str, folder: Path) -> None:
    assert result.returncode == 2, result.stderr
    assert re.fullmatch(rf"Error: this needs \w+.*: pip install .*\b{package}\b.*\n", result.stderr)
    assert not [path for path in folder.iterdir() if path.name not in ("photo.jpg", "clip.mp4", "cfg.yaml")]


def test_the_lean_requirements_are_some_of_the_plain_ones_with_the_same_bounds() -> None:
    listed = (ROOT / "pyproject.toml").read_text().split("\ndependencies = [")[1].split("\n]")[0]
    plain = set(re.findall(r'^    "([^";]+)', listed, re.MULTILINE))
    assert plain >= LEAN
    names = {re.split("[>=<]", requirement)[0] for requirement in plain - LEAN}
    hint = (ROOT / "cartoonize" / "cli" / "refusals.py").read_text()
    assert {name for name in names if not re.search(rf"\b{name}\b", hint)} == set(), (
        "what a lean install lacks is what it is told of"
    )
