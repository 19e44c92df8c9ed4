"""What happens beside the steps of a training: watching, logging, samples, exports, checkpoints and Ctrl-C."""

from __future__ import annotations

import math
import signal
import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from types import FrameType, TracebackType
from typing import TypeAlias

import keras
import tensorflow as tf
from tqdm import tqdm

from cartoonize.generators.conversion import flatbuffer, keras_model
from cartoonize.generators.weights import locate
from cartoonize.media.files import replacing, write_atomically
from cartoonize.method.pixels import Array
from cartoonize.training.whitebox import checkpoints
from cartoonize.training.whitebox.config import Representations
from cartoonize.training.whitebox.gan import WhiteBoxGAN
from cartoonize.training.whitebox.losses_log import LossesLog
from cartoonize.training.whitebox.pictures import sample_sheet, write_png

Logs: TypeAlias = dict[str, tf.Tensor]
STOPPING = (signal.SIGINT, signal.SIGTERM)


class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Ends a run whose losses are no longer finite; raises DivergedError."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:
        """Look at every loss."""
        # The sum is last to blame: it is what its terms make it.
        for name in sorted(logs, key="generator".__eq__):
            if not math.isfinite(value := float(logs[name])):
                raise checkpoints.DivergedError(
                    f"step {self.model.steps_done}: the loss {name} is {value}; {checkpoints.last_good(self._folder)}."
                    " Try a lower optimizer.learning_rate"
                )


class Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """A bar over the steps of a phase: step, speed, time left and every loss."""

    def __init__(self, phase: str, end_step: int) -> None:
        super().__init__()
        self._phase, self._end_step = phase, end_step

    def on_train_begin(self, _logs: Logs | None) -> None:
        """Show the bar."""
        self._bar = tqdm(
            desc=self._phase,
            total=self._end_step,
            initial=self.model.steps_done,
            unit=" steps",
            dynamic_ncols=True,
            mininterval=0.5 if sys.stderr.isatty() else 60,
            bar_format="{desc} {n_fmt}/{total_fmt} |{bar:12}| {rate_noinv_fmt}, {remaining} left{postfix}",
        )

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:
        """Move on."""
        self._bar.set_postfix({name: f"{float(loss):.3g}" for name, loss in logs.items()}, refresh=False)
        self._bar.update()

    def on_train_end(self, _logs: Logs | None) -> None:
        """Leave the last state."""
        self._bar.close()


class Periodic(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Base of what happens every so many steps, counted over both phases and all resumed runs."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self._every = every

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:  # noqa: ARG002  Keras gives it by name
        """Act if it is time."""
        if self.model.steps_done % self._every == 0:
            self.act()

    def act(self) -> None:
        """Do what is due."""
        raise NotImplementedError


class Log(Periodic):
    """Writes the mean of every loss since the last line to a CSV file and to TensorBoard, with the learning rate."""

    def __init__(self, every: int, log: LossesLog, board: tf.summary.SummaryWriter) -> None:
        super().__init__(every)
        self._log, self._board = log, board
        self._since: dict[str, list[float]] = defaultdict(list)
        self._began = perf_counter()

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:
        """Collect, and write if it is time."""
        for name, loss in logs.items():
            self._since[name].append(float(loss))
        super().on_train_batch_end(_batch, logs)

    def act(self) -> None:
        """Write a line."""
        means = {name: sum(losses) / len(losses) for name, losses in self._since.items()}
        now = perf_counter()
        means["steps_per_second"] = len(next(iter(self._since.values()))) / (now - self._began)
        self._since.clear()
        self._began = now
        self._log.append(self.model.steps_done, means)
        with self._board.as_default(self.model.steps_done):
            for name, mean in means.items():
                tf.summary.scalar(name, mean)
            tf.summary.scalar("learning_rate", self.model.optimizer.learning_rate)
        self._board.flush()


class Samples(Periodic):
    """Writes a sheet of what the averaged generator makes of some photos, as PNG and to TensorBoard."""

    def __init__(
        self, every: int, folder: Path, photos: Array, views: Representations, board: tf.summary.SummaryWriter
    ) -> None:
        super().__init__(every)
        self._folder, self._photos, self._views, self._board = folder, photos, views, board

    def act(self) -> None:
        """Write a sheet."""
        step = self.model.steps_done
        image = sample_sheet(self.model, self._photos, self._views)
        write_png(self._folder / f"step_{step:08d}.png", image)
        with self._board.as_default(step):
            tf.summary.image("samples", image[None])


class Export(Periodic):
    """Writes the generators in forms that `cartoonize --weights` takes; see `export`."""

    def __init__(self, every: int, folder: Path) -> None:
        super().__init__(every)
        self._folder = folder

    def act(self) -> None:
        """Write them."""
        export(self.model, self._folder)


class Checkpoint(Periodic):
    """Replaces the checkpoint that a run resumes from; raises DivergedError."""

    def __init__(self, every: int, folder: Path) -> None:
        super().__init__(every)
        self._folder = folder

    def act(self) -> None:
        """Save everything."""
        checkpoints.save(self.model, self._folder)


class StopOnSignal(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Between `with` and its end, Ctrl-C (or a TERM signal) ends the run after the current step; a second one at once.

    `signum` is the signal that came, None before one does.
    """

    def __init__(self) -> None:
        super().__init__()
        self.signum: int | None = None

    def __enter__(self) -> StopOnSignal:
        self._before = {number: signal.signal(number, self._on_signal) for number in STOPPING}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._restore()

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:  # noqa: ARG002  Keras gives it by name
        """Stop if asked to."""
        if self.signum:
            self.model.stop_training = True

    def _on_signal(self, signum: int, _: FrameType | None) -> None:
        self.signum = signum
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def export(model: WhiteBoxGAN, folder: Path) -> Path:
    """Write the averaged generator as `step_N.tflite` and `.weights.h5`, the last one as `step_N_raw.weights.h5`.

    Returns the path of the `.tflite`.
    """
    name = f"step_{model.steps_done:08d}"
    folder.mkdir(parents=True, exist_ok=True)
    averaged = folder / f"{name}.weights.h5"
    for generator, path in ((model.generator, folder / f"{name}_raw.weights.h5"), (model.average, averaged)):
        with replacing(path) as partial:
            generator.save_weights(partial, overwrite=True)
    target = folder / f"{name}.tflite"
    # Read back, it is in float32 whatever it was trained in.
    write_atomically(target, flatbuffer(keras_model(locate(averaged))), overwrite=True)
    return target
