"""A white-box training from its configuration to its last export: what is built, in which order it runs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.errors import ConfigError
from cartoonize.generators.architectures import ARCHITECTURES, colors_alone
from cartoonize.generators.card import Card
from cartoonize.generators.conversion import keras_model
from cartoonize.generators.weights import locate
from cartoonize.machine import available_cores
from cartoonize.method.pixels import Array
from cartoonize.method.superpixels import structure_view, worker_pool
from cartoonize.training import checkpoints
from cartoonize.training.callbacks import STOPPING, Log, Periodic, Progress, StopOnSignal, Watch
from cartoonize.training.devices import refuse_several_machines
from cartoonize.training.export import export, write_weights
from cartoonize.training.fitting import Ending, fit
from cartoonize.training.folder import claim, keep_config
from cartoonize.training.log import LossesLog
from cartoonize.training.pictures import write_png
from cartoonize.training.precision import precision
from cartoonize.training.provenance import card_of_run
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.data import Batches
from cartoonize.training.whitebox.features import build_features
from cartoonize.training.whitebox.gan import Views, WhiteBoxGAN, reproducible
from cartoonize.training.whitebox.judging import Judging
from cartoonize.training.whitebox.losses import NAMES
from cartoonize.training.whitebox.pictures import sample_sheet
from cartoonize.training.whitebox.summary import write_summary
from cartoonize.training.whitebox.tensor_views import structure

SAMPLES = 2  # photos of each group on a sheet

Phase: TypeAlias = Literal["pretrain", "adversarial"]


def train(config: TrainConfig, *, resume: bool, say: Callable[[str], None]) -> Ending:
    """Run both phases, or what is left of them.

    resume goes on from the checkpoint in `config.run`, if there is one. say: is given notes for the user. Stopped or
    done, checkpoint and export are of the last step.
    Raises ConfigError, DatasetError, DivergedError, TrainingError, WeightsError.
    """
    refuse_several_machines()
    going_on = claim(config.run, config, resume=resume, say=say)
    log = LossesLog(config.run, NAMES)
    log.rows()  # a damaged one is found before anything is downloaded, and so are folders that are not there
    batches = Batches(config, say)
    with session(config, say) as model, StopOnSignal() as stop:
        if going_on:
            checkpoints.load(model, config.run)
        log.begin(model.steps_done)
        keep_config(config.run, config)
        card = card_of_run("train", config.run, config.title, config.licence, [config.init])
        exporting = Periodic(config.every.export, partial(_export, model, config.run, card))
        saving = Periodic(config.every.checkpoint, partial(checkpoints.save, model, config.run))
        beside = [*_callbacks(config, model, batches, log), exporting, saving]
        ends: dict[Phase, int] = {"pretrain": config.pretrain_steps, "adversarial": config.total_steps}
        for phase, end_step in ends.items():
            if model.steps_done < end_step and not stop.signum:
                train_until(
                    model, batches, phase, end_step, [*beside, Progress(phase, model.steps_done, end_step), stop]
                )
        saving.act_once(model.steps_done)
        exporting.act_once(model.steps_done)
        exported = _exports(config.run) / f"{_name(model)}.tflite"
        if stop.signum is None:
            write_summary(config, log, exported)
        return Ending(exported, stop.signum)


def train_until(
    model: WhiteBoxGAN, batches: Batches, phase: Phase, end_step: int, callbacks: list[keras.callbacks.Callback]
) -> None:
    """Train in a phase until `end_step` steps are done; raises TrainingError."""
    fit(model, batches.dataset(model.steps_done, end_step, cartoons=phase == "adversarial"), callbacks)


@contextmanager
def session(config: TrainConfig, say: Callable[[str], None]) -> Iterator[WhiteBoxGAN]:
    """Build the model at step 0, and keep the processes alive that it needs; raises ConfigError, WeightsError.

    say: is given the devices that it will run on.
    """
    workers = config.workers or available_cores()
    with worker_pool(workers) as pool, reproducible():
        _start(pool, workers)
        strategy = _strategy(config.devices)
        say(f"training on {', '.join(config.devices or _devices()[:1])}")
        views = config.representations
        with strategy.scope(), precision(config.precision):
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
    features = build_features(config.features)
    keras.utils.set_random_seed(config.seed)
    generator = colors_alone(keras_model(locate(config.init))) if config.init else ARCHITECTURES[config.generator]()
    model = WhiteBoxGAN(generator, config.seed, config.discriminators.network)
    weights = config.losses.model_dump(exclude={"preset"})
    judging = Judging(**config.discriminators.model_dump(exclude={"network"}))
    views = Views(features, structure_of, config.representations.texture, weights, judging)
    rate = config.optimizer.learning_rate
    model.compile(
        _adam(config, rate),
        _adam(config, config.optimizer.discriminator_learning_rate or rate),
        ema=config.ema,
        views=views,
    )
    return model


def _callbacks(
    config: TrainConfig, model: WhiteBoxGAN, batches: Batches, log: LossesLog
) -> list[keras.callbacks.Callback]:
    """Return what happens beside every step, in this order: nothing is written of a step that diverged."""
    board = tf.summary.create_file_writer(str(config.run / "tensorboard"))
    photos, _ = batches.samples(SAMPLES)
    return [
        Watch(config.run),
        Log(config.every.log, log, board),
        Periodic(config.every.sample, partial(_sample, model, photos, config, board)),
    ]


def _sample(model: WhiteBoxGAN, photos: Array, config: TrainConfig, board: tf.summary.SummaryWriter) -> None:
    """Write a sheet of what the averaged generator makes of some photos, as PNG and to TensorBoard."""
    image = sample_sheet(model, photos, config.representations)
    write_png(config.run / "samples" / f"{_name(model)}.png", image)
    with board.as_default(model.steps_done):
        tf.summary.image("samples", image[None])


def _export(model: WhiteBoxGAN, run: Path, card: Card) -> None:
    """Write the averaged generator as `step_N.tflite` and `.weights.h5`, the last one as `step_N_raw.weights.h5`."""
    write_weights(model.generator, _exports(run) / f"{_name(model)}_raw.weights.h5")
    export(model.average, _exports(run), _name(model), card)


def _exports(run: Path) -> Path:
    return run / "exports"


def _name(model: WhiteBoxGAN) -> str:
    return f"step_{model.steps_done:08d}"


def _adam(config: TrainConfig, learning_rate: float) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(learning_rate, config.optimizer.beta_1, config.optimizer.beta_2)
