"""The configuration of a white-box training: its keys, their defaults and what they mean."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, ValidationInfo
from pydantic import model_validator as validator

from cartoonize.generators.architecture_names import ColorArchitecture
from cartoonize.method.constants import MU, REGIONS
from cartoonize.training.config_file import ConfigPath, Count, Line, Section, Seed, Side, Steps

# Loss weights: what the authors' code trains with, and what their paper prints.
PRESETS: dict[str, dict[str, float]] = {
    "release": {"surface": 0.1, "texture": 1.0, "structure": 200.0, "content": 200.0, "variation": 10_000.0},
    "paper": {"surface": 1.0, "texture": 10.0, "structure": 2000.0, "content": 2000.0, "variation": 10_000.0},
}


def _from_config_folder_if_there(name: str, info: ValidationInfo) -> str:
    """Take a name that exists beside the configuration for a path; leave any other as it is."""
    folder: Path = (info.context or {}).get("folder", Path())
    beside = folder / os.path.expanduser(name)
    return str(beside) if os.path.exists(beside) else name  # False for what can be no path


FileOrName = Annotated[str, AfterValidator(_from_config_folder_if_there)]
Unit = Annotated[float, Field(ge=0, lt=1)]


class Group(Section):
    """Photos and cartoons of one kind; a batch is drawn from one group."""

    name: str = Field(description="for messages")
    photos: ConfigPath = Field(description="folder of photos, searched with all below it")
    cartoons: ConfigPath = Field(description="folder of cartoons to learn from, of the same kind of scene")
    weight: Count = Field(default=1, description="batches of this group in a round of all groups")


class Phases(Section):
    """Length of the two phases, in optimizer steps."""

    pretrain: Annotated[int, Field(ge=0, le=10**9)] = Field(
        default=50_000, description="reconstructing photos; `init` skips it"
    )
    adversarial: Steps = Field(default=100_000, description="white-box training")


class Optimizer(Section):
    """Numbers of Adam, for the generator and the discriminators."""

    learning_rate: PositiveFloat = 2e-4
    discriminator_learning_rate: PositiveFloat | None = Field(
        default=None, description="higher where they fall behind the generator; null is learning_rate"
    )
    beta_1: Unit = 0.5
    beta_2: Unit = 0.99


class Losses(Section):
    """Weights of the generator's losses; those not given are the preset's."""

    preset: Literal["release", "paper"] = Field(default="release", description="or paper: ten times the first four")
    surface: NonNegativeFloat = Field(
        default=PRESETS["release"]["surface"], description="adversarial, on smoothed pictures"
    )
    texture: NonNegativeFloat = Field(
        default=PRESETS["release"]["texture"], description="adversarial, on one random channel"
    )
    structure: NonNegativeFloat = Field(
        default=PRESETS["release"]["structure"], description="features: cartoon against its own superpixels"
    )
    content: NonNegativeFloat = Field(
        default=PRESETS["release"]["content"], description="features: cartoon against photo"
    )
    variation: NonNegativeFloat = Field(
        default=PRESETS["release"]["variation"], description="total variation of the cartoon"
    )
    style: NonNegativeFloat = Field(
        default=0.0, description="features: means and spreads of cartoons and drawings; about 1, not in the paper"
    )

    @validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        preset = given.get("preset") if isinstance(given, Mapping) else None
        return {**PRESETS[preset], **given} if isinstance(preset, str) and preset in PRESETS else given


class Discriminators(Section):
    """How the discriminators tell cartoons from drawings; by default as the release does."""

    network: Literal["patch", "projected"] = Field(
        default="patch", description="or projected: on lite0's features (Sauer et al. 2021), a style shows much sooner"
    )
    loss: Literal["lsgan", "hinge"] = Field(default="lsgan", description="or hinge (Lim & Ye 2017)")
    r1: NonNegativeFloat = Field(
        default=0.0, description="weight of the gradient penalty on cartoons (Mescheder et al. 2018), 0 is none"
    )
    augment: tuple[Literal["color", "translation", "cutout"], ...] = Field(
        default=(), description="of all that they see, [color, translation, cutout] (Zhao et al. 2020)"
    )


class Representations(Section):
    """How pictures are taken apart into surface, structure and texture."""

    regions: Annotated[int, Field(ge=1, le=10**6)] = Field(
        default=REGIONS, description="superpixels of a structure, about"
    )
    mu: PositiveFloat = Field(default=MU, description="exponent of the superpixels' colours; the paper's is 1.2")
    texture: Literal["release", "paper"] = Field(
        default="release", description="or paper: how the random channel is mixed"
    )


class Features(Section):
    """The frozen network that structure and content are compared with."""

    network: Literal["lite0", "vgg19"] = Field(
        default="lite0", description="comes with the program; or vgg19, the paper's: several times slower"
    )
    weights: FileOrName = Field(
        default="imagenet", description="VGG19's are downloaded once; or its path, a .h5; or random, for trials"
    )

    @validator(mode="before")
    @classmethod
    def _weights_alone_are_vgg19s(cls, given: Any) -> Any:
        """Read configurations of the time when there was no other network."""
        alone = isinstance(given, Mapping) and "weights" in given and "network" not in given
        return {"network": "vgg19", **given} if alone else given

    @validator(mode="after")
    def _only_vgg19_has_files(self) -> Features:
        if self.network == "lite0" and self.weights not in ("imagenet", "random"):
            raise ValueError("weights: expected imagenet or random; a path goes with network: vgg19")
        return self


class Intervals(Section):
    """Steps between what is written."""

    log: Steps = Field(default=50, description="a line in losses.csv and TensorBoard")
    sample: Steps = Field(default=500, description="a sheet of pictures in samples/")
    checkpoint: Steps = Field(default=500, description="the state --resume goes on from")
    export: Steps = Field(default=5000, description="weights for `cartoonize --weights` in exports/")


class TrainConfig(Section):
    """What `cartoonize train` needs to know."""

    run: ConfigPath = Field(description="folder of this run: everything is written here")
    title: Line = Field(default="", description="of the exported weights; else the folder's name")
    licence: Line = Field(default="", description="of the exported weights; else that of `init`")
    groups: Annotated[tuple[Group, ...], Field(min_length=1, max_length=100)]
    patch_size: Side = Field(default=256, description="side of a training picture, a multiple of 4")
    max_zoom: Annotated[float, Field(ge=1, le=100)] = Field(
        default=2.0, description="a patch is cut out of 1 to this many times its side, never enlarged without need"
    )
    batch: Count = 16
    generator: ColorArchitecture = Field(
        default="unet",
        description="or compact, compact_deep: smaller and quicker; with `init` it is that of those weights",
    )
    init: FileOrName | None = Field(
        default=None, description="weights to begin with, as of `cartoonize --weights`; skips pretraining"
    )
    steps: Phases = Phases()
    optimizer: Optimizer = Optimizer()
    ema: Unit = Field(default=0.999, description="how slowly the averaged generator follows; 0 is at once")
    losses: Losses = Losses()
    discriminators: Discriminators = Discriminators()
    features: Features = Features()
    representations: Representations = Representations()
    every: Intervals = Intervals()
    precision: Literal["float32", "mixed_bfloat16"] = Field(
        default="float32", description="or mixed_bfloat16, on GPUs and on processors with AMX"
    )
    devices: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="those that share a batch out, as [GPU:0, GPU:1]; null is one of TensorFlow's choice"
    )
    workers: Count | None = Field(default=None, description="processes for superpixels; null is one per core")
    seed: Seed = 0

    @validator(mode="after")
    def _shares_batches_evenly(self) -> TrainConfig:
        if self.devices and self.batch % len(self.devices):
            raise ValueError("batch: expected a multiple of the number of devices")
        return self

    @property
    def pretrain_steps(self) -> int:
        """Steps of the first phase; none when there are weights to begin with."""
        return 0 if self.init else self.steps.pretrain

    @property
    def total_steps(self) -> int:
        """Steps of both phases."""
        return self.pretrain_steps + self.steps.adversarial
