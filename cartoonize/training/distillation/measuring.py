"""How close the student is: measured on the held-out photos at every checkpoint, the best weights kept."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import keras
import numpy as np

from cartoonize.errors import ConfigError, first_line
from cartoonize.generators import tiles
from cartoonize.media.files import write_atomically
from cartoonize.method.guided_filter import filter_image
from cartoonize.method.pixels import Array
from cartoonize.training.distillation import fidelity
from cartoonize.training.distillation.student import Distiller
from cartoonize.training.distillation.teacher import Example
from cartoonize.training.export import export

NAME = "student"
FIGURES = (
    "val_psnr",
    "val_ssim",
    "val_flat",
    "val_psnr_photo",
    "val_ssim_photo",
    "val_flat_photo",
    "val_flat_teacher",
)


class Validation:
    """The held-out photos and the teacher's pictures of them, both after the guided filter."""

    def __init__(self, examples: list[Example]) -> None:
        self._photos = [np.asarray(example.photo) for example in examples]
        self._goals = [filter_image(e.photo, e.drawn.astype(np.float32)) for e in examples]
        untouched = fidelity.mean([fidelity.measure(*pair) for pair in zip(self._photos, self._goals, strict=True)])
        self._constants = {
            "val_psnr_photo": untouched.psnr,
            "val_ssim_photo": untouched.ssim,
            "val_flat_photo": untouched.flat,
            "val_flat_teacher": float(np.mean([fidelity.flat_share(goal) for goal in self._goals])),
        }

    def measure(self, generator: keras.Model) -> dict[str, float]:
        """Return the FIGURES of a generator.

        `val_psnr` (dB), `val_ssim` and `val_flat` are its own, `val_*_photo` the untouched photo's for scale,
        `val_flat_teacher` the flat share to reach.
        """
        drawn = [filter_image(photo, tiles.generate(partial(_draw, generator), photo)) for photo in self._photos]
        reached = fidelity.mean([fidelity.measure(*pair) for pair in zip(drawn, self._goals, strict=True)])
        return {"val_psnr": reached.psnr, "val_ssim": reached.ssim, "val_flat": reached.flat, **self._constants}


class Best:
    """Keeps the averaged weights in `folder` whenever `val_psnr` is the best so far, over all resumed runs.

    `student.tflite` and `student.weights.h5` hold the same float16 values; `student.json` the step and figures.
    generator: of the student's architecture, in float32. `figures` are those of the last look.
    Raises ConfigError when `student.json` is damaged.
    """

    def __init__(self, model: Distiller, generator: keras.Model, validation: Validation, folder: Path) -> None:
        self._model, self._generator, self._validation, self._folder = model, generator, validation, folder
        self._best = _best_so_far(folder / f"{NAME}.json")
        self.figures: dict[str, float] = {}
        self.exported = folder / f"{NAME}.tflite"

    def look(self) -> None:
        """Measure the averaged weights, and keep them if they are better."""
        averages = self._model.average.get_weights()
        self._generator.set_weights(averages)
        self.figures = self._validation.measure(self._generator)
        if self.figures["val_psnr"] <= self._best:
            return
        self._best = self.figures["val_psnr"]
        self._generator.set_weights([w.astype(np.float16).astype(np.float32) for w in averages])
        export(self._generator, self._folder, NAME, half=True)
        figures = {"step": self._model.steps_done, **self.figures}
        write_atomically(self._folder / f"{NAME}.json", (json.dumps(figures, indent=2) + "\n").encode(), overwrite=True)


def _best_so_far(path: Path) -> float:
    if not path.is_file():
        return -np.inf
    try:
        return float(json.loads(path.read_bytes())["val_psnr"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"{path}: damaged ({first_line(error)}); move it away") from error


def _draw(generator: keras.Model, photo: Array) -> Array:
    result: Array = generator(photo, training=False).numpy()
    return result
