"""Knowledge distillation: a small generator learns to draw what a large one draws."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
from tqdm import tqdm

from cartoonize.errors import ConfigError
from cartoonize.generators.architectures import ARCHITECTURES, deepen
from cartoonize.generators.conversion import cached_flatbuffer, keras_model
from cartoonize.generators.engines import LiteRTEngine
from cartoonize.generators.weights import fingerprint, locate
from cartoonize.machine import available_cores
from cartoonize.media.files import write_atomically
from cartoonize.training.config_file import changed, resolved
from cartoonize.training.distillation.callbacks import Checkpoint, Export, Validate
from cartoonize.training.distillation.config import DistillConfig
from cartoonize.training.distillation.crops import Crops
from cartoonize.training.distillation.student import Distiller, LossWeights
from cartoonize.training.distillation.teacher import (
    Example,
    Request,
    TeacherCache,
    read_held_out,
    requests,
    validation_requests,
)
from cartoonize.training.precision import precision

CHECKPOINT = "checkpoint.weights.h5"
CONFIG = "config.yaml"
FINAL_RATE = 0.02  # of the highest learning rate
MAX_GRADIENT_NORM = 1.0


def distill(config: DistillConfig, *, resume: bool, say: Callable[[str], None]) -> None:
    """Train the student and leave its best weights in `config.output` as `student.tflite` and `.weights.h5`.

    resume continues from the last checkpoint, if there is one. say: is given notes for the user.
    Raises ConfigError, DatasetError, WeightsError; all that is wrong before the teacher draws its first picture.
    """
    _check_keras()
    checkpoint = config.output / CHECKPOINT
    if checkpoint.is_file() and not resume:
        raise ConfigError(f"{config.output} holds a run already: add --resume, or choose another `output`")
    model = student(config)
    if checkpoint.is_file():
        _resume(model, checkpoint)
        for line in changed(config, config.output / CONFIG):
            say(f"changed since the run began: {line}")
    crops, validation = _data(config)
    write_atomically(config.output / CONFIG, resolved(config).encode(), overwrite=True)
    drawing = ARCHITECTURES[config.student]()
    first_step = int(model.optimizer.iterations.numpy())
    history = keras.callbacks.CSVLogger(config.output / "history.csv", append=checkpoint.is_file())
    try:
        model.fit(
            crops.dataset(first_step, config.steps, config.batch),
            initial_epoch=first_step // config.checkpoint_steps,
            epochs=config.steps // config.checkpoint_steps,
            steps_per_epoch=config.checkpoint_steps,
            shuffle=False,  # the dataset draws at random itself
            verbose=1 if sys.stdout.isatty() else 2,
            callbacks=[
                Validate(validation, drawing),
                Export(config.output, drawing),
                Checkpoint(checkpoint),  # after them: a run that diverged fails there, and the last good state stays
                keras.callbacks.TensorBoard(config.output / "tensorboard", write_graph=False),
                history,
            ],
        )
    finally:
        if history.csv_file:  # Keras leaves it open when a callback raises
            history.csv_file.close()


def _check_keras() -> None:
    """Raise ConfigError where Keras' Muon does not work on TensorFlow yet."""
    if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 13):
        raise ConfigError(f"distilling needs Keras 3.13, which needs Python 3.11; found Keras {keras.__version__}")


def student(config: DistillConfig) -> Distiller:
    """Build the student with its starting weights and compile it; raises ConfigError, WeightsError."""
    keras.utils.set_random_seed(config.seed)
    with precision(config.precision):
        generator = ARCHITECTURES[config.student]()
    if config.start:
        _begin_with(config.start, generator)
    model = Distiller(generator.input, generator.output, name=generator.name)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        config.steps - config.warmup_steps,
        alpha=FINAL_RATE,
        warmup_target=config.learning_rate,
        warmup_steps=config.warmup_steps,
    )
    optimizer = keras.optimizers.Muon(rate, global_clipnorm=MAX_GRADIENT_NORM, use_ema=True, ema_momentum=config.ema)
    optimizer.build(model.trainable_variables)  # a checkpoint is loaded into it before the first step
    weights = LossWeights(config.gradient_weight, config.tone_weight, config.psnr_weight, config.raw_weight)
    model.compile(optimizer, weights)
    return model


def _begin_with(start: str, generator: keras.Model) -> None:
    beginning = keras_model(locate(start))
    try:
        deepen(beginning, generator)
    except ValueError as error:
        raise ConfigError(f"start: {start} does not fit into the student ({error})") from error


def _resume(model: Distiller, checkpoint: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras leaves layers at random that the file has not
            model.load_weights(checkpoint)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise ConfigError(f"{checkpoint}: damaged or of another `student`; choose another `output`") from error


def _data(config: DistillConfig) -> tuple[Crops, list[Example]]:
    """Return what to learn from and what to be measured on, drawn by the teacher."""
    held_out = read_held_out(config.validation.held_out)
    measured = validation_requests(config.validation, held_out)
    wanted = [requests(source, frozenset(held_out), config.crop) for source in config.photos]
    cache = _teacher(config)
    sources = [
        (_drawn(cache, versions, source.folder.name), source.share)
        for source, versions in zip(config.photos, wanted, strict=True)
    ]
    crops = Crops(sources, config.crop, config.margin, config.seed)
    return crops, _drawn(cache, measured, "held-out photos")


def _teacher(config: DistillConfig) -> TeacherCache:
    weights = locate(config.teacher)
    path = weights.path if weights.kind == "flatbuffer" else cached_flatbuffer(weights)
    return TeacherCache(config.cache, LiteRTEngine(path, available_cores()), fingerprint(weights))


def _drawn(cache: TeacherCache, wanted: list[Request], what: str) -> list[Example]:
    return [cache.example(request) for request in tqdm(wanted, f"teacher, {what}", unit=" photo", disable=None)]
