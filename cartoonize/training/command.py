"""The training commands of the command line; TensorFlow is imported when one of them runs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="YAML file; examples/distill_fast.yaml is one with every key explained.",
)
@click.option("--resume", is_flag=True, help="Continue from the last checkpoint, if there is one.")
def distill(config_file: Path, resume: bool) -> None:
    """Train a small generator to draw what a large one draws.

    The teacher's pictures are computed once and kept on disk. The best weights so far are in the configured
    output folder as student.tflite, ready for `cartoonize --weights`.
    """
    from cartoonize.errors import CartoonizeError
    from cartoonize.training.config import DistillConfig, load_config

    try:
        config = load_config(config_file, DistillConfig)
        from cartoonize.training.distill import distill as run

        run(config, resume=resume)
    except CartoonizeError as error:
        raise click.ClickException(str(error)) from error
