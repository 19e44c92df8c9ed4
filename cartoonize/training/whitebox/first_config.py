"""A configuration to begin with, its values chosen from what is in two folders and from the device."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml

from cartoonize.errors import CartoonizeError, DatasetError, DecodeError, first_line
from cartoonize.machine import multiplies_bfloat16
from cartoonize.media.measure import measure
from cartoonize.training.photos import photo_files
from cartoonize.training.whitebox.config import PRESETS, TrainConfig

_FEW = 200  # cartoons; with fewer, discriminators learn them by heart
_SMALLEST = 64  # patches
_FEW_LINES = (
    f"# Fewer than {_FEW} cartoons: discriminators see them shifted and with holes, or they learn them by heart.",
    "discriminators: {augment: [translation, cutout]}",
    "every: {export: 500}",
)
_WHY_QUICK = (
    "Computed on processors alone: a small generator, discriminators that know pictures from the first step on."
)
_QUICK_LINES = (  # examples/train_poster.yaml, where a style shows within some hundred steps
    "optimizer: {learning_rate: 0.0005, discriminator_learning_rate: 0.0007}",
    "ema: 0.99",
    "discriminators: {network: projected, loss: hinge, augment: [translation, cutout]}",
    "every: {log: 20, sample: 100, checkpoint: 100, export: 250}",
)
_HALF = "precision: mixed_bfloat16  # this processor has units for it, faster than float32"


def first_config(photos: Path, cartoons: Path, *, gpu: bool, times: Callable[[TrainConfig], Sequence[str]]) -> str:
    """Return YAML for `cartoonize train`, with the reasons as comments.

    times: tries a configuration and says how long it would take, in lines (see `check.times`).
    Raises DatasetError for folders without use.
    """
    counts, sides = zip(*(_look(folder) for folder in (photos, cartoons)), strict=True)
    values = _papers(counts, sides) if gpu else _quick(counts, sides)
    keys = "\n".join([*_groups(photos, cartoons), *values])
    lines = [
        f"# {counts[0]} photos, {counts[1]} cartoons; short sides, in the middle, of {sides[0]} and {sides[1]} pixels",
        "# Computed on a GPU: the paper's training." if gpu else f"# {_WHY_QUICK}",
        "# To expect on this machine, by a few steps:",
        *(f"#   {line}" for line in _expected(keys, times)),
        "# `cartoonize train --check --config FILE` measures it again after changes; every other key: --print-config.",
    ]
    return "\n".join([*lines, keys]) + "\n"


def _expected(keys: str, times: Callable[[TrainConfig], Sequence[str]]) -> Sequence[str]:
    try:
        return times(TrainConfig.model_validate(yaml.safe_load(keys)))
    except CartoonizeError as error:  # what is written is of use all the same
        return [f"unknown: {first_line(error)}"]


def _groups(photos: Path, cartoons: Path) -> list[str]:
    return [
        f"run: {json.dumps(str(Path('runs/first').absolute()))}",
        "groups:",
        "  - name: all",
        f"    photos: {json.dumps(str(photos.absolute()))}",
        f"    cartoons: {json.dumps(str(cartoons.absolute()))}",
    ]


def _papers(counts: tuple[int, ...], sides: tuple[int, ...]) -> list[str]:
    """Return the release's training, from random numbers."""
    patch = _patch(min(sides), 256)
    weights = {name: PRESETS["release"][name] for name in ("structure", "content", "variation")}
    return [
        f"patch_size: {patch}",
        f"batch: {min(16, *counts)}",
        "generator: unet",
        "steps: {pretrain: 50000, adversarial: 100000}",
        f"losses: {json.dumps(_of_patch(weights, patch))}  # the release's, for this size of patches",
        *(_FEW_LINES if counts[1] < _FEW else ()),
    ]


def _quick(counts: tuple[int, ...], sides: tuple[int, ...]) -> list[str]:
    """Return one for processors alone, from the colours of `comic`."""
    patch = _patch(min(sides), 128)
    weights = {"surface": 1.0, "texture": 1.0, "variation": 0.0, "style": 2.0}
    return [
        f"patch_size: {patch}",
        f"batch: {min(8, *counts)}",
        "generator: compact",
        "init: comic  # its colours, flat already and free for every use; without it, from random numbers",
        "steps: {pretrain: 1000, adversarial: 4000}",
        *([_HALF] if multiplies_bfloat16() else []),
        f"losses: {json.dumps(weights | _of_patch({'structure': 2000.0, 'content': 800.0}, patch))}",
        *_QUICK_LINES,
    ]


def _of_patch(weights: Mapping[str, float], patch: int) -> dict[str, float]:
    """Return weights for this size: the losses on features and the variation are divided by the patch's area."""
    return {name: round(weight * (patch / 256) ** 2, 3) for name, weight in weights.items()}


def _look(folder: Path) -> tuple[int, int]:
    """Return how many pictures a folder has, and the middle one of their short sides."""
    files = photo_files(folder)
    sides = []
    for path in files:
        try:
            sides.append(min(measure(path)[:2]))
        except DecodeError:
            continue  # training names and skips it
    if not sides:
        raise DatasetError(f"{folder}: none of its {len(files)} files is a picture that can be read")
    return len(sides), int(statistics.median(sides))


def _patch(side: int, largest: int) -> int:
    """Return a patch that fits into most pictures, a multiple of 32."""
    return max(_SMALLEST, min(largest, side // 32 * 32))
