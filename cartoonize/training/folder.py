"""The folder of a run: whether it is free, and what was configured when it began."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cartoonize.errors import ConfigError
from cartoonize.media.files import write_atomically, write_problem
from cartoonize.training import checkpoints
from cartoonize.training.config_file import Section, changed, resolved

CONFIG = "config.yaml"


def claim(folder: Path, config: Section, *, resume: bool, say: Callable[[str], None]) -> bool:
    """Tell whether there is a checkpoint in the folder to go on from, and say what has changed since it began.

    Raises ConfigError when there is one and `resume` was not asked for, or where nothing can be written there.
    """
    if problem := write_problem(folder / CONFIG):
        raise ConfigError(f"{folder}: {problem}")
    if not (folder / checkpoints.NAME).is_file():
        if resume:
            say(f"{folder} holds no checkpoint: beginning at step 0")
        return False
    if not resume:
        raise ConfigError(f"{folder} holds a run already: add --resume, or choose another folder")
    try:
        lines = changed(config, folder / CONFIG)
    except (OSError, UnicodeDecodeError):
        say(f"{folder / CONFIG} cannot be read: what has changed since the run began is not known")
        return True
    for line in lines:
        say(f"changed since the run began: {line}")
    return True


def keep_config(folder: Path, config: Section) -> None:
    """Write the configuration beside the run, every key and default in it."""
    write_atomically(folder / CONFIG, resolved(config).encode(), overwrite=True)
