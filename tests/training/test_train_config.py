from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cartoonize.errors import ConfigError
from cartoonize.training.config_file import changed, load, resolved
from cartoonize.training.whitebox.config import PRESETS, TrainConfig
from cartoonize.training.whitebox.default_config import default_yaml

EXAMPLES = Path(__file__).parents[2] / "examples"
MINIMAL = """\
run: runs/first
groups:
  - name: scenery
    photos: photos
    cartoons: /data/cartoons
losses:
  surface: 0.5
"""


def read(folder: Path, text: str, *overrides: str) -> TrainConfig:
    path = folder / "cfg.yaml"
    path.write_text(text)
    return load(path, TrainConfig, overrides)


def test_defaults_are_those_of_the_release(tmp_path: Path) -> None:
    config = read(tmp_path, MINIMAL.partition("losses")[0])

    assert config.losses.model_dump(exclude={"preset"}) == PRESETS["release"] | {"style": 0}
    assert config.discriminators.model_dump() == {"network": "patch", "loss": "lsgan", "r1": 0, "augment": ()}
    assert (config.steps.pretrain, config.steps.adversarial, config.batch, config.patch_size) == (
        50_000,
        100_000,
        16,
        256,
    )
    assert (config.optimizer.learning_rate, config.optimizer.beta_1, config.optimizer.beta_2) == (2e-4, 0.5, 0.99)


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "begin.tflite").touch()

    config = read(tmp_path, MINIMAL, "init=begin.tflite")

    assert config.run == tmp_path / "runs" / "first"
    assert config.groups[0].cartoons == Path("/data/cartoons")
    assert config.init == str(tmp_path / "begin.tflite")
    assert read(tmp_path, MINIMAL, "init=fast").init == "fast"


def test_weights_that_are_given_hold_against_the_preset(tmp_path: Path) -> None:
    losses = read(tmp_path, MINIMAL, "losses.preset=paper").losses

    assert losses.surface == 0.5
    assert losses.content == PRESETS["paper"]["content"]


def test_weights_to_begin_with_skip_pretraining(tmp_path: Path) -> None:
    config = read(tmp_path, MINIMAL, "init=fast", "steps.pretrain=7", "steps.adversarial=5")

    assert (config.pretrain_steps, config.total_steps) == (0, 5)


def test_overrides_reach_list_items_and_sections_that_the_file_leaves_out(tmp_path: Path) -> None:
    config = read(tmp_path, MINIMAL, "groups.0.weight=4", "every.log=7", "seed=3")

    assert (config.groups[0].weight, config.every.log, config.seed) == (4, 7, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MINIMAL + "  texure: 1\n", "cfg.yaml:8: unknown key losses.texure; did you mean texture?"),
        (MINIMAL.replace("photos: ", "photo: "), "cfg.yaml:4: unknown key groups.0.photo; did you mean photos?"),
        (MINIMAL.replace("0.5", "-1"), "cfg.yaml:7: losses.surface: .* greater than or equal to 0"),
        (MINIMAL.replace("    cartoons: /data/cartoons\n", ""), "cfg.yaml:3: groups.0.cartoons: Field required"),
        (MINIMAL + "\npatch_size: 50", "cfg.yaml:9: patch_size: .* multiple of 4"),
        (MINIMAL + "\nbatch: 3\ndevices: [GPU:0, GPU:1]", "batch: expected a multiple of the number of devices"),
        (MINIMAL + "losses: {preset: paper", "not valid YAML"),
        (MINIMAL + "\nseed: !!timestamp foo", "not valid YAML"),
        (MINIMAL + "\nseed: !!bool x", "not valid YAML"),
        (MINIMAL + "\nseed: !!int ''", "not valid YAML"),
        (MINIMAL.replace("losses:\n", "losses:\n  preset: [1]\n"), "losses.preset"),
        (MINIMAL + "features: {network: lite0, weights: a.h5}", "features: .* a path goes with network: vgg19"),
        ("", "expected `key: value` lines"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        read(tmp_path, text)

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("losses.texure=1", "--set losses.texure=1: unknown key losses.texure; did you mean texture?"),
        ("lossess.texture=1", "--set lossess.texture=1: unknown key lossess; did you mean losses?"),
        ("batch=none", "--set batch=none: batch: .* valid integer"),
        ("batch", "--set batch: expected key=value"),
        ("groups.1.weight=2", "--set groups.1.weight=2: there is no such place"),
        ("groups.name=2", "--set groups.name=2: there is no such place"),
        ("losses.preset=[1]", "losses.preset: .* 'release' or 'paper'"),
        ("steps.adversarial=" + 30 * "9", "steps.adversarial: .* less than or equal to"),
        ("patch_size=100000000", "patch_size: .* less than or equal to 4096"),
        ("groups.0.weight=1000000000", "groups.0.weight: .* less than or equal to 1000"),
        ("optimizer.learning_rate=.inf", "learning_rate: .* finite"),
        ('run="a\\0b"', "run: .* not a path"),
        ("groups.99999999999999999999.weight=1", "there is no such place"),
        ("seed=[", r"--set seed=\[: not a YAML value"),
    ],
)
def test_a_mistaken_override_is_named(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, MINIMAL, override)


def test_a_resolved_configuration_loads_to_itself_from_anywhere(tmp_path: Path) -> None:
    config = read(tmp_path, MINIMAL, "losses.preset=paper")
    (tmp_path / "elsewhere").mkdir()

    assert read(tmp_path / "elsewhere", resolved(config)) == config


def test_changes_since_a_run_began_are_listed(tmp_path: Path) -> None:
    (tmp_path / "saved.yaml").write_text(resolved(read(tmp_path, MINIMAL)))

    assert changed(read(tmp_path, MINIMAL), tmp_path / "saved.yaml") == []
    assert changed(read(tmp_path, MINIMAL, "seed=5"), tmp_path / "saved.yaml") == ["- seed: 0", "+ seed: 5"]


def test_the_printed_default_is_the_example_and_has_every_key(tmp_path: Path) -> None:
    text = default_yaml()
    config = read(tmp_path, text)

    assert (EXAMPLES / "train.yaml").read_text() == text
    assert set(yaml.safe_load(text)) == set(TrainConfig.model_fields)
    given = config.model_dump(exclude={"run", "groups"})
    assert given == read(tmp_path, MINIMAL.partition("losses")[0]).model_dump(exclude={"run", "groups"})
    assert read(tmp_path, text, "losses.preset=paper").losses.content == PRESETS["paper"]["content"]


@pytest.mark.parametrize(
    ("features", "network", "weights"),
    [
        ("", "lite0", "imagenet"),
        ("features: {network: lite0, weights: random}", "lite0", "random"),
        ("features: {weights: random}", "vgg19", "random"),  # as before there were others
        ("features: {weights: vgg.h5}", "vgg19", "vgg.h5"),
        ("features: {network: vgg19}", "vgg19", "imagenet"),
    ],
)
def test_weights_of_features_without_a_network_are_vgg19s(
    tmp_path: Path, features: str, network: str, weights: str
) -> None:
    found = read(tmp_path, MINIMAL + features).features

    assert (found.network, found.weights) == (network, weights)


def test_a_home_of_nobody_is_a_folder_that_is_not_there(tmp_path: Path) -> None:
    config = read(tmp_path, MINIMAL.replace("runs/first", "~nobody-of-that-name/first"))
    assert config.run == tmp_path / "~nobody-of-that-name" / "first"


def test_an_endless_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="/dev/zero: cannot be read"):
        load(Path("/dev/zero"), TrainConfig)
