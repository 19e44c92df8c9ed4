"""Knowledge distillation: a small generator learns to draw what a large one draws."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf
from tqdm import tqdm

from cartoonize.errors import ConfigError
from cartoonize.generators.architectures import ARCHITECTURES, deepen
from cartoonize.generators.conversion import keras_model
from cartoonize.generators.weights import locate
from cartoonize.training import checkpoints
from cartoonize.training.callbacks import Log, Periodic, Progress, StopOnSignal, Watch
from cartoonize.training.devices import refuse_several_machines
from cartoonize.training.distillation.config import DistillConfig
from cartoonize.training.distillation.crops import Crops
from cartoonize.training.distillation.measuring import FIGURES, Best, Validation
from cartoonize.training.distillation.student import Distiller, LossWeights
from cartoonize.training.distillation.teacher import (
    Example,
    Request,
    TeacherCache,
    held_out_photos,
    requests,
    validation_requests,
)
from cartoonize.training.distillation.teachers import teacher_of
from cartoonize.training.fitting import Ending, fit
from cartoonize.training.folder import claim, keep_config
from cartoonize.training.log import LossesLog
from cartoonize.training.precision import precision
from cartoonize.training.provenance import card_of_run

INKING = "compact_ink"
EARLIER_CHECKPOINT = "checkpoint.weights.h5"  # of versions without `checkpoints`
FINAL_RATE = 0.02  # of the highest learning rate
MAX_GRADIENT_NORM = 1.0


def distill(config: DistillConfig, *, resume: bool, say: Callable[[str], None]) -> Ending:
    """Train the student and leave its best weights in `config.output` as `student.tflite` and `.weights.h5`.

    resume continues from the last checkpoint, if there is one. say: is given notes for the user. Stopped or done, the
    checkpoint is of the last step, and it has been measured.
    Raises ConfigError, DatasetError, DivergedError, TrainingError, WeightsError; all that is wrong before the teacher
    draws its first picture.
    """
    _check_keras()
    refuse_several_machines()
    _refuse_earlier_checkpoint(config)
    going_on = claim(config.output, config, resume=resume, say=say)
    model = student(config)
    if going_on:
        checkpoints.load(model, config.output)
    log = LossesLog(config.output, ("distillation", *FIGURES))
    log.rows()  # a damaged one is found before the teacher draws
    crops, validation = _data(config, say)
    log.begin(model.steps_done)
    keep_config(config.output, config)
    with StopOnSignal() as stop:
        parents = [config.teacher, config.start]
        card = card_of_run("distill", config.output, config.title, config.licence, parents)
        best = Best(model, ARCHITECTURES[config.student](), Validation(validation), config.output, card)
        beside = _callbacks(config, model, best, log)
        if model.steps_done < config.steps:
            fit(model, crops.dataset(model.steps_done, config.steps, config.batch), [*beside, stop])
        if stop.signum:
            checkpoints.save(model, config.output)
            best.look()
    return Ending(best.exported, stop.signum)


def _check_keras() -> None:
    """Raise ConfigError where Keras' Muon does not work on TensorFlow yet."""
    if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 13):
        raise ConfigError(f"distilling needs Keras 3.13, which needs Python 3.11; found Keras {keras.__version__}")


def _refuse_earlier_checkpoint(config: DistillConfig) -> None:
    if (config.output / EARLIER_CHECKPOINT).is_file():
        raise ConfigError(
            f"{config.output} holds a run of an earlier version, which cannot be gone on with: choose another `output`,"
            f" and `start: {config.output / 'student.weights.h5'}`"
        )


def student(config: DistillConfig) -> Distiller:
    """Build the student with its starting weights and compile it; raises ConfigError, WeightsError."""
    keras.utils.set_random_seed(config.seed)
    with precision(config.precision):
        generator = ARCHITECTURES[config.student]()
    if config.start:
        _begin_with(config.start, generator)
    model = Distiller(generator)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        config.steps - config.warmup_steps,
        alpha=FINAL_RATE,
        warmup_target=config.learning_rate,
        warmup_steps=config.warmup_steps,
    )
    optimizer = keras.optimizers.Muon(rate, global_clipnorm=MAX_GRADIENT_NORM)
    weights = LossWeights(**{part: getattr(config, f"{part}_weight") for part in LossWeights._fields})
    model.compile(optimizer, ema=config.ema, weights=weights)
    return model


def _begin_with(start: str, generator: keras.Model) -> None:
    beginning = keras_model(locate(start))
    try:
        deepen(beginning, generator)
    except ValueError as error:
        raise ConfigError(f"start: {start} does not fit into the student ({error})") from error


def _callbacks(config: DistillConfig, model: Distiller, best: Best, log: LossesLog) -> list[keras.callbacks.Callback]:
    """Return what happens beside every step, in this order: nothing is written of a step that diverged."""
    board = tf.summary.create_file_writer(str(config.output / "tensorboard"))
    every = config.checkpoint_steps
    return [
        Watch(config.output),
        Periodic(every, lambda: checkpoints.save(model, config.output)),
        Periodic(every, best.look),
        Log(every, log, board, lambda: best.figures),
        Progress("distilling", model.steps_done, config.steps),
    ]


def _data(config: DistillConfig, say: Callable[[str], None]) -> tuple[Crops, list[Example]]:
    """Return what to learn from and what to be measured on, drawn by the teacher."""
    held_out = held_out_photos(config.validation, say)
    measured = validation_requests(config.validation, held_out)
    wanted = [requests(source, frozenset(held_out), config.crop) for source in config.photos]
    teacher = teacher_of(config)
    if teacher.inks != (config.student == INKING):
        raise ConfigError(f"student: expected {INKING} for a teacher that draws ink, another for one that does not")
    cache = TeacherCache(config.cache, teacher.draw, teacher.fingerprint)
    sources = [
        (_drawn(cache, versions, source.folder.name), source.share)
        for source, versions in zip(config.photos, wanted, strict=True)
    ]
    crops = Crops(sources, config.crop, config.margin, config.seed)
    return crops, _drawn(cache, measured, "held-out photos")


def _drawn(cache: TeacherCache, wanted: list[Request], what: str) -> list[Example]:
    return [cache.example(request) for request in tqdm(wanted, f"teacher, {what}", unit=" photo", disable=None)]
