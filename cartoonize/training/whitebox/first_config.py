"""A configuration to begin with, its values chosen from what is in two folders and from the device."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

from cartoonize.errors import DatasetError, DecodeError
from cartoonize.machine import multiplies_bfloat16
from cartoonize.media.measure import measure
from cartoonize.training.photos import photo_files
from cartoonize.training.whitebox.config import PRESETS

_FEW = 200  # cartoons; with fewer, discriminators learn them by heart
_SMALLEST, _LARGEST = 64, 256  # patches
_HALF = "precision: mixed_bfloat16  # this processor has units for it, faster than float32"


def first_config(photos: Path, cartoons: Path, *, gpu: bool) -> str:
    """Return YAML for `cartoonize train`, with the reasons as comments; raises DatasetError for folders without use."""
    counts, sides = zip(*(_look(folder) for folder in (photos, cartoons)), strict=True)
    patch = _patch(min(sides), _LARGEST if gpu else 96)
    # The losses on features and the variation are divided by the patch's area, as in the release.
    share = (patch / 256) ** 2
    weights = {name: round(PRESETS["release"][name] * share, 3) for name in ("structure", "content", "variation")}
    lines = [
        f"# {counts[0]} photos, {counts[1]} cartoons; short sides, in the middle, of {sides[0]} and {sides[1]} pixels",
        f"# Computed on {'a GPU' if gpu else 'processors alone: a smaller generator, smaller patches'}.",
        "# `cartoonize train --check --config FILE` measures how long it takes; every other key: --print-config.",
        f"run: {json.dumps(str(Path('runs/first').absolute()))}",
        "groups:",
        "  - name: all",
        f"    photos: {json.dumps(str(photos.absolute()))}",
        f"    cartoons: {json.dumps(str(cartoons.absolute()))}",
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
    if counts[1] < _FEW:
        lines += [
            f"# Fewer than {_FEW} cartoons: exports are many, and discriminators see them shifted and with holes",
            "# so that they are not learnt by heart.",
            "every: {export: 500}",
            "discriminators: {augment: [translation, cutout]}",
        ]
    return "\n".join(lines) + "\n"


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
