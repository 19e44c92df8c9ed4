"""The training commands of the command line; TensorFlow is imported when one of them runs."""

from __future__ import annotations

import json
import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cartoonize.cli.refusals import refusing

if TYPE_CHECKING:
    from cartoonize.training.fitting import Ending

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_CONFIG = click.Path(exists=True, dir_okay=False, path_type=Path)
resume_option = click.option("--resume", is_flag=True, help="Continue from the last checkpoint, if there is one.")


@click.command()
@click.option(
    "--config",
    "config_file",
    type=_CONFIG,
    required=True,
    help="YAML file; examples/distill_fast.yaml is one with every key explained.",
)
@resume_option
@click.pass_context
def distill(ctx: click.Context, config_file: Path, resume: bool) -> None:
    """Train a small generator to draw what a large one draws.

    The teacher's pictures are computed once and kept on disk. The best weights so far are in the configured
    output folder as student.tflite, ready for `cartoonize --weights`. Ctrl-C saves first; --resume goes on.
    """
    with refusing():
        ctx.exit(_distill(config_file, resume))


def _distill(config_file: Path, resume: bool) -> int:
    """Distill; returns the exit code."""
    from cartoonize.training.config_file import load
    from cartoonize.training.distillation.config import DistillConfig

    config = load(config_file, DistillConfig)
    look_for_gpu()
    from cartoonize.training.distillation.run import distill as run

    ending = run(config, resume=resume, say=partial(click.echo, err=True))
    return _ended(ending, config.output / "student.json", ["distill", "--config", str(config_file)])


@click.command()
@click.option(
    "--config",
    "config_file",
    type=_CONFIG,
    help="YAML file; --print-config writes one with every key explained.",
)
@click.option(
    "--init", type=click.Path(), metavar="NAME|PATH", help="Weights to begin with, put over the file; no pretraining."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Put over the file: steps.pretrain=100.")
@resume_option
@click.option(
    "--check", is_flag=True, help="Read configuration and data, take two steps, say what to expect; train not."
)
@click.option("--print-config", is_flag=True, help="Print a default configuration.")
@click.option(
    "--init-config",
    "folders",
    type=(_FOLDER, _FOLDER),
    metavar="PHOTOS CARTOONS",
    help="Print a configuration for these two folders and this machine.",
)
@click.pass_context
def train(
    ctx: click.Context,
    /,
    config_file: Path | None,
    init: str | None,
    print_config: bool,
    folders: tuple[Path, Path] | None,
    overrides: tuple[str, ...],
    **how: Any,
) -> None:
    """Train a generator on photos and cartoons of your own.

    The method is Wang & Yu's white-box representations (CVPR 2020). Losses, samples and weights for
    `cartoonize --weights` are written into the configured run folder. Ctrl-C saves and exports first; --resume goes
    on as if nothing had happened.
    """
    if print_config:
        from cartoonize.training.whitebox.default_config import default_yaml

        click.echo(default_yaml(), nl=False)
        return
    if folders:
        with refusing():
            click.echo(_first_config(*folders), nl=False)
        return
    if config_file is None:
        raise click.UsageError("Missing option '--config'; --print-config writes a configuration to begin with.")
    if init is not None:
        # A path is meant from here; in the file, and so in --set, it would start at the file's folder.
        weights = str(Path(init).absolute()) if Path(init).exists() else init
        overrides = (*overrides, f"init={json.dumps(weights)}")
    with refusing():
        ctx.exit(_train(config_file, overrides, **how))


def _train(config_file: Path, overrides: tuple[str, ...], resume: bool, check: bool) -> int:
    """Train or check; returns the exit code."""
    from cartoonize.training.config_file import load
    from cartoonize.training.whitebox.config import TrainConfig

    config = load(config_file, TrainConfig, overrides)
    look_for_gpu()
    if check:
        from cartoonize.training.whitebox.check import check as run_check

        run_check(config, click.echo)
        return 0
    from cartoonize.training.whitebox.run import train as run

    ending = run(config, resume=resume, say=partial(click.echo, err=True))
    return _ended(ending, config.run / "summary.md", ["train", "--config", str(config_file), *_options(overrides)])


def _first_config(photos: Path, cartoons: Path) -> str:
    click.echo("looking at both folders, then taking a few steps for the time to expect; half a minute or so", err=True)
    gpu = look_for_gpu()
    from cartoonize.training.whitebox.check import times
    from cartoonize.training.whitebox.first_config import first_config

    return first_config(photos, cartoons, gpu=gpu, times=times)


def look_for_gpu() -> bool:
    """Import TensorFlow, its greetings kept off the terminal; returns whether it has found a GPU."""
    from cartoonize.generators.native_logs import native_stderr_silenced

    _quiet_tensorflow()
    with native_stderr_silenced():  # TensorFlow greets from C++ with the hardware that it did not find
        from cartoonize.training import devices

        return devices.look()


def _quiet_tensorflow() -> None:
    """Keep TensorFlow's lines from C++ out of the bar, unless a person has asked for them; before it is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _ended(ending: Ending, page: Path, command: list[str]) -> int:
    """Say what to do next, and return the exit code: 0 when done, 128 and the signal's number when stopped."""
    if ending.signum is None:
        click.echo(f"done: see {page.resolve()}")
        return 0
    again = shlex.join(["cartoonize", *command, "--resume"])
    look = shlex.join(["cartoonize", "photo.jpg", "--weights", str(ending.exported.resolve())])
    click.echo(f"stopped and saved; go on with: {again}\nlook at it with: {look}", err=True)
    return 128 + ending.signum


def _options(overrides: tuple[str, ...]) -> list[str]:
    return [part for override in overrides for part in ("--set", override)]
