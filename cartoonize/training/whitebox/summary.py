"""The one page that is left of a finished run: what it was, how its losses went, what to do with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cartoonize.media.files import write_atomically
from cartoonize.training.log import LossesLog
from cartoonize.training.pictures import write_png
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.losses import NAMES
from cartoonize.training.whitebox.pictures import loss_plot

PLOT = "losses.png"


def write_summary(config: TrainConfig, log: LossesLog, exported: Path) -> Path:
    """Write `summary.md`, and the plot of the losses it shows, into the run's folder; returns its path."""
    rows = log.rows()
    seen = [name for name in NAMES if any(name in row for row in rows)]
    if seen:
        write_png(config.run / PLOT, loss_plot(rows, seen))
    page = "\n".join([*_head(config, exported), *_losses(rows, seen), *_pictures(config.run, bool(seen))]) + "\n"
    path = config.run / "summary.md"
    write_atomically(path, page.encode(), overwrite=True)
    return path


def _head(config: TrainConfig, exported: Path) -> list[str]:
    begin = f"initialised from {config.init}" if config.init else f"{config.pretrain_steps} steps of pretraining"
    groups = ", ".join(f"{group.name} (weight {group.weight})" for group in config.groups)
    return [
        f"# White-box training, {config.total_steps} steps",
        "",
        f"- {begin}, then {config.steps.adversarial} adversarial steps",
        f"- batches of {config.batch} patches of {config.patch_size} pixels from {groups}",
        f"- content features: {config.features.network}, {config.features.weights}",
        f"- precision: {config.precision}; seed: {config.seed}",
        "- every key: config.yaml",
        "",
        "Use it:",
        "",
        f"    cartoonize photo.jpg --weights {exported.resolve()}",
        "",
        "`exports/` has earlier states too: single ones differ in colour, so look at several. Files with `_raw` are not"
        " averaged over steps.",
    ]


def _losses(rows: Sequence[Mapping[str, float]], seen: Sequence[str]) -> list[str]:
    """Return a table of the first and last line of each loss."""
    if not seen:
        return ["", "No losses: the run was shorter than `every.log`."]
    lines = ["", "| loss (times its weight) | first | last |", "|---|---|---|"]
    for name in seen:
        values = [row[name] for row in rows if name in row]
        lines.append(f"| {name} | {values[0]:.4g} | {values[-1]:.4g} |")
    return [*lines, "", "Discriminators that stay flat and a generator that rises slowly are normal."]


def _pictures(run: Path, plotted: bool) -> list[str]:
    lines = ["", f"![losses]({PLOT})"] if plotted else []
    sheets = sorted((run / "samples").glob("step_*.png"))
    return [*lines, "", f"![samples](samples/{sheets[-1].name})"] if sheets else lines
