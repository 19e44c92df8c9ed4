"""What happens beside the steps of any training: watching, progress, logging, checkpoints and Ctrl-C."""

from __future__ import annotations

import math
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from types import FrameType, TracebackType
from typing import TypeAlias

import keras
import tensorflow as tf
from tqdm import tqdm

from cartoonize.training import checkpoints
from cartoonize.training.log import LossesLog

Logs: TypeAlias = dict[str, tf.Tensor]
STOPPING = (signal.SIGINT, signal.SIGTERM)


class Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Ends a run whose losses are no longer finite; raises DivergedError."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:
        # The sum is last to blame: it is what its terms make it.
        for name in sorted(logs, key="generator".__eq__):
            if not math.isfinite(value := float(logs[name])):
                raise checkpoints.DivergedError(
                    f"step {self.model.steps_done}: the loss {name} is {value}; {checkpoints.last_good(self._folder)}."
                    " Try a lower learning rate"
                )


class Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """A bar over the steps of a phase: step, speed, time left and every loss."""

    def __init__(self, phase: str, steps_done: int, end_step: int) -> None:
        super().__init__()
        self._bar = tqdm(
            desc=phase,
            total=end_step,
            initial=steps_done,
            unit=" steps",
            dynamic_ncols=True,
            mininterval=0.5 if sys.stderr.isatty() else 60,
            bar_format="{desc} {n_fmt}/{total_fmt} |{bar:12}| {rate_noinv_fmt}, {remaining} left{postfix}",
        )

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:
        self._bar.set_postfix({name: f"{float(loss):.3g}" for name, loss in logs.items()}, refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leave the last state as a line, however the phase ended."""
        self._bar.close()


class Periodic(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Calls `act` every so many steps, counted over all phases and resumed runs; and at the end of a run, once."""

    def __init__(self, every: int, act: Callable[[], object]) -> None:
        super().__init__()
        self._every, self._act = every, act
        self._acted_at: int | None = None

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:  # noqa: ARG002  Keras gives it by name
        if self.model.steps_done % self._every == 0:
            self.act_once(self.model.steps_done)

    def act_once(self, step: int) -> None:
        """Act, unless that was done at this step."""
        if self._acted_at != step:
            self._act()
            self._acted_at = step


class Log(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Every so many steps, writes the mean of every loss since the last line to the log and to TensorBoard.

    further: figures beside the losses, asked for at every line.
    """

    def __init__(
        self,
        every: int,
        log: LossesLog,
        board: tf.summary.SummaryWriter,
        further: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        super().__init__()
        self._every, self._log, self._board, self._further = every, log, board, further
        self._since: dict[str, list[float]] = defaultdict(list)
        self._began = perf_counter()

    def on_train_batch_end(self, _batch: int, logs: Logs) -> None:
        for name, loss in logs.items():
            self._since[name].append(float(loss))
        if self.model.steps_done % self._every == 0:
            self._write()

    def _write(self) -> None:
        means = {name: sum(losses) / len(losses) for name, losses in self._since.items()}
        now = perf_counter()
        means["steps_per_second"] = len(next(iter(self._since.values()))) / (now - self._began)
        means |= self._further()
        self._since.clear()
        self._began = now
        self._log.append(self.model.steps_done, means)
        with self._board.as_default(self.model.steps_done):
            for name, mean in means.items():
                tf.summary.scalar(name, mean)
            tf.summary.scalar("learning_rate", self.model.optimizer.learning_rate)
        self._board.flush()


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
        if self.signum:
            self.model.stop_training = True

    def _on_signal(self, signum: int, _: FrameType | None) -> None:
        self.signum = signum
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
