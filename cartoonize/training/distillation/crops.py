"""Batches of random crops of photos and of the teacher's pictures of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.generators.receptive_field import TRAINED
from cartoonize.method.pixels import to_network
from cartoonize.training.distillation.teacher import Example

Batch: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
PREFETCH = 8


class Crops:
    """Random square crops of examples; each batch is a function of the step alone, so a run resumes exactly.

    sources: examples of whole multiples of the networks' grid, none smaller than a crop, and the share of crops they
    provide. side: of a crop. margin: the ring of a crop that weighs nothing, because the student cannot see what the
    teacher saw beyond it; a side on the photo's border has none.
    """

    def __init__(self, sources: Sequence[tuple[list[Example], float]], side: int, margin: int, seed: int) -> None:
        self._sources = [examples for examples, _ in sources]
        shares = np.array([share for _, share in sources])
        self._shares = shares / shares.sum()
        self._side, self._margin, self._seed = side, margin, seed
        self._channels = self._sources[0][0].drawn.shape[2]

    def batch(self, step: int, size: int) -> Batch:
        """Return photos (size, side, side, 3), the teacher's pictures (3 or 4) and pixel weights (size, side, side)."""
        rng = np.random.default_rng([self._seed, step])
        crops = [self._crop(rng) for _ in range(size)]
        photos, drawn, weights = (np.stack(parts) for parts in zip(*crops, strict=True))
        return to_network(photos), drawn.astype(np.float32), weights

    def dataset(self, first_step: int, steps: int, size: int) -> tf.data.Dataset:
        """Return the batches of the steps from `first_step` to `steps`, prepared ahead of use."""
        shape = (size, self._side, self._side)
        signature = tuple(tf.TensorSpec(s, tf.float32) for s in ((*shape, 3), (*shape, self._channels), shape))

        def load(step: tf.Tensor) -> tuple[tf.Tensor, ...]:
            arrays = tf.numpy_function(lambda n: self.batch(int(n), size), [step], [tf.float32] * 3)
            return tuple(tf.ensure_shape(a, spec.shape) for a, spec in zip(arrays, signature, strict=True))

        return tf.data.Dataset.range(first_step, steps).map(load).prefetch(PREFETCH)

    def _crop(self, rng: np.random.Generator) -> tuple[NDArray[np.generic], ...]:
        examples = self._sources[rng.choice(len(self._sources), p=self._shares)]
        example = examples[rng.integers(len(examples))]
        starts = [self._start(rng, length) for length in example.photo.shape[:2]]
        window = tuple(slice(start, start + self._side) for start in starts)
        sides = (self._line(start, length) for start, length in zip(starts, example.photo.shape, strict=False))
        return example.photo[window], example.drawn[window], np.outer(*sides)

    def _start(self, rng: np.random.Generator, length: int) -> int:
        """Draw where a crop starts along a side of a photo of `length` pixels; half a crop over a border is moved in.

        Uniformly drawn starts would show a border of a large photo once in a hundred crops, and both networks see zeros
        beyond it.
        """
        # Both networks quarter the picture: off this grid the teacher would have drawn something else.
        last = length - self._side
        reach = self._side // 2
        start = min(max(int(rng.integers(-reach, last + reach + 1)), 0), last)
        return start - start % TRAINED.alignment

    def _line(self, start: int, length: int) -> NDArray[np.float32]:
        """Return the weights along one side of a crop that starts at `start` in a photo of `length` pixels."""
        line = np.ones(self._side, np.float32)
        if start > 0:
            line[: self._margin] = 0
        if start + self._side < length:
            line[self._side - self._margin :] = 0
        return line
