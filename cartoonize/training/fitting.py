"""Taking the steps of a training, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import tensorflow as tf

from cartoonize.errors import CartoonizeError, first_line
from cartoonize.training.callbacks import Progress
from cartoonize.training.trainee import Trainee


class TrainingError(CartoonizeError):
    """A step could not be taken: memory ran out, or a picture could not be had."""


class Ending(NamedTuple):
    """How a run ended: the last export (a `.tflite`), and the signal that stopped it early, None when it is done."""

    exported: Path
    signum: int | None


def fit(model: Trainee, dataset: tf.data.Dataset, callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Take a step for each batch of the dataset; raises TrainingError where TensorFlow gives up."""
    try:
        model.fit(dataset, verbose=0, shuffle=False, callbacks=list(callbacks))
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            f"step {model.steps_done + 1}: not enough memory; set a smaller `batch`, `patch_size` or `crop`"
        ) from error
    except tf.errors.OpError as error:
        raise TrainingError(f"step {model.steps_done + 1}: {first_line(error)}") from error
    finally:
        for callback in callbacks:
            if isinstance(callback, Progress):
                callback.close()
