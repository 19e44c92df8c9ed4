"""How close the student is: measured on the held-out photos at every checkpoint, the best weights kept."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import ConfigError, first_line
from cartoonize.generators import tiles
from cartoonize.generators.card import Card
from cartoonize.generators.receptive_field import TRAINED
from cartoonize.media.files import write_atomically
from cartoonize.method.guided_filter import filter_image
from cartoonize.method.inking import inked_paper
from cartoonize.method.pixels import Array, Image
from cartoonize.method.retouch import AS_IT_IS, colors_and_ink, retouched
from cartoonize.training.distillation import fidelity
from cartoonize.training.distillation.line_agreement import line_agreement
from cartoonize.training.distillation.student import Distiller
from cartoonize.training.distillation.teacher import Example
from cartoonize.training.export import export

NAME = "student"
HALF_LIGHT = 128  # of 255, that paper leaves under ink
FIGURES = (
    "val_psnr",
    "val_ssim",
    "val_flat",
    "val_lines",
    "val_psnr_photo",
    "val_ssim_photo",
    "val_flat_photo",
    "val_flat_teacher",
)


class Finished(NamedTuple):
    """A picture as the product makes it, uint8 (H, W, 3), and where it has ink, bool (H, W)."""

    picture: Image
    ink: NDArray[np.bool_]


def finished(photo: Image, output: Array) -> Finished:
    """Finish what a teacher or a student drew of a photo, float32 (H, W, 3 or 4), at its own size."""
    colors, ink, lines = colors_and_ink(output, None)
    picture = retouched(filter_image(photo, colors), photo, AS_IT_IS, ink, lines)
    if ink is None:
        return Finished(picture, np.zeros(picture.shape[:2], np.bool_))
    return Finished(picture, inked_paper(ink, lines, (picture.shape[0], picture.shape[1])) < HALF_LIGHT)


class Validation:
    """The held-out photos and the teacher's pictures of them, both finished."""

    def __init__(self, examples: list[Example]) -> None:
        self._photos = [np.asarray(example.photo) for example in examples]
        goals = [finished(photo, e.drawn.astype(np.float32)) for photo, e in zip(self._photos, examples, strict=True)]
        self._goals, self._inks = [goal.picture for goal in goals], [goal.ink for goal in goals]
        untouched = fidelity.mean([fidelity.measure(*pair) for pair in zip(self._photos, self._goals, strict=True)])
        self._constants = {
            "val_psnr_photo": untouched.psnr,
            "val_ssim_photo": untouched.ssim,
            "val_flat_photo": untouched.flat,
            "val_flat_teacher": float(np.mean([fidelity.flat_share(goal) for goal in self._goals])),
        }

    def measure(self, generator: keras.Model) -> dict[str, float]:
        """Return the FIGURES of a generator.

        `val_psnr` (dB), `val_ssim`, `val_flat` and `val_lines` (`line_agreement`, 1 without ink) are its own,
        `val_*_photo` the untouched photo's for scale, `val_flat_teacher` the flat share to reach.
        """
        drawn = [finished(photo, tiles.generate(partial(_draw, generator), photo, TRAINED)) for photo in self._photos]
        pictures = [each.picture for each in drawn]
        reached = fidelity.mean([fidelity.measure(*pair) for pair in zip(pictures, self._goals, strict=True)])
        lines = [line_agreement(each.ink, ink) for each, ink in zip(drawn, self._inks, strict=True)]
        own = {"val_psnr": reached.psnr, "val_ssim": reached.ssim, "val_flat": reached.flat}
        return {**own, "val_lines": float(np.mean(lines)), **self._constants}


class Best:
    """Keeps the averaged weights in `folder` whenever `val_psnr` is the best so far, over all resumed runs.

    `student.tflite` and `student.weights.h5` hold the same float16 values; `student.json` the step and figures.
    generator: of the student's architecture, in float32. card: of the export. `figures` are those of the last look.
    Raises ConfigError when `student.json` is damaged.
    """

    def __init__(
        self, model: Distiller, generator: keras.Model, validation: Validation, folder: Path, card: Card
    ) -> None:
        self._model, self._generator, self._validation, self._folder = model, generator, validation, folder
        self._card = card
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
        export(self._generator, self._folder, NAME, self._card, half=True)
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
