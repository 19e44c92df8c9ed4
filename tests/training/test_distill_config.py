from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cartoonize.errors import ConfigError
from cartoonize.training import config_file
from cartoonize.training.distillation.config import DistillConfig

MINIMAL = """
teacher: whitebox
photos:
  - folder: photos
    short_side: [256, 720]
validation: {held_out: held_out.txt, folder: /data}
cache: cache
output: run
steps: 400
"""


def load(folder: Path, text: str) -> DistillConfig:
    path = folder / "cfg.yaml"
    path.write_text(text)
    return config_file.load(path, DistillConfig)


def test_relative_paths_start_at_the_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, MINIMAL)

    assert config.photos[0].folder == tmp_path / "photos"
    assert config.validation.held_out == tmp_path / "held_out.txt"
    assert config.validation.folder == Path("/data")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "learning_rat: 1", "unknown key learning_rat; did you mean learning_rate?"),
        (MINIMAL + "zzz: 1", "unknown key zzz; expected one of teacher, procedure, title"),
        (MINIMAL.replace("short_side:", "shortside:"), "unknown key photos.0.shortside; did you mean short_side?"),
        (MINIMAL.replace("held_out:", "heldout:"), "unknown key validation.heldout; did you mean held_out?"),
        (MINIMAL.replace("[256, 720]", "[720, 256]"), "photos.0.short_side: .* the smaller number first"),
        (MINIMAL + "crop: 255", "crop: .* multiple of 4"),
        (MINIMAL + "crop: 260", "crop: expected at most the smallest short_side, 256"),
        (MINIMAL + "seed: 4294967296", "seed: .* less than 4294967296"),
        (MINIMAL + "student: big", "student: .* 'unet', 'compact', 'compact_deep' or 'compact_ink'"),
        (MINIMAL.replace("400", "450"), "a multiple of checkpoint_steps"),
        (MINIMAL.replace("steps: 400", ""), "steps: Field required"),
        ("- a list", "expected `key: value` lines"),
        ("a: b: c", "not valid YAML"),
        ("a: !x 3", "not valid YAML"),
        ("seed: 2026-02-30", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
        (MINIMAL + "crop: 32", "margin: expected less than half of crop"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load(tmp_path, text)

    assert str(raised.value).startswith(str(tmp_path / "cfg.yaml"))
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read"):
        config_file.load(tmp_path / "absent.yaml", DistillConfig)


def test_the_example_is_valid_and_names_every_key() -> None:
    example = Path(__file__).parents[2] / "examples" / "distill_fast.yaml"

    config_file.load(example, DistillConfig)

    assert set(yaml.safe_load(example.read_text())) == set(DistillConfig.model_fields)
