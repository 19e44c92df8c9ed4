from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from scipy.linalg import sqrtm

from cartoonize.cli.evaluate import evaluate
from cartoonize.training.evaluation.chart import chart
from cartoonize.training.evaluation.distances import Estimate, Vectors, estimate, fid, kid
from cartoonize.training.evaluation.looking import Eye, content_ratio


def sets(features: int = 6, count: int = 40, seed: int = 0) -> tuple[Vectors, Vectors]:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(features, features))
    return rng.normal(size=(count, features)), rng.normal(0.5, 1.5, (count + 9, features)) @ mixed


@settings(max_examples=20)
@given(st.integers(0, 99), st.sampled_from([(6, 40), (20, 12)]))
def test_fid_is_the_formula_with_scipys_matrix_root(seed: int, size: tuple[int, int]) -> None:
    """As pytorch-fid has it, also where there are fewer pictures than features."""
    a, b = sets(*size, seed)
    Sa, Sb = np.cov(a.T), np.cov(b.T)
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(Sa + Sb - 2 * sqrtm(Sa @ Sb).real)
    assert fid(a, b) == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_fid_of_a_shift_is_its_square() -> None:
    a, _ = sets()
    assert fid(a, a) == pytest.approx(0, abs=1e-9)
    assert fid(a, a + 3) == pytest.approx(6 * 9)


def test_kid_is_the_sum_over_pairs() -> None:
    a, b = sets(count=7)

    def mean(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
        return sum((x @ y / 6 + 1) ** 3 for x, y in pairs) / len(pairs)

    within = [mean([(x, y) for n, x in enumerate(s) for m, y in enumerate(s) if n != m]) for s in (a, b)]
    assert kid(a, b) == pytest.approx(sum(within) - 2 * mean([(x, y) for x in a for y in b]))


def test_kid_of_one_distribution_is_nothing_on_average() -> None:
    rng = np.random.default_rng(0)
    values = [kid(rng.normal(size=(20, 5)), rng.normal(size=(20, 5))) for _ in range(400)]
    assert np.mean(values) == pytest.approx(0, abs=3 * np.std(values) / 20)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(100):
        found = estimate(kid, rng.normal(size=(60, 4)), rng.normal(1, 1, (60, 4)))
        hits += found.low < TRUTH < found.high
    assert hits >= 85


# E (s / 4 + 1)³ over s = x·y for N(0, I) and N(1, I) in 4 dimensions, by the first three moments of s: 1.75 within the
# first, 12.875 within the second, 2.5 between them.
TRUTH = 1.75 + 12.875 - 2 * 2.5


def photos(folder: Path, count: int) -> Path:
    folder.mkdir()
    for n in range(count):
        part = skimage.data.coffee()[15 * n : 15 * n + 120, 20 * n : 20 * n + 160]
        PillowImage.fromarray(part).save(folder / f"{n}.png")
    return folder


def test_content_of_a_picture_is_its_own() -> None:
    pictures = [skimage.data.coffee()[20 * n : 20 * n + 100, 30 * n : 30 * n + 140] for n in range(5)]
    eye = Eye()
    seen, darker = eye.see(pictures), eye.see([picture // 2 for picture in pictures])
    assert content_ratio(seen, seen) == pytest.approx(0, abs=1e-6)
    assert (content_ratio(darker, seen) < 1).all()
    assert seen.vectors.shape == (5, 152)


def test_the_command_tells_looks_apart(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 11)
    (folder / "notes.txt").write_text("no picture, and not taken for one")
    (folder / "0broken.jpg").write_text("no picture")
    arguments = ["--photos", str(folder), "--cartoons", str(folder), "-w", "fast"]

    result = CliRunner().invoke(evaluate, [*arguments, "--json", "--chart", str(tmp_path / "chart.png")])

    assert result.exit_code == 0, result.output
    assert result.stderr.count("0broken.jpg") == 2, "once as a photo, once as a cartoon"
    untouched, fast = json.loads(result.stdout)["looks"]
    assert (untouched["weights"], fast["weights"]) == ("(photos)", "fast")
    assert untouched["fid_cartoons"]["value"] == pytest.approx(0, abs=1e-6)
    assert untouched["fid_photos"] is None
    assert fast["fid_cartoons"] == fast["fid_photos"]
    assert fast["fid_cartoons"]["value"] > 0.01
    assert 0 < fast["content"]["value"] < 1
    assert fast["flat"]["value"] > untouched["flat"]["value"]
    assert fast["flat"]["low"] < fast["flat"]["value"] < fast["flat"]["high"]
    with PillowImage.open(tmp_path / "chart.png") as image:
        assert image.width == 720


def test_too_few_pictures_are_one_line(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 2)

    result = CliRunner().invoke(evaluate, ["--photos", str(folder), "--cartoons", str(folder)])

    assert result.exit_code == 1
    assert result.output == f"Error: {folder}: 2 pictures found, at least 10 are needed\n"


def test_too_few_that_can_be_read_are_one_line(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos", 9)
    (folder / "broken.jpg").write_text("no picture")

    result = CliRunner().invoke(evaluate, ["--photos", str(folder), "--cartoons", str(folder)])

    assert result.exit_code == 1
    assert result.output.endswith(f"Error: {folder}: 9 pictures that can be read, at least 10 are needed\n")


def test_a_longer_bar_is_a_larger_number() -> None:
    page = chart([("measure", [("one", Estimate(1, 0.9, 1.1)), ("four", Estimate(4, 3.8, 4.2))])])
    one, four = ((page[top + 6] == (120, 165, 215)).all(-1).sum() for top in (26, 52))
    assert four == pytest.approx(4 * one, abs=4)


@pytest.mark.parametrize(("name", "said"), [("file/chart.png", "expected a folder"), ("chart.jpg", "a .png file")])
def test_a_chart_that_cannot_be_written_is_said_before_any_work(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folders = ("--photos", str(tmp_path), "--cartoons", str(tmp_path))  # empty: the work would say so
    result = CliRunner().invoke(evaluate, [*folders, "--chart", str(tmp_path / name)])
    assert result.exit_code in (1, 2)
    assert said in result.output
