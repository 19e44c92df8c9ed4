"""The state of a training on disk: every number it needs to go on as if it had never stopped."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from cartoonize.errors import CartoonizeError, ConfigError, first_line
from cartoonize.media.files import write_atomically
from cartoonize.training.trainee import Trainee

NAME = "checkpoint.npz"
_OVERHEAD = 2**16  # bytes, far more than zip and npy add to an array


class DivergedError(CartoonizeError):
    """A loss or a weight is no longer a finite number."""


def save(model: Trainee, folder: Path) -> None:
    """Replace the checkpoint in `folder`; raises DivergedError, and leaves the last one, when a weight is not finite.

    Seed and step are all there is to randomness, so that weights, optimizers' state and step are a whole checkpoint.
    """
    arrays = {name: variable.numpy() for name, variable in model.state().items()}
    if broken := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
        raise DivergedError(f"step {model.steps_done}: {broken[0]} is not finite; {last_good(folder)}")
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    write_atomically(folder / NAME, stream.getvalue(), overwrite=True)


def load(model: Trainee, folder: Path) -> None:
    """Put the checkpoint in `folder` into the model; raises ConfigError when it is damaged or of another model."""
    path = folder / NAME
    state = model.state()
    room = sum(variable.numpy().nbytes + _OVERHEAD for variable in state.values())
    try:
        if path.stat().st_size > room:
            raise ValueError(f"{path.stat().st_size:,} bytes, at most {room:,} expected")
        with path.open("rb") as stream, np.load(stream) as file:
            shapes = {name: _shape(file, name, room) for name in file.files}  # before anything is read
            same = shapes == {name: tuple(variable.shape) for name, variable in state.items()}
            arrays = {name: file[name] for name in state} if same else {}
    except Exception as error:  # a damaged zip, or npy in it, raises nearly anything
        raise ConfigError(f"{path}: damaged ({first_line(error)}); begin again in another folder") from error
    if not same:
        raise ConfigError(
            f"{path}: of another generator; resume with this run's configuration, or choose another folder"
        )
    for name, variable in state.items():
        variable.assign(arrays[name])


def last_good(folder: Path) -> str:
    """Say where a run can go on from."""
    path = folder / NAME
    if not path.is_file():
        return "there is no checkpoint before it"
    with np.load(path) as file:
        return f"the last good checkpoint is {path}, step {int(file['step'])}"


def _shape(file: Any, name: str, room: int) -> tuple[int, ...]:
    """Return the shape of an array that is not read yet; raises ValueError when it is larger than it may be."""
    with file.zip.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(member)
    if dtype.itemsize * math.prod(shape) > room:
        raise ValueError(f"{name} of {shape}")
    return tuple(shape)
