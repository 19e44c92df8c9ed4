"""What happens at every checkpoint of a distillation: save, measure, export the best."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cartoonize.generators import tiles
from cartoonize.generators.conversion import flatbuffer
from cartoonize.media.files import replacing, write_atomically
from cartoonize.method.guided_filter import filter_image
from cartoonize.method.pixels import Array
from cartoonize.training.distillation import fidelity
from cartoonize.training.distillation.teacher import Example

Logs = dict[str, Any]


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Writes weights and optimizer state (step and moving averages in it) to `path` after every epoch.

    With batches that depend on the step alone, that is all a run needs to continue.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, _epoch: int, _logs: Logs) -> None:
        """Replace the previous checkpoint."""
        with replacing(self._path) as partial:
            self.model.save_weights(partial, overwrite=True)


class Validate(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Adds to the logs how close the averaged weights come to the teacher, both after the guided filter.

    `val_psnr` (dB), `val_ssim` and `val_flat` are the student's, `val_*_photo` the untouched photo's for scale,
    `val_flat_teacher` the flat share to reach.
    """

    def __init__(self, examples: list[Example], generator: keras.Model) -> None:
        super().__init__()
        self._generator = generator
        self._photos = [np.asarray(example.photo) for example in examples]
        self._goals = [filter_image(e.photo, e.drawn.astype(np.float32)) for e in examples]
        untouched = fidelity.mean([fidelity.measure(*pair) for pair in zip(self._photos, self._goals, strict=True)])
        self._constants = {
            "val_psnr_photo": untouched.psnr,
            "val_ssim_photo": untouched.ssim,
            "val_flat_photo": untouched.flat,
            "val_flat_teacher": float(np.mean([fidelity.flat_share(goal) for goal in self._goals])),
        }

    def on_epoch_end(self, _epoch: int, logs: Logs) -> None:
        """Measure the averaged weights."""
        self._generator.set_weights(averaged_weights(self.model))
        drawn = [filter_image(photo, tiles.generate(self._student, photo)) for photo in self._photos]
        reached = fidelity.mean([fidelity.measure(*pair) for pair in zip(drawn, self._goals, strict=True)])
        logs.update(val_psnr=reached.psnr, val_ssim=reached.ssim, val_flat=reached.flat, **self._constants)

    def _student(self, photo: Array) -> Array:
        result: Array = self._generator(photo, training=False).numpy()
        return result


class Export(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Writes the averaged weights to `folder` whenever `val_psnr` is the best so far, over all resumed runs.

    `student.tflite` and `student.weights.h5` hold the same float16 values; `student.json` the step and figures.
    """

    def __init__(self, folder: Path, generator: keras.Model) -> None:
        super().__init__()
        self._generator = generator
        self._folder = folder
        self._figures = folder / "student.json"
        self._best = json.loads(self._figures.read_text())["val_psnr"] if self._figures.is_file() else -np.inf

    def on_epoch_end(self, _epoch: int, logs: Logs) -> None:
        """Export if better."""
        if logs["val_psnr"] <= self._best:
            return
        self._best = logs["val_psnr"]
        halves = [w.astype(np.float16).astype(np.float32) for w in averaged_weights(self.model)]
        self._generator.set_weights(halves)
        with replacing(self._folder / "student.weights.h5") as partial:
            self._generator.save_weights(partial, overwrite=True)
        write_atomically(self._folder / "student.tflite", flatbuffer(self._generator, half=True), overwrite=True)
        figures = {"step": int(self.model.optimizer.iterations.numpy()), **logs}
        write_atomically(self._figures, (json.dumps(figures, indent=2) + "\n").encode(), overwrite=True)


def averaged_weights(model: keras.Model) -> list[NDArray[np.float32]]:
    """Return the moving averages that the model's optimizer keeps of its weights."""
    trained = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    averages: list[NDArray[np.float32]] = model.get_weights()
    model.set_weights(trained)
    return averages
