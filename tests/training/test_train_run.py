from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import yaml
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cartoonize import Cartoonizer
from cartoonize.cli.training import train
from cartoonize.errors import ConfigError
from cartoonize.generators import generator
from cartoonize.generators.architectures import ARCHITECTURES, build_compact
from cartoonize.method.retouch import Retouch
from cartoonize.training.checkpoints import NAME
from cartoonize.training.config_file import load
from cartoonize.training.devices import refuse_several_machines
from cartoonize.training.log import LossesLog
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.features import Maps
from cartoonize.training.whitebox.losses import NAMES

from .conftest import make_compact_small

EXAMPLES = Path(__file__).parents[2] / "examples"
IN_STEPS = {"step", "steps_per_second", *NAMES} - {"reconstruction", "style", "r1"}  # of the second phase


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photos, and the same in four levels for cartoons."""
    folder = tmp_path_factory.mktemp("pictures")
    for kind in ("photos", "cartoons"):
        (folder / kind).mkdir()
    for n in range(6):
        photo = skimage.data.coffee()[20 * n : 20 * n + 60, 60 * n : 60 * n + 80]
        PillowImage.fromarray(photo).save(folder / "photos" / f"{n}.png")
        PillowImage.fromarray(photo // 64 * 64 + 32).save(folder / "cartoons" / f"{n}.png")
    return folder


def make_quick(patch: pytest.MonkeyPatch) -> None:
    """Take a small generator, and features that take less time to compile than those of a network."""
    import tensorflow as tf

    def look(pictures: tf.Tensor) -> Maps:
        means = [tf.nn.avg_pool2d(pictures, 8, 8, "SAME")]
        return Maps(means, means)

    make_compact_small(patch)
    patch.setattr("cartoonize.training.whitebox.run.build_features", lambda _: look)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


def configured(pictures: Path, folder: Path) -> Callable[..., Result]:
    """Return what runs `cartoonize train` for 2 + 3 steps in `folder / run`."""
    config = {
        "run": "run",
        "groups": [{"name": "all", "photos": str(pictures / "photos"), "cartoons": str(pictures / "cartoons")}],
        "patch_size": 32,
        "batch": 2,
        "generator": "compact",
        "steps": {"pretrain": 2, "adversarial": 3},
        "features": {"weights": "random"},
        "every": {"log": 1, "sample": 5, "checkpoint": 2, "export": 5},
    }
    (folder / "cfg.yaml").write_text(yaml.safe_dump(config))
    return lambda *options: invoke("--config", str(folder / "cfg.yaml"), *options)


@pytest.fixture
def start(pictures: Path, tmp_path: Path, quick: None) -> Callable[..., Result]:
    return configured(pictures, tmp_path)


@pytest.fixture(scope="module")
def finished(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that went through both phases; not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        result = configured(pictures, folder)()
    assert result.exit_code == 0, result.output
    return folder / "run"


@pytest.fixture(scope="module")
def stopped_once(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The folder around a run that was stopped after its first step, and what it said."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        make_quick(patch)
        interrupt_after(1, patch)
        return folder, configured(pictures, folder)()


@pytest.fixture
def stopped(stopped_once: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of that run."""
    shutil.copytree(stopped_once[0] / "run", tmp_path / "run")
    return tmp_path / "run"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(train, list(arguments))


def set_run(path: Path) -> tuple[str, str]:
    return "--set", f"run={path}"


def numbers(run: Path) -> dict[str, NDArray[Any]]:
    with np.load(run / NAME) as file:
        return {name: file[name] for name in file.files}


def losses(run: Path) -> list[dict[str, float]]:
    """Return the log without the speeds, which are never the same."""
    rows = LossesLog(run, NAMES).rows()
    assert all(row.pop("steps_per_second") > 0 for row in rows)
    return rows


def interrupt_after(step: int, patch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C while this step is looked at."""

    def look(callback: Any, _batch: int, logs: Any) -> None:
        if callback.model.steps_done == step:
            signal.raise_signal(signal.SIGINT)

    patch.setattr("cartoonize.training.callbacks.Watch.on_train_batch_end", look)


def test_a_run_leaves_a_log_samples_a_summary_and_an_export_that_cartoonizes(finished: Path) -> None:
    rows = LossesLog(finished, NAMES).rows()
    assert [row["step"] for row in rows] == [1, 2, 3, 4, 5]
    assert [set(row) for row in rows] == [{"step", "steps_per_second", "reconstruction"}] * 2 + [IN_STEPS] * 3
    assert yaml.safe_load((finished / "config.yaml").read_text())["losses"]["content"] == 200
    assert [path.name for path in (finished / "samples").iterdir()] == ["step_00000005.png"]
    assert list((finished / "tensorboard").iterdir())
    assert (finished / "losses.png").is_file()
    exported = finished / "exports" / "step_00000005.tflite"
    page = (finished / "summary.md").read_text()
    assert "2 steps of pretraining" in page
    assert f"cartoonize photo.jpg --weights {exported}" in page
    assert Cartoonizer(exported)(skimage.data.coffee()[:60, :80]).shape == (60, 80, 3)


@pytest.mark.slow
def test_the_tiny_example_trains_and_its_export_cartoonizes_a_photo(tmp_path: Path) -> None:
    run = tmp_path / "run"

    result = invoke("--config", str(EXAMPLES / "train_tiny.yaml"), *set_run(run))

    assert result.exit_code == 0, result.output
    rows = LossesLog(run, NAMES).rows()
    assert [row["step"] for row in rows] == list(range(6, 73, 6))
    assert rows[9]["reconstruction"] < 0.3 * rows[0]["reconstruction"]
    assert set(rows[11]) == IN_STEPS
    assert {path.name for path in (run / "samples").iterdir()} == {"step_00000036.png", "step_00000072.png"}
    exported = run / "exports" / "step_00000072.tflite"
    photo = skimage.data.coffee()[:100, :120]
    drawn, from_keras, raw = (
        Cartoonizer(exported.with_name(f"step_00000072{suffix}"))(photo).astype(int)
        for suffix in (".tflite", ".weights.h5", "_raw.weights.h5")
    )
    assert abs(drawn - from_keras).max() <= 1
    assert 0 < abs(drawn - raw).mean() < 30
    assert abs(drawn - photo).mean() < 30  # it has learnt to reconstruct


@pytest.mark.slow
def test_a_run_that_is_stopped_in_each_phase_ends_in_the_same_bits(
    start: Callable[..., Result],
    stopped_once: tuple[Path, Result],
    stopped: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert start(*set_run(tmp_path / "straight")).exit_code == 0
    with monkeypatch.context() as patch:
        interrupt_after(3, patch)
        again = start("--resume")
    for folder, said, step in ((*stopped_once, 1), (tmp_path, again, 3)):
        assert said.exit_code == 130, said.output
        assert f"--config {folder / 'cfg.yaml'} --resume" in said.output
        assert numbers(folder / "run")["step"] == step
        exported = folder / "run" / "exports" / f"step_{step:08d}.tflite"
        assert f"cartoonize photo.jpg --weights {exported}" in said.output
        assert exported.is_file()

    finished = start("--resume")

    assert finished.exit_code == 0, finished.output
    straight, resumed = numbers(tmp_path / "straight"), numbers(tmp_path / "run")
    assert straight.keys() == resumed.keys()
    assert [name for name in straight if not np.array_equal(straight[name], resumed[name])] == []
    assert losses(tmp_path / "straight") == losses(tmp_path / "run")


ON_TWO_DEVICES = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
tf.config.experimental.enable_op_determinism()
from cartoonize.cli.training import train
from cartoonize.generators.architectures import ARCHITECTURES, build_compact
train(sys.argv[1:])
"""


@pytest.mark.slow
def test_two_devices_take_the_same_steps_as_one(start: Callable[..., Result], tmp_path: Path) -> None:
    few = ("--config", str(tmp_path / "cfg.yaml"), "--set", "steps.adversarial=2", "--set", "batch=4")
    for name, devices in (("one", "[CPU:0]"), ("two", "[CPU:0, CPU:1]")):
        options = (*few, "--set", f"devices={devices}", *set_run(tmp_path / name))
        subprocess.run([sys.executable, "-c", ON_TWO_DEVICES, *options], check=True, capture_output=True)

    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == 4
    for alone, shared_out in zip(one, two, strict=True):
        assert shared_out == pytest.approx(alone, rel=1e-4)
    weights = numbers(tmp_path / "two")
    for name, expected in numbers(tmp_path / "one").items():
        np.testing.assert_allclose(weights[name], expected, atol=1e-4, err_msg=name)


def test_a_device_that_is_not_there_is_an_error(start: Callable[..., Result]) -> None:
    result = start("--set", "devices=[GPU:7]")

    assert result.exit_code == 1
    assert "devices: GPU:7 is not there, found CPU:0" in result.output


def test_several_machines_are_refused_in_one_line(
    start: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}')

    result = start()

    assert result.exit_code == 1
    assert result.output.startswith("Error: TF_CONFIG is set: training on several machines is not supported")


@pytest.mark.parametrize(
    "cluster", ["", "{}", '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}']
)
def test_a_cluster_of_one_machine_is_none(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", cluster)
    refuse_several_machines()


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ('{"cluster": {"chief": ["a:1"], "worker": {"3": "b:1"}}}', "its cluster has 2 tasks"),
        ("worker", "no JSON of a cluster"),
        ("[]", "no JSON of a cluster"),
        ('{"cluster": {"worker": 1}}', "no JSON of a cluster"),
    ],
)
def test_every_form_of_a_cluster_is_refused(cluster: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(ConfigError, match=said):
        refuse_several_machines()


@pytest.mark.slow
def test_half_precision_takes_nearly_the_same_steps(start: Callable[..., Result], tmp_path: Path) -> None:
    for precision in ("float32", "mixed_bfloat16"):
        result = start("--set", f"precision={precision}", *set_run(tmp_path / precision))
        assert result.exit_code == 0, result.output

    full, half = losses(tmp_path / "float32"), losses(tmp_path / "mixed_bfloat16")
    for exact, rounded in zip(full[:3], half[:3], strict=True):  # later, other superpixels make other pictures
        assert rounded == pytest.approx(exact, rel=0.1)
        assert any(rounded[name] != exact[name] for name in exact)
    assert {array.dtype.name for array in numbers(tmp_path / "mixed_bfloat16").values()} <= {
        "float32",
        "int64",
        "int32",
    }
    exported = Cartoonizer(tmp_path / "mixed_bfloat16" / "exports" / "step_00000005.tflite")
    assert exported(skimage.data.coffee()[:64, :64]).shape == (64, 64, 3)


def test_a_place_where_nothing_can_be_written_is_found_before_any_work(
    start: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartoonize.training.whitebox.run.Batches", lambda *_: pytest.fail("has begun to work"))
    (tmp_path / "file").touch()

    result = start(*set_run(tmp_path / "file" / "run"))

    assert result.exit_code == 1
    assert "a part of the path is a file, expected a folder" in result.output


def test_a_loss_that_is_not_finite_ends_the_run(start: Callable[..., Result], tmp_path: Path) -> None:
    result = start("--set", "optimizer.learning_rate=1e30", "--set", "every.checkpoint=1")

    assert result.exit_code == 1
    assert "step 2: the loss reconstruction is " in result.output
    assert f"the last good checkpoint is {tmp_path / 'run' / NAME}, step 1" in result.output


def test_pictures_of_which_none_can_be_read_end_the_run_in_one_line(
    start: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    for n in range(3):
        (tmp_path / "broken" / f"{n}.png").write_bytes(b"no picture")

    result = start("--set", f"groups.0.cartoons={tmp_path / 'broken'}")

    assert result.exit_code == 1
    for n in range(3):
        assert result.output.count(f"{n}.png: not a picture") == 1
    assert "broken: none of its 3 pictures can be read" in result.output.splitlines()[-1]


def test_a_step_that_does_not_fit_into_memory_is_said_in_one_line(
    start: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    def exhausted(*_: Any) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr("cartoonize.training.whitebox.gan.WhiteBoxGAN.fit", lambda *_, **__: exhausted())

    result = start()

    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == (
        "Error: step 1: not enough memory; set a smaller `batch`, `patch_size` or `crop`"
    )


@pytest.mark.slow
def test_built_in_weights_are_taken_further(
    start: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "compact", build_compact)  # as large as `fast`
    rates = ("--set", "optimizer.learning_rate=1e-6", "--set", "optimizer.discriminator_learning_rate=1e-2")

    result = start("--init", "fast", "--set", "steps.adversarial=1", *rates)

    assert result.exit_code == 0, result.output
    biases = [w for n, w in numbers(tmp_path / "run").items() if n.startswith("surface_discriminator/") and w.ndim == 1]
    assert np.max(np.abs(np.concatenate(biases))) == pytest.approx(1e-2, rel=1e-2)  # Adam's first step, from 0
    photo = skimage.data.coffee()[:100, :120]
    before, after = (Cartoonizer(w)(photo).astype(int) for w in ("fast", tmp_path / "run/exports/step_00000001.tflite"))
    assert abs(before - after).max() <= 2
    assert "initialised from fast" in (tmp_path / "run" / "summary.md").read_text()
    card = generator.load(tmp_path / "run/exports/step_00000001.tflite").card
    assert (card.title, card.licence) == ("run", generator.load("fast").card.licence)
    assert card.source == f"cartoonize train, from: {generator.load('fast').card.title}"


@pytest.mark.slow
def test_of_a_look_that_draws_ink_its_colours_are_the_beginning(
    start: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "compact_ink", partial(build_compact, ink=True))
    monkeypatch.setitem(ARCHITECTURES, "compact", build_compact)  # as large as `comic`
    options = (
        "discriminators.loss=hinge",
        "discriminators.augment=[translation]",
        "losses.style=1",
        "steps.adversarial=1",
    )
    result = start("--init", "comic", *(part for option in options for part in ("--set", option)))

    assert result.exit_code == 0, result.output
    (row,) = LossesLog(tmp_path / "run", NAMES).rows()
    assert row["style"] > 0
    photo = skimage.data.coffee()[:100, :120]
    plain, after = (
        Cartoonizer(w, retouch=Retouch(lines=0))(photo).astype(int)
        for w in ("comic", tmp_path / "run/exports/step_00000001.tflite")
    )
    assert abs(plain - after).max() <= 2


def test_weights_to_begin_with_are_looked_for_from_here(
    start: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "mine.tflite").write_bytes(b"no weights")
    monkeypatch.chdir(here)

    result = start("--init", "mine.tflite")

    assert result.exit_code == 1
    assert f"{here / 'mine.tflite'}" in result.output


def test_a_second_run_does_not_overwrite_the_first(start: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / NAME).touch()

    result = start()

    assert result.exit_code == 1
    assert "holds a run already: add --resume, or choose another folder" in result.output


@pytest.mark.slow
def test_a_run_without_its_configuration_goes_on_with_the_given_one(
    start: Callable[..., Result], stopped: Path
) -> None:
    (stopped / "config.yaml").unlink()

    result = start("--resume", "--set", "steps.adversarial=1")

    assert result.exit_code == 0, result.output
    assert (
        f"{stopped / 'config.yaml'} cannot be read: what has changed since the run began is not known" in result.output
    )
    assert numbers(stopped)["step"] == 3


def test_a_damaged_file_of_a_run_is_named(start: Callable[..., Result], finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    good = {name: (run / name).read_bytes() for name in (NAME, "losses.csv")}
    for name, content in (
        (NAME, b"PK\x03\x04 cut short"),
        ("losses.csv", b"step,reconstruction\n1,half"),
        ("losses.csv", b"step,elsewhere\n1,2"),
        ("losses.csv", b"\xff\xfe"),
        ("losses.csv", b"reconstruction\n1"),
    ):
        (run / name).write_bytes(content)

        result = start("--resume")

        assert result.exit_code == 1
        assert result.output.splitlines()[-1].startswith(f"Error: {run / name}: damaged (")
        (run / name).write_bytes(good[name])


@pytest.mark.slow
def test_check_says_what_to_expect_and_trains_nothing(start: Callable[..., Result], tmp_path: Path) -> None:
    result = start("--check")

    assert result.exit_code == 0, result.output
    assert "all: 6 photos, 6 cartoons, weight 1" in result.output
    assert "pretrain: " in result.output
    assert "adversarial: " in result.output
    assert " steps/s, 3 steps in " in result.output
    assert " GB" in result.output
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["check.png"]


@pytest.mark.slow
def test_the_example_of_a_style_is_ready_to_run(
    shared: Path, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "compact_ink", partial(build_compact, ink=True))
    monkeypatch.setitem(ARCHITECTURES, "compact", build_compact)  # as large as `comic`
    subprocess.run([sys.executable, EXAMPLES / "posters", tmp_path / "posters", "--count", "8"], check=True)
    posters = ("--set", f"groups.0.cartoons={tmp_path / 'posters'}")
    result = invoke("--config", str(EXAMPLES / "train_poster.yaml"), "--check", *posters, *set_run(tmp_path / "run"))

    assert result.exit_code == 0, result.output
    assert "posters: 1408 photos, 8 cartoons, weight 1" in result.output
    assert "pretrain" not in result.output


def test_the_example_of_a_style_draws_its_posters(tmp_path: Path) -> None:
    for folder in ("one", "another"):
        subprocess.run([sys.executable, EXAMPLES / "posters", tmp_path / folder, "--count", "3"], check=True)

    for name in ("poster_0000.png", "poster_0002.png"):
        drawn, again = (np.asarray(PillowImage.open(tmp_path / folder / name)) for folder in ("one", "another"))
        assert np.array_equal(drawn, again)
        assert drawn.shape == (512, 512, 3)
        counts = np.unique(drawn.reshape(-1, 3), axis=0, return_counts=True)[1]
        assert np.sort(counts)[-30:].sum() > 0.9 * counts.sum()  # flat but for the edges
    config = load(EXAMPLES / "train_poster.yaml", TrainConfig)
    assert config.groups[0].cartoons.resolve() == EXAMPLES.parent / "runs" / "posters"
    assert config.discriminators.network == "projected"


def test_features_that_cannot_be_had_are_an_error_before_any_picture_is_read(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "vgg.h5").write_bytes(b"no weights")
    for n in range(2):
        (tmp_path / f"{n}.png").write_bytes(b"no picture")
    text = (EXAMPLES / "train_tiny.yaml").read_text().replace("tos: photos", "tos: .").replace("ons: photos", "ons: .")
    (tmp_path / "cfg.yaml").write_text(text)

    result = invoke(
        "--config", str(tmp_path / "cfg.yaml"), "--set", "features.weights=vgg.h5", *set_run(tmp_path / "run")
    )

    assert result.exit_code == 1
    assert "vgg.h5: expected a .h5 file of Keras' VGG19 weights" in result.output
    assert "png" not in result.output


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_folders_are_looked_at_before_features_are_downloaded(
    options: tuple[str, ...], start: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartoonize.training.whitebox.run.build_features", lambda _: pytest.fail("downloads"))

    result = start(*options, "--set", f"groups.0.cartoons={tmp_path / 'absent'}")

    assert result.exit_code == 1
    assert "absent: no such folder" in result.output


def test_print_config_needs_nothing_and_prints_the_example() -> None:
    assert invoke("--print-config").output == (EXAMPLES / "train.yaml").read_text()


def test_without_a_configuration_the_way_to_one_is_said() -> None:
    result = invoke()

    assert result.exit_code == 2
    assert "--print-config" in result.output
