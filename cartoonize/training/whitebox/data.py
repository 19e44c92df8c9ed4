"""Folders of photos and cartoons -> batches of patches, each a function of the step alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
import tensorflow as tf

from cartoonize.errors import DatasetError, DecodeError
from cartoonize.machine import available_cores, free_memory
from cartoonize.method.pixels import DEFAULT_SHORT_SIDE, Array, Image, resize, to_network, working_shape
from cartoonize.training.photos import photo_files, read_picture
from cartoonize.training.whitebox.config import TrainConfig

PREFETCH = 4
_MEMORY_SHARE = 0.25  # of what is free when a training begins, for pictures that are kept
_PHOTO, _CARTOON = 0, 1  # told apart in seeds


class Kept:
    """Pictures at working size, read once and kept as long as there is room for them.

    The first are kept and none is given up for another: in rounds through a folder, the one that was longest not asked
    for would be the next to be asked for.

    short_side: most pixels of a picture's short side, as the product shrinks photos before it draws. room: bytes.
    """

    def __init__(self, short_side: int, room: int) -> None:
        self._short_side, self._room = short_side, room
        self._pictures: dict[Path, Image] = {}
        self._lock = Lock()

    def picture(self, path: Path) -> Image:
        """Return a picture, uint8 (H, W, 3), not to be written into; raises DecodeError."""
        if (kept := self._pictures.get(path)) is not None:
            return kept
        picture = read_picture(path)
        shape = (picture.shape[0], picture.shape[1])
        picture = resize(picture, working_shape(shape, min(self._short_side, *shape)))
        with self._lock:  # batches are prepared side by side
            if path not in self._pictures and picture.nbytes <= self._room:
                self._pictures[path] = picture
                self._room -= picture.nbytes
        return picture


class Pictures:
    """The pictures of one folder; all of them are shown before any is shown again, in an order drawn from `seed`.

    report is called once for every file that cannot be read. Raises DatasetError when there are fewer than `needed`.
    """

    def __init__(
        self, folder: Path, needed: int, seed: tuple[int, ...], kept: Kept, report: Callable[[str], None]
    ) -> None:
        self.files = photo_files(folder)
        if len(self.files) < needed:
            raise DatasetError(
                f"{folder}: {len(self.files)} pictures found, at least {needed} are needed to fill a batch:"
                " add some, or set a smaller `batch`"
            )
        self._folder, self._seed, self._kept, self._report = folder, seed, kept, report
        self._broken: set[Path] = set()
        self._telling = Lock()
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def picture(self, turn: int) -> Image:
        """Return the picture of a turn, or the next one that can be read; raises DatasetError when none can."""
        order = self._order(turn // len(self.files))
        for offset in range(len(order)):
            path = self.files[order[(turn + offset) % len(order)]]
            if path in self._broken:
                continue
            try:
                return self._kept.picture(path)
            except DecodeError as error:
                self._skip(path, error)
        raise DatasetError(f"{self._folder}: none of its {len(order)} pictures can be read")

    def _skip(self, path: Path, error: DecodeError) -> None:
        with self._telling:  # batches are prepared side by side
            if path not in self._broken:
                self._broken.add(path)
                self._report(f"{path}: {error}; skipped")

    def _shuffled(self, round_: int) -> list[int]:
        order: list[int] = np.random.default_rng([*self._seed, round_]).permutation(len(self.files)).tolist()
        return order


class Batches:
    """Batches of photo and cartoon patches, groups taking turns by their weights.

    Nothing is remembered from one step to the next, so that a run goes on from any step as if it had never stopped.
    Raises DatasetError when a folder has too few pictures.
    """

    def __init__(self, config: TrainConfig, report: Callable[[str], None] | None = None) -> None:
        self._config = config
        self._turns = turns([group.weight for group in config.groups])
        short_side = max(DEFAULT_SHORT_SIDE, round(config.patch_size * config.max_zoom))
        kept = Kept(short_side, int(_MEMORY_SHARE * free_memory()))

        def pictures(folder: Path, group: int, kind: int) -> Pictures:
            return Pictures(folder, config.batch, (config.seed, group, kind), kept, report or _to_stderr)

        self.photos = [pictures(group.photos, n, _PHOTO) for n, group in enumerate(config.groups)]
        self.cartoons = [pictures(group.cartoons, n, _CARTOON) for n, group in enumerate(config.groups)]

    def photo_batch(self, step: int) -> Array:
        """Return photos float32 (batch, patch_size, patch_size, 3) in [-1, 1]."""
        return self._batch(self.photos, step, _PHOTO)

    def cartoon_batch(self, step: int) -> Array:
        """Return cartoons of the same group, as `photo_batch` does photos."""
        return self._batch(self.cartoons, step, _CARTOON)

    def samples(self, count: int) -> tuple[Array, Array]:
        """Return the first `count` photos of every group, and its cartoons, as batches of the group have them."""
        first_turns = [self._turns.index(group) for group in range(len(self._config.groups))]
        photos, cartoons = (
            np.concatenate([batch(step)[:count] for step in first_turns])
            for batch in (self.photo_batch, self.cartoon_batch)
        )
        return photos, cartoons

    def dataset(self, first_step: int, end_step: int, *, cartoons: bool) -> tf.data.Dataset:
        """Return (photos,) or (photos, cartoons) of the steps first_step ... end_step - 1, prepared ahead of use."""
        load = (self.photo_batch, self.cartoon_batch) if cartoons else (self.photo_batch,)
        side = self._config.patch_size
        shape = (self._config.batch, side, side, 3)

        def batches(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
            arrays = tf.numpy_function(lambda n: [part(int(n)) for part in load], [step], [tf.float32] * len(load))
            return tuple(tf.ensure_shape(array, shape) for array in arrays)

        steps = tf.data.Dataset.range(first_step, end_step)
        return steps.map(batches, num_parallel_calls=min(PREFETCH, available_cores())).prefetch(PREFETCH)

    def _turn(self, step: int) -> tuple[int, int]:
        """Return whose turn it is at a step, and how many turns that group has had before."""
        rounds, position = divmod(step, len(self._turns))
        group = self._turns[position]
        return group, rounds * self._turns.count(group) + self._turns[:position].count(group)

    def _batch(self, groups: list[Pictures], step: int, kind: int) -> Array:
        group, turn = self._turn(step)
        size = self._config.batch
        rng = np.random.default_rng([self._config.seed, step, kind])
        patches = [
            patch(groups[group].picture(turn * size + n), self._config.patch_size, self._config.max_zoom, rng)
            for n in range(size)
        ]
        return to_network(np.stack(patches))


def turns(weights: list[int]) -> list[int]:
    """Return one round of turns, each index as often as its weight and spread evenly (smooth weighted round robin)."""
    credit = np.zeros(len(weights), int)
    order = []
    for _ in range(sum(weights)):
        credit += weights
        chosen = int(credit.argmax())
        credit[chosen] -= sum(weights)
        order.append(chosen)
    return order


def patch(image: Image, side: int, max_zoom: float, rng: np.random.Generator) -> Image:
    """Cut a random square out of an image, scale it to (side, side, 3), and mirror it half of the time.

    The square measures 1 to `max_zoom` times `side`, or all of the image's short side where that is smaller.
    """
    short = min(image.shape[:2])
    window = min(short, round(side * rng.uniform(1, max_zoom)))
    top, left = (int(rng.integers(length - window + 1)) for length in image.shape[:2])
    cut = resize(image[top : top + window, left : left + window], (side, side))
    return np.ascontiguousarray(cut[:, ::-1] if rng.integers(2) else cut)


def _to_stderr(message: str) -> None:
    print(message, file=sys.stderr)  # above the progress bar, which redraws itself
