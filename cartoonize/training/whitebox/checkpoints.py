"""The state of a training on disk: every number it needs to go on as if it had never stopped."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from cartoonize.errors import CartoonizeError, ConfigError, first_line
from cartoonize.media.files import write_atomically
from cartoonize.training.whitebox.gan import WhiteBoxGAN

NAME = "checkpoint.npz"


class DivergedError(CartoonizeError):
    """A loss or a weight is no longer a finite number."""


def save(model: WhiteBoxGAN, folder: Path) -> None:
    """Replace the checkpoint in `folder`; raises DivergedError, and leaves the last one, when a weight is not finite.

    Seed and step are all there is to randomness, so that weights, optimizers' state and step are a whole checkpoint.
    """
    arrays = {name: variable.numpy() for name, variable in model.state().items()}
    if broken := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
        raise DivergedError(f"step {model.steps_done}: {broken[0]} is not finite; {last_good(folder)}")
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    write_atomically(folder / NAME, stream.getvalue(), overwrite=True)


def load(model: WhiteBoxGAN, folder: Path) -> None:
    """Put the checkpoint in `folder` into the model; raises ConfigError when it is damaged or of another model."""
    path = folder / NAME
    state = model.state()
    try:
        with np.load(io.BytesIO(path.read_bytes())) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path}: damaged ({first_line(error)}); begin again in another `run` folder") from error
    if {name: array.shape for name, array in arrays.items()} != {name: tuple(v.shape) for name, v in state.items()}:
        raise ConfigError(f"{path}: of another generator; resume with the configuration of this run, or change `run`")
    for name, variable in state.items():
        variable.assign(arrays[name])


def last_good(folder: Path) -> str:
    """Say where a run can go on from."""
    path = folder / NAME
    if not path.is_file():
        return "there is no checkpoint before it"
    with np.load(path) as file:
        return f"the last good checkpoint is {path}, step {int(file['step'])}"
