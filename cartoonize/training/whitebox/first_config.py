"""A configuration to begin with, its values chosen from what is in two folders and from the device."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from cartoonize.errors import CartoonizeError, DatasetError, DecodeError, first_line
from cartoonize.machine import multiplies_bfloat16
from cartoonize.media.measure import measure
from cartoonize.training.photos import photo_files
from cartoonize.training.whitebox.config import PRESETS, TrainConfig

_FEW = 200  # cartoons; with fewer, discriminators learn them by heart
_SMALLEST, _LARGEST = 64, 256  # patches
_FEW_LINES = (
    f"# Fewer than {_FEW} cartoons: exports are many, and discriminators see them shifted and with holes",
    "# so that they are not learnt by heart.",
    "every: {export: 500}",
    "discriminators: {augment: [translation, cutout]}",
)
_HALF = "precision: mixed_bfloat16  # this processor has units for it, faster than float32"


def first_config(photos: Path, cartoons: Path, *, gpu: bool, times: Callable[[TrainConfig], Sequence[str]]) -> str:
    """Return YAML for `cartoonize train`, with the reasons as comments.

    times: tries a configuration and says how long it would take, in lines (see `check.times`).
    Raises DatasetError for folders without use.
    """
    counts, sides = zip(*(_look(folder) for folder in (photos, cartoons)), strict=True)
    keys = "\n".join(
        [*_groups(photos, cartoons), *_values(counts, sides, gpu), *(_FEW_LINES if counts[1] < _FEW else ())]
    )
    lines = [
        f"# {counts[0]} photos, {counts[1]} cartoons; short sides, in the middle, of {sides[0]} and {sides[1]} pixels",
        f"# Computed on {'a GPU' if gpu else 'processors alone: a smaller generator, smaller patches'}.",
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


def _values(counts: tuple[int, ...], sides: tuple[int, ...], gpu: bool) -> list[str]:
    patch = _patch(min(sides), _LARGEST if gpu else 96)
    # The losses on features and the variation are divided by the patch's area, as in the release.
    share = (patch / 256) ** 2
    weights = {name: round(PRESETS["release"][name] * share, 3) for name in ("structure", "content", "variation")}
    return [
        f"patch_size: {patch}",
        f"batch: {min(16 if gpu else 8, *counts)}",
        f"generator: {'unet' if gpu else 'compact'}",
        "# init: comic  # begins with that look's colours and skips pretraining; free for every use",
        "steps:",
        f"  pretrain: {50_000 if gpu else 1_000}",
        f"  adversarial: {100_000 if gpu else 10_000}",
        *([_HALF] if not gpu and multiplies_bfloat16() else []),
        f"losses: {json.dumps(weights)}  # the release's, for this size of patches",
    ]


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
