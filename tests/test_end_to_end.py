"""The program as its users run it: a process of its own, the shipped weights, a real photo."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.metrics import structural_similarity

from cartoonize.cli.app import cartoonize

from .conftest import psnr, read

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "keras", "torch")


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cartoonize", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)


def flat_share(image: np.ndarray) -> float:
    """Share of pixels whose brightness hardly differs from their neighbours': a cartoon has many, a photo few."""
    luma = image @ [0.299, 0.587, 0.114]
    return float(np.mean(np.hypot(*np.gradient(luma)) < 2))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    Image.fromarray(skimage.data.chelsea()).save(folder / "chelsea.jpg", quality=95)
    Image.fromarray(skimage.data.coffee()).save(folder / "below" / "coffee.png")
    return folder


def test_a_photo_becomes_a_cartoon_beside_it(photos: Path) -> None:
    result = run("chelsea.jpg", cwd=photos)
    assert result.returncode == 0, result.stderr
    photo, cartoon = read(photos / "chelsea.jpg"), read(photos / "chelsea_cartoon.jpg")
    assert cartoon.shape == photo.shape
    assert flat_share(cartoon) > flat_share(photo) + 0.1
    # Still the same cat: neither black nor another picture.
    assert structural_similarity(photo, cartoon, channel_axis=2) > 0.6
    assert np.abs(photo.mean(axis=(0, 1)) - cartoon.mean(axis=(0, 1))).max() < 25


def test_a_folder_keeps_its_tree_and_the_second_run_skips(photos: Path) -> None:
    first = run(photos, "--out", "out/", "--json", cwd=photos.parent)
    assert first.returncode == 0, first.stderr
    *files, last = map(json.loads, first.stdout.splitlines())
    assert {Path(file["target"]).as_posix() for file in files} == {"out/chelsea.jpg", "out/below/coffee.png"}
    assert last["summary"]["done"] == 2
    second = run(photos, "--out", "out/", "--json", cwd=photos.parent)
    assert json.loads(second.stdout.splitlines()[-1])["summary"]["skipped"] == 2


def test_cpu_inference_imports_no_tensorflow(photos: Path) -> None:
    script = (
        "import sys\n"
        "from cartoonize.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    command = [sys.executable, "-c", script, "chelsea.jpg", "--quiet"]
    result = subprocess.run(command, cwd=photos, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    assert result.stderr == ""
    assert (photos / "chelsea_cartoon.jpg").is_file()


@pytest.mark.slow
def test_the_authors_checkpoint_in_a_folder_of_its_own(photos: Path, shared: Path) -> None:
    result = run("chelsea.jpg", "--weights", shared / "pretrained", "--size", "64", cwd=photos)
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    assert (photos / "chelsea_cartoon.jpg").is_file()


@pytest.mark.parametrize("weights", ["fsat", "no.tflite", "chelsea.jpg"])
def test_weights_that_are_none_are_a_usage_error(photos: Path, weights: str) -> None:
    result = run("chelsea.jpg", "--weights", weights, cwd=photos)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert not (photos / "chelsea_cartoon.jpg").exists()


@pytest.mark.parametrize(
    "name", ["before_after", "representation_sheet", pytest.param("sizes", marks=pytest.mark.slow)]
)
def test_the_examples_make_the_pictures_of_the_docs(name: str, tmp_path: Path) -> None:
    target = tmp_path / "sheet.jpg"
    subprocess.run([sys.executable, ROOT / "examples" / f"{name}.py", target], check=True, timeout=600)
    assert psnr(read(target), read(ROOT / "docs" / "pictures" / f"{name}.jpg")) > 35


def test_the_manual_pages_hold_every_command_and_option(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "examples" / "man_pages.py", tmp_path], check=True, timeout=600)
    for name, command in {
        "cartoonize": cartoonize,
        **{f"cartoonize-{n}": c for n, c in cartoonize.others.items()},
    }.items():
        page = (tmp_path / f"{name}.1").read_text(encoding="utf-8").replace("\\-", "-")
        assert page.startswith('.TH "')
        for parameter in command.params:
            assert all(option in page for option in parameter.opts if option.startswith("--"))
