"""Inception against pytorch-fid 0.3.0 and torch-fidelity 0.4.0: `make_inception_reference.py` wrote what they found."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner
from PIL import Image as PillowImage

from cartoonize.cli.evaluate import evaluate
from cartoonize.errors import WeightsError
from cartoonize.training.evaluation.distances import fid, kid
from cartoonize.training.evaluation.inception import PUBLISHED, build_inception, inception_network, published_shapes
from cartoonize.training.evaluation.looking import Eye
from tests.training.inception_weights import pictures, random_weights


@cache
def shapes() -> dict[str, tuple[int, ...]]:
    return published_shapes(inception_network())


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "inception.npz"
    np.savez(path, source="of the seed", **random_weights(shapes()))
    return path


@pytest.mark.slow  # ten seconds: 22 million numbers
def test_features_and_distances_are_pytorch_fids(weights: Path) -> None:
    with np.load(Path(__file__).with_name("inception_reference.npz")) as reference:
        eye = Eye(weights)
        found = [eye.see(part).vectors for part in pictures()]

        for vectors, name in zip(found, "ab", strict=True):
            assert vectors == pytest.approx(reference[name], rel=1e-4, abs=1e-5)
        assert fid(*found) == pytest.approx(float(reference["fid"]), rel=1e-3)
        assert kid(*found) == pytest.approx(float(reference["kid"]), rel=1e-3)


@pytest.mark.slow
def test_the_command_says_which_weights(weights: Path, tmp_path: Path) -> None:
    for n in range(10):
        PillowImage.fromarray(skimage.data.coffee()[20 * n : 20 * n + 60, :90]).save(tmp_path / f"{n}.png")
    folders = ["--photos", str(tmp_path), "--cartoons", str(tmp_path)]

    result = CliRunner().invoke(evaluate, [*folders, "--features", str(weights), "--json"])

    assert result.exit_code == 0, result.output
    assert "not the weights of Inception that papers use" in result.stderr
    found = json.loads(result.stdout)
    assert found == {"features": "inception with other weights", "looks": [ANY, ANY]}
    assert found["looks"][0]["fid_cartoons"]["value"] == pytest.approx(0, abs=1e-6)
    assert found["looks"][1]["fid_cartoons"]["value"] > 0


@pytest.mark.parametrize("name", ["inception", "inception.npz"])
def test_where_there_is_no_file_it_is_said_how_to_get_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(evaluate, ["--photos", ".", "--cartoons", ".", "--features", name])
    assert result.exit_code == 2
    said = "python examples/inception_features.py" if name == "inception" else "expected lite0, inception or a file"
    assert said in result.output


def others(stream: io.BytesIO) -> None:
    np.savez(stream, a=np.zeros(3))


def objects(stream: io.BytesIO) -> None:
    arrays = {name: np.array([None]) for name in shapes()}
    np.savez(stream, source="x", allow_pickle=True, **arrays)


def bomb(stream: io.BytesIO) -> None:
    """Write arrays that are nothing, and one of 64 MB of zeros."""
    first, *rest = shapes()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name in (*rest, "source"):
            file.writestr(f"{name}.npy", b"")
        file.writestr(f"{first}.npy", bytes(2**26))


@pytest.mark.parametrize("write", [lambda stream: stream.write(b"text"), others, objects, bomb])
def test_what_is_no_such_file_is_one_line(write: Callable[[io.BytesIO], object], tmp_path: Path) -> None:
    stream = io.BytesIO()
    write(stream)
    path = tmp_path / "inception.npz"
    path.write_bytes(stream.getvalue())
    with pytest.raises(WeightsError, match=r"inception.npz: expected the file that examples/inception_features.py"):
        build_inception(path)


def test_the_converter_asks_for_the_same_file() -> None:
    assert PUBLISHED in (Path(__file__).parents[2] / "examples" / "inception_features.py").read_text()
