"""A white-box training from its configuration to its last export: what is built, in which order it runs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.errors import CartoonizeError, ConfigError, first_line
from cartoonize.generators.architectures import ARCHITECTURES
from cartoonize.generators.conversion import keras_model
from cartoonize.generators.weights import locate
from cartoonize.machine import available_cores
from cartoonize.media.files import write_atomically
from cartoonize.method.superpixels import structure_view, worker_pool
from cartoonize.training.config_file import changed, resolved
from cartoonize.training.precision import precision
from cartoonize.training.whitebox import checkpoints
from cartoonize.training.whitebox.callbacks import (
    STOPPING,
    Checkpoint,
    Export,
    Log,
    Progress,
    Samples,
    StopOnSignal,
    Watch,
    export,
)
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.data import Batches
from cartoonize.training.whitebox.features import build_features
from cartoonize.training.whitebox.gan import Views, WhiteBoxGAN, reproducible
from cartoonize.training.whitebox.losses_log import LossesLog
from cartoonize.training.whitebox.summary import write_summary
from cartoonize.training.whitebox.tensor_views import structure

CONFIG = "config.yaml"
LOSSES = "losses.csv"
SAMPLES = 2  # photos of each group on a sheet

Phase: TypeAlias = Literal["pretrain", "adversarial"]


class TrainingError(CartoonizeError):
    """A step could not be taken: memory ran out, or a picture could not be had."""


class Outcome(NamedTuple):
    """How a run ended: the last export (a `.tflite`), and the signal that stopped it early, None when it is done."""

    exported: Path
    signum: int | None


def train(config: TrainConfig, *, resume: bool, say: Callable[[str], None]) -> Outcome:
    """Run both phases, or what is left of them.

    resume goes on from the checkpoint in `config.run`, if there is one. say: is given notes for the user. Stopped or
    done, checkpoint and export are of the last step.
    Raises ConfigError, DatasetError, DivergedError, TrainingError, WeightsError.
    """
    _claim(config, resume, say)
    with session(config, say) as model, StopOnSignal() as stop:
        batches = Batches(config, say)
        if resume and (config.run / checkpoints.NAME).is_file():
            checkpoints.load(model, config.run)
        write_atomically(config.run / CONFIG, resolved(config).encode(), overwrite=True)
        log = LossesLog(config.run / LOSSES)
        log.begin(model.steps_done)
        beside = _callbacks(config, batches, log)
        ends: dict[Phase, int] = {"pretrain": config.pretrain_steps, "adversarial": config.total_steps}
        for phase, end_step in ends.items():
            if model.steps_done < end_step and not stop.signum:
                fit(model, batches, phase, end_step, [*beside, Progress(phase, end_step), stop])
        checkpoints.save(model, config.run)
        exported = export(model, config.run / "exports")
        if stop.signum is None:
            write_summary(config, log, exported)
        return Outcome(exported, stop.signum)


def fit(
    model: WhiteBoxGAN, batches: Batches, phase: Phase, end_step: int, callbacks: list[keras.callbacks.Callback]
) -> None:
    """Train in a phase until `end_step` steps are done; raises TrainingError where TensorFlow gives up."""
    dataset = batches.dataset(model.steps_done, end_step, cartoons=phase == "adversarial")
    try:
        model.fit(dataset, verbose=0, shuffle=False, callbacks=callbacks)
    except tf.errors.ResourceExhaustedError as error:
        raise TrainingError(
            f"step {model.steps_done + 1}: not enough memory; set a smaller `batch` or `patch_size`"
        ) from error
    except tf.errors.OpError as error:
        raise TrainingError(f"step {model.steps_done + 1}: {first_line(error)}") from error


@contextmanager
def session(config: TrainConfig, say: Callable[[str], None]) -> Iterator[WhiteBoxGAN]:
    """Build the model at step 0, and keep the processes alive that it needs; raises ConfigError, WeightsError.

    say: is given the devices that it will run on.
    """
    workers = config.workers or available_cores()
    with worker_pool(workers) as pool, reproducible():
        _start(pool, workers)
        say(f"training on {', '.join(config.devices or _devices()[:1])}")
        views = config.representations
        with _strategy(config.devices).scope(), precision(config.precision):
            model = _build(config, partial(structure, regions=views.regions, mu=views.mu, pool=pool))
        yield model


def _start(pool: ProcessPoolExecutor, workers: int) -> None:
    """Let the processes start and import what they need, deaf from the first moment to the signals that stop a run.

    Terminals and service managers send these to every process; the run still needs its workers to finish a step.
    """
    before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPPING}  # inherited, unlike handlers
    for _ in range(workers):
        pool.submit(structure_view, np.zeros((16, 16, 3), np.uint8))
    for number, handler in before.items():
        signal.signal(number, handler)


def _strategy(devices: tuple[str, ...] | None) -> tf.distribute.Strategy:
    """Return what shares batches out to devices; raises ConfigError when one of them is not there."""
    if devices is None:
        return tf.distribute.get_strategy()  # everything on one
    found = _devices()
    for name in devices:
        if name not in found:
            raise ConfigError(f"devices: {name} is not there, found {', '.join(found)}")
    return tf.distribute.MirroredStrategy(list(devices))


def _devices() -> list[str]:
    """Return the GPUs that TensorFlow sees, then "CPU:0"; left alone, it computes on the first."""
    kinds = ("GPU", "CPU")
    return [d.name.removeprefix("/device:") for kind in kinds for d in tf.config.list_logical_devices(kind)]


def _build(config: TrainConfig, structure_of: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> WhiteBoxGAN:
    features = build_features(_features_weights(config))
    keras.utils.set_random_seed(config.seed)
    generator = keras_model(locate(config.init)) if config.init else ARCHITECTURES[config.generator]()
    model = WhiteBoxGAN(generator, config.seed)
    weights = config.losses.model_dump(exclude={"preset"})
    views = Views(features, structure_of, config.representations.texture, weights)
    rate = config.optimizer.learning_rate
    model.compile(
        _adam(config, rate),
        _adam(config, config.optimizer.discriminator_learning_rate or rate),
        ema=config.ema,
        views=views,
    )
    return model


def _claim(config: TrainConfig, resume: bool, say: Callable[[str], None]) -> None:
    """Refuse to overwrite another run; tell what changed when it is the same one."""
    if not (config.run / checkpoints.NAME).is_file():
        if resume:
            say(f"{config.run} holds no checkpoint: beginning at step 0")
        return
    if not resume:
        raise ConfigError(f"{config.run} holds a run already: add --resume, or choose another `run`")
    for line in changed(config, config.run / CONFIG):
        say(f"changed since the run began: {line}")


def _callbacks(config: TrainConfig, batches: Batches, log: LossesLog) -> list[keras.callbacks.Callback]:
    """Return what happens beside every step, in this order: nothing is written of a step that diverged."""
    board = tf.summary.create_file_writer(str(config.run / "tensorboard"))
    photos, _ = batches.samples(SAMPLES)
    return [
        Watch(config.run),
        Log(config.every.log, log, board),
        Samples(config.every.sample, config.run / "samples", photos, config.representations, board),
        Export(config.every.export, config.run / "exports"),
        Checkpoint(config.every.checkpoint, config.run),
    ]


def _adam(config: TrainConfig, learning_rate: float) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(learning_rate, config.optimizer.beta_1, config.optimizer.beta_2)


def _features_weights(config: TrainConfig) -> Path | Literal["imagenet", "random"]:
    name = config.features.weights
    return cast(Literal["imagenet", "random"], name) if name in ("imagenet", "random") else Path(name)
