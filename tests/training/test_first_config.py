from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image as PillowImage

from cartoonize.cli.training import train
from cartoonize.errors import ConfigError, DatasetError
from cartoonize.training.config_file import load
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.first_config import first_config

EXAMPLE = Path(__file__).parents[2] / "examples" / "train_poster.yaml"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Twelve photos of 400 x 300 and five drawings of 90 x 130; a file in each that is no picture."""
    for name, count, size in (("photos: mine", 12, (400, 300)), ("art", 5, (90, 130))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "broken.png").write_bytes(b"no picture")
        for n in range(count):
            PillowImage.new("RGB", size).save(tmp_path / name / f"{n}.png")
    return tmp_path / "photos: mine", tmp_path / "art"


def said(config: TrainConfig) -> list[str]:
    return [f"{config.generator}: an hour"]


def test_values_follow_from_folders_and_device(folders: tuple[Path, Path], tmp_path: Path) -> None:
    found = {}
    for gpu in (False, True):
        (tmp_path / "cfg.yaml").write_text(first_config(*folders, gpu=gpu, times=said))
        found[gpu] = load(tmp_path / "cfg.yaml", TrainConfig)

    for config in found.values():
        assert (config.groups[0].photos, config.groups[0].cartoons) == folders
        assert config.patch_size == 64  # of 90 pixels
        assert config.batch == 5  # no more than there are drawings
        assert config.losses.texture == 1
        assert config.discriminators.augment == ("translation", "cutout")
    assert (found[False].generator, found[True].generator) == ("compact", "unet")
    assert found[True].losses.structure == 200 / 16  # patches of a sixteenth of the release's area
    assert found[True].discriminators.network == "patch"


def test_on_processors_alone_it_is_the_recipe_of_the_example(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "cfg.yaml").write_text(first_config(*folders, gpu=False, times=said))
    found, example = load(tmp_path / "cfg.yaml", TrainConfig), load(EXAMPLE, TrainConfig)

    for key in ("generator", "init", "optimizer", "ema", "discriminators", "every"):
        assert getattr(found, key) == getattr(example, key), key
    area = (found.patch_size / example.patch_size) ** 2
    scaled = {"structure": example.losses.structure * area, "content": example.losses.content * area}
    assert found.losses == example.losses.model_copy(update=scaled)


@pytest.mark.parametrize(
    ("units", "gpu", "expected"), [(True, False, "mixed_bfloat16"), (False, False, "float32"), (True, True, "float32")]
)
def test_half_precision_is_for_processors_with_units_for_it(
    units: bool, gpu: bool, expected: str, folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartoonize.training.whitebox.first_config.multiplies_bfloat16", lambda: units)
    (tmp_path / "cfg.yaml").write_text(first_config(*folders, gpu=gpu, times=said))
    assert load(tmp_path / "cfg.yaml", TrainConfig).precision == expected


def test_the_time_to_expect_is_of_what_is_written(folders: tuple[Path, Path]) -> None:
    assert "# To expect on this machine, by a few steps:\n#   compact: an hour\n" in first_config(
        *folders, gpu=False, times=said
    )


def test_a_time_that_cannot_be_found_keeps_nothing_back(folders: tuple[Path, Path]) -> None:
    def fails(config: TrainConfig) -> list[str]:
        raise ConfigError("no such device\nat all")

    text = first_config(*folders, gpu=False, times=fails)
    assert "#   unknown: no such device\n" in text
    assert "patch_size: 64\n" in text


@pytest.mark.slow  # steps of both phases: fifteen seconds
def test_the_command_prints_it(folders: tuple[Path, Path], tmp_path: Path) -> None:
    result = CliRunner().invoke(train, ["--init-config", *map(str, folders)])

    assert result.exit_code == 0, result.output
    assert "taking a few steps" in result.stderr
    assert "# 12 photos, 5 cartoons; short sides, in the middle, of 300 and 90 pixels" in result.stdout
    assert re.search(r"#   adversarial: [\d.e-]+ steps/s, 4000 steps in [\d.]+ (min|h|days)\n", result.stdout)
    (tmp_path / "cfg.yaml").write_text(result.stdout)
    load(tmp_path / "cfg.yaml", TrainConfig)


def test_a_folder_without_pictures_is_one_line(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(DatasetError, match="empty: none of its 0 files is a picture"):
        first_config(folders[0], tmp_path / "empty", gpu=False, times=said)
