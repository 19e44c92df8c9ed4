from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cartoonize import Cartoonizer
from cartoonize.cli.training import distill
from cartoonize.generators.architectures import ARCHITECTURES, build_compact
from cartoonize.generators.conversion import flatbuffer, keras_model
from cartoonize.generators.generator import load
from cartoonize.generators.weights import locate
from cartoonize.method import guided_filter
from cartoonize.training.checkpoints import NAME
from cartoonize.training.distillation.student import flat_error, ink_error, psnr, tone_error, unlikeness
from cartoonize.training.distillation.teacher import digest
from cartoonize.training.tensor_filter import filter_batch

from .conftest import make_compact_small

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos of soft blobs, 96 x 128."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for n in range(6):
        blobs = cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (128, 96), interpolation=cv2.INTER_CUBIC)
        PillowImage.fromarray(blobs).save(folder / f"{n}.png")
    return folder


@pytest.fixture
def config(photos: Path, tmp_path: Path, small_compact: None) -> dict[str, Any]:
    return small_config(photos, tmp_path)


@pytest.fixture(scope="module")
def finished(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run of three epochs."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        make_compact_small(patch)
        run(folder, small_config(photos, folder))
    return folder / "run"


def small_config(photos: Path, folder: Path) -> dict[str, Any]:
    (folder / "held_out.txt").write_text(f"{digest(photos / '5.png')}  5.png\n")
    return {
        "teacher": "fast",
        "photos": [{"folder": str(photos), "short_side": [80, 96]}],
        "validation": {"held_out": "held_out.txt", "folder": str(photos)},
        "cache": "cache",
        "output": "run",
        "steps": 24,
        "checkpoint_steps": 8,
        "warmup_steps": 2,
        "batch": 2,
        "crop": 64,
        "margin": 8,
        "learning_rate": 2e-3,  # at 5e-3 one weights file or another as teacher makes it diverge
        "ema": 0.5,
    }


OLD_KERAS = tuple(map(int, keras.__version__.split(".")[:2])) < (3, 13)


def run(folder: Path, config: dict[str, Any], *options: str, fails: bool = False) -> str:
    if OLD_KERAS:
        pytest.skip("Python 3.10 has no Keras whose Muon works; the refusal is tested")
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    result = CliRunner().invoke(distill, ["--config", str(folder / "config.yaml"), *options])
    assert bool(result.exit_code) is fails, result.output + repr(result.exception)
    return result.output


def test_several_machines_are_refused_in_one_line(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')
    assert "training on several machines is not supported" in run(tmp_path, config, fails=True)


def test_an_older_keras_is_refused_in_one_line(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras, "__version__", "3.12.4")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    result = CliRunner().invoke(distill, ["--config", str(tmp_path / "config.yaml")])
    assert result.exit_code == 1
    assert result.output == "Error: distilling needs Keras 3.13, which needs Python 3.11; found Keras 3.12.4\n"
    assert not (tmp_path / "run").exists()


def history(folder: Path) -> list[dict[str, float]]:
    with (folder / "losses.csv").open() as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert all(row.pop("steps_per_second") > 0 for row in rows)
    return rows


@pytest.mark.slow
def test_a_deeper_student_goes_on_from_the_shallow_weights(
    config: dict[str, Any], finished: Path, tmp_path: Path
) -> None:
    """The teacher is the shallow one too, so that a student that draws the same is told from any other."""
    deeper = {
        "teacher": str(finished / "student.tflite"),
        "student": "compact_deep",
        "start": str(finished / "student.weights.h5"),
        "learning_rate": 1e-9,
    }
    run(tmp_path, config | deeper | {"steps": 2, "checkpoint_steps": 2, "warmup_steps": 1})

    assert history(tmp_path / "run")[0]["val_psnr"] > 60


@pytest.mark.slow
def test_a_procedure_teaches_colours_and_ink(config: dict[str, Any], tmp_path: Path) -> None:
    del config["teacher"]
    run(
        tmp_path,
        config
        | {
            "procedure": {"name": "comic"},
            "student": "compact_ink",
            "steps": 2,
            "checkpoint_steps": 2,
            "warmup_steps": 1,
        },
    )

    assert 0 <= history(tmp_path / "run")[0]["val_lines"] <= 1
    picture = np.asarray(PillowImage.open(config["photos"][0]["folder"] + "/0.png"))
    _, output = Cartoonizer(tmp_path / "run" / "student.tflite").generate(picture)
    assert output.shape == (96, 128, 4)
    assert ((output[..., 3] >= 0) & (output[..., 3] <= 1)).all()


def test_a_student_must_draw_what_its_teacher_draws(config: dict[str, Any], tmp_path: Path) -> None:
    said = run(tmp_path, config | {"student": "compact_ink"}, fails=True)

    assert "student: expected compact_ink for a teacher that draws ink, another for one that does not" in said


def test_the_error_of_ink_is_the_cross_entropy() -> None:
    ink, drawn = np.float32([[[1, 0, 0.5]]]), np.float32([[[0.5, 0.25, 0.5]]])
    weights = np.float32([[[1, 2, 1]]])
    expected = (np.log(2) + 2 * -np.log(0.75) + np.log(2)) / 4
    assert float(ink_error(ink, drawn, weights)) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(float(ink_error(ink, np.float32([[[0, 1, 0]]]), weights)))


def test_shading_counts_where_the_teacher_draws_one_tone() -> None:
    teacher = np.zeros((1, 2, 4, 3), np.float32)
    teacher[:, :, 2:] = 0.5  # two tones, whose edge is no shading
    shaded = teacher + np.float32([0, 0.1, 0.1, 0.3])[:, None]
    weights = np.float32([[[1, 1, 1, 0]] * 2])  # leaves one pair in one tone, and the edge

    assert float(flat_error(teacher, shaded, weights)) == pytest.approx(0.1 / 2, rel=1e-5)
    assert float(flat_error(teacher, teacher, np.ones((1, 2, 4), np.float32))) == 0


def test_weights_of_another_architecture_are_no_start(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "compact", build_compact)  # as large as `fast`
    said = run(tmp_path, config | {"student": "unet", "start": "fast"}, fails=True)

    assert "start: fast does not fit into the student (compact and unet have other layers)" in said


@pytest.mark.slow
def test_a_run_that_diverges_leaves_no_checkpoint_to_go_on_from(config: dict[str, Any], tmp_path: Path) -> None:
    said = run(tmp_path, config | {"learning_rate": 1e12}, fails=True)

    assert said.splitlines()[-1].startswith("Error: step ")
    assert "the loss distillation is nan; there is no checkpoint before it" in said
    assert not (tmp_path / "run" / NAME).exists()


def test_a_run_learns(finished: Path) -> None:
    epochs = history(finished)

    assert [row["step"] for row in epochs] == [8, 16, 24]
    assert epochs[2]["distillation"] < 0.8 * epochs[0]["distillation"]


@pytest.mark.slow
def test_half_precision_goes_nearly_the_same_way(config: dict[str, Any], finished: Path, tmp_path: Path) -> None:
    run(tmp_path, config | {"precision": "mixed_bfloat16"})

    half, whole = (history(folder) for folder in (tmp_path / "run", finished))
    assert half != whole
    for one, other in zip(half, whole, strict=True):
        assert one["distillation"] == pytest.approx(other["distillation"], abs=0.02)  # of 0.6 and less
        assert one["val_psnr"] == pytest.approx(other["val_psnr"], abs=0.3)
    written = Cartoonizer(tmp_path / "run" / "student.tflite")
    assert written(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)


def test_the_best_weights_are_exported_and_the_cartoonizer_takes_them(
    finished: Path, small_compact: None, tmp_path: Path
) -> None:
    best = json.loads((finished / "student.json").read_text())
    image = np.random.default_rng(1).integers(0, 256, (60, 84, 3), np.uint8)

    (tmp_path / "again.tflite").write_bytes(flatbuffer(keras_model(locate(finished / "student.weights.h5"))))
    from_flatbuffer, from_keras = (
        Cartoonizer(path)(image).astype(int) for path in (finished / "student.tflite", tmp_path / "again.tflite")
    )

    assert best["val_psnr"] == max(row["val_psnr"] for row in history(finished))
    card = load(finished / "student.tflite").card
    assert card.licence == load("fast").card.licence, "what it taught is made from it"
    assert card.source.startswith("cartoonize distill, from: ")
    assert abs(from_flatbuffer - from_keras).max() <= 1


def interrupt_after(step: int, patch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C while this step is looked at."""

    def look(callback: Any, _batch: int, logs: Any) -> None:
        if callback.model.steps_done == step:
            signal.raise_signal(signal.SIGINT)

    patch.setattr("cartoonize.training.callbacks.Watch.on_train_batch_end", look)


@pytest.mark.slow
def test_a_stopped_run_has_saved_and_exported_and_resumes_as_if_nothing_had_happened(
    config: dict[str, Any], finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(13, patch)
        said = run(tmp_path, config, fails=True)

    assert f"cartoonize distill --config {tmp_path / 'config.yaml'} --resume" in said
    assert f"cartoonize photo.jpg --weights {tmp_path / 'run' / 'student.tflite'}" in said
    assert numbers(tmp_path / "run")["step"] == 13
    assert json.loads((tmp_path / "run" / "student.json").read_text())["step"] in (8, 13)
    assert Cartoonizer(tmp_path / "run" / "student.tflite")(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)

    run(tmp_path, config, "--resume")

    assert [row["step"] for row in history(tmp_path / "run")] == [8, 16, 24]
    straight, resumed = numbers(finished), numbers(tmp_path / "run")
    assert straight.keys() == resumed.keys()
    assert [name for name in straight if not np.allclose(straight[name], resumed[name], rtol=0, atol=1e-4)] == []
    assert history(tmp_path / "run")[-1]["val_psnr"] == pytest.approx(history(finished)[-1]["val_psnr"], abs=0.02)


def numbers(run: Path) -> dict[str, NDArray[Any]]:
    with np.load(run / NAME) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("lost", ["missing", "damaged"])
def test_a_run_without_its_configuration_goes_on_with_the_given_one(
    config: dict[str, Any], finished: Path, tmp_path: Path, lost: str
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    saved = tmp_path / "run" / "config.yaml"
    saved.unlink() if lost == "missing" else saved.write_bytes(b"\xff\xfe")

    said = run(tmp_path, config, "--resume")

    assert f"{saved} cannot be read: what has changed since the run began is not known" in said
    assert "done" in said
    assert yaml.safe_load(saved.read_text())["steps"] == 24


def test_a_checkpoint_of_an_earlier_version_is_refused_and_kept(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.weights.h5").write_bytes(b"months of work")

    assert "choose another `output`, and `start: " in run(tmp_path, config, "--resume", fails=True)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["checkpoint.weights.h5"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("losses.csv", b"step,distillation\n8,half"), ("student.json", b"{}"), (NAME, b"PK\x03\x04 cut short")],
)
def test_a_damaged_file_of_a_run_is_named(
    config: dict[str, Any], finished: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(content)

    said = run(tmp_path, config, "--resume", fails=True)

    assert said.splitlines()[-1].startswith(f"Error: {tmp_path / 'run' / name}: damaged (")


def test_a_second_run_does_not_overwrite_the_first(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / NAME).touch()

    assert "add --resume" in run(tmp_path, config, fails=True)


def test_a_run_is_not_resumed_with_another_student(config: dict[str, Any], finished: Path, tmp_path: Path) -> None:
    said = run(tmp_path, config | {"output": str(finished), "student": "unet"}, "--resume", fails=True)

    assert "of another generator; resume with this run's configuration" in said


def test_what_changed_since_a_run_began_is_said(config: dict[str, Any], finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")

    said = run(tmp_path, config | {"seed": 5}, "--resume")

    assert "changed since the run began: - seed: 0" in said
    assert "changed since the run began: + seed: 5" in said


def test_a_photo_that_cannot_be_used_is_named_before_anything_is_drawn(
    config: dict[str, Any], photos: Path, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    PillowImage.new("RGB", (90, 40)).save(tmp_path / "photos" / "small.png")

    said = run(tmp_path, config | {"photos": [{"folder": "photos", "short_side": [80, 96]}]}, fails=True)

    assert "small.png: its short side is 40 pixels" in said
    assert not (tmp_path / "cache").exists()


def test_unlikeness_of_a_constant_error_is_its_size_where_pixels_weigh() -> None:
    y = np.zeros((1, 8, 8, 3), np.float32)
    off = y + np.float32(0.25)
    off[:, :2] = 9
    weights = np.ones((1, 8, 8), np.float32)
    weights[:, :2] = 0

    assert unlikeness(y, off, weights, gradient_weight=0.5).numpy() == pytest.approx(0.25)


def test_unlikeness_counts_differences_in_both_directions() -> None:
    y = np.zeros((1, 4, 4, 3), np.float32)
    ramp = np.broadcast_to(np.arange(4, dtype=np.float32)[:, None, None], (1, 4, 4, 3))
    weights = np.ones((1, 4, 4), np.float32)

    for picture in (ramp, ramp.transpose(0, 2, 1, 3)):
        assert unlikeness(y, picture, weights, gradient_weight=0.5).numpy() == pytest.approx(1.5 + 0.5 * 1)


def test_tone_error_sees_surfaces_and_no_grain() -> None:
    y = np.zeros((1, 16, 32, 3), np.float32)
    weights = np.ones((1, 16, 32), np.float32)
    grain = np.where(np.indices((16, 32)).sum(axis=0) % 2, 1, -1)[None, ..., None].astype(np.float32)
    half = y.copy()
    half[:, :, :16] = 0.25  # one of the two large squares, 16 of the 32 small ones

    assert tone_error(y, y + grain, weights).numpy() == pytest.approx(0, abs=1e-6)
    assert tone_error(y, half, weights).numpy() == pytest.approx(0.125 + 0.125)
    weights[:, :, :16] = 0
    assert tone_error(y, half, weights).numpy() == 0


def test_psnr_is_the_mean_over_pictures_where_pixels_weigh() -> None:
    y = np.zeros((2, 16, 16, 3), np.float32)
    off = np.stack([y[0] + 0.2, y[1] + 0.02]).astype(np.float32)  # a tenth and a hundredth of the range
    off[:, :2] = 1
    weights = np.ones((2, 16, 16), np.float32)
    weights[:, :2] = 0

    assert psnr(y, off, weights).numpy() == pytest.approx((20 + 40) / 2, abs=0.05)
    assert psnr(y, y, weights).numpy() == pytest.approx(60, abs=0.01)


@pytest.mark.parametrize("radius", [1, 5])
def test_the_filter_on_tensors_is_the_filter_on_arrays(radius: int) -> None:
    rng = np.random.default_rng(2)
    I, p = rng.uniform(-1, 1, (2, 30, 41, 3)).astype(np.float32)  # noqa: E741

    expected = guided_filter.guided_filter(I, p, radius, eps=1e-2)

    result = filter_batch(I[None], p[None], radius, eps=1e-2)
    np.testing.assert_allclose(result[0], expected, atol=1e-5)


def test_the_example_chooses_the_photo_with_a_face(tmp_path: Path) -> None:
    photos, script = EXAMPLES / "photos", EXAMPLES / "face_photos.py"

    subprocess.run([sys.executable, script, photos, tmp_path / "chosen"], check=True)

    assert [path.name for path in (tmp_path / "chosen" / "whole").iterdir()] == ["astronaut.jpg"]
    [close] = (tmp_path / "chosen" / "close").iterdir()
    enlarged, photo = (np.asarray(PillowImage.open(path)).astype(int) for path in (close, photos / "astronaut.jpg"))
    assert enlarged.shape == (720, 720, 3)
    middle, face = enlarged[330:390, 330:390].mean(axis=(0, 1)), photo[100:130, 210:240].mean(axis=(0, 1))
    assert abs(middle - face).max() < 25
    assert close.name == "astronaut_0.png"
