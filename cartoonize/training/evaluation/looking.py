"""Pictures -> features: what FID, KID and the distance of contents are taken of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.method.pixels import Image, resize, to_network
from cartoonize.training.distillation.fidelity import flat_share
from cartoonize.training.evaluation.distances import Vectors
from cartoonize.training.evaluation.inception import SIDE as INCEPTION_SIDE
from cartoonize.training.evaluation.inception import build_inception
from cartoonize.training.whitebox.lite0 import build_lite0

SIDE = 256  # pixels of the squares that lite0 looks at
BATCH = 8
_UNIT = 6.0  # about the mean size of a value in both maps: with it KID's kernel sees numbers near 1


class Seen(NamedTuple):
    """What is seen in n pictures.

    vectors: float64 (n, features), what FID and KID are taken of. maps: float16 (n, 40960), lite0's map at an eighth of
    the size. flat: (n,), shares of flat pixels at the pictures' own size.
    """

    vectors: Vectors
    maps: NDArray[np.float16]
    flat: NDArray[np.float64]


class Eye:
    """The networks that are the measure of pictures; raises WeightsError.

    Contents are always told apart by lite0 (see `training.whitebox.lite0`), in the middle square of a picture. The
    vectors are the means of its maps over all places, divided by 6 (152 numbers); or, where there is a file of
    Inception's weights, what that network sees (2048 numbers) in the whole picture, squeezed to its square as
    pytorch-fid does it.
    """

    def __init__(self, inception: Path | None = None) -> None:
        self._look = _function(build_lite0())
        self.source: str | None = None  # SHA-256 of what Inception's file was made of
        self._look_whole: Callable[[tf.Tensor], tf.Tensor] | None = None
        if inception:
            network, self.source = build_inception(inception)
            self._look_whole = _function(network)

    def see(self, pictures: Iterable[Image]) -> Seen:
        """Look at pictures, uint8 (H, W, 3) each."""
        seen = [self._batch(batch) for batch in _batches(pictures)]
        return Seen(*(np.concatenate(parts) for parts in zip(*seen, strict=True)))

    def _batch(self, pictures: list[Image]) -> Seen:
        squares = to_network(np.stack([middle(picture) for picture in pictures]))
        fine, coarse = (found.numpy() for found in self._look(tf.constant(squares)))
        if self._look_whole is None:
            means = [found.mean(axis=(1, 2), dtype=np.float64) for found in (fine, coarse)]
            vectors = np.concatenate(means, axis=1) / _UNIT
        else:
            vectors = self._look_whole(tf.stack([squeezed(picture) for picture in pictures])).numpy().astype(np.float64)
        maps = fine.reshape(len(pictures), -1).astype(np.float16)
        return Seen(vectors, maps, np.array([flat_share(picture) for picture in pictures]))


def squeezed(picture: Image) -> tf.Tensor:
    """Bring a picture to Inception's square, bilinear between the nearest pixels: float32 (299, 299, 3) in [-1, 1]."""
    return tf.image.resize(to_network(picture), (INCEPTION_SIDE, INCEPTION_SIDE), "bilinear", antialias=False)


def _function(network: keras.Model) -> Callable[[tf.Tensor], Any]:
    function: Callable[[tf.Tensor], Any] = tf.function(partial(network, training=False), reduce_retracing=True)
    return function


def _batches(pictures: Iterable[Image]) -> Iterator[list[Image]]:
    rest = iter(pictures)
    while batch := list(islice(rest, BATCH)):
        yield batch


def middle(picture: Image) -> Image:
    """Cut the largest square out of the middle and bring it to SIDE."""
    short = min(picture.shape[:2])
    top, left = ((length - short) // 2 for length in picture.shape[:2])
    return resize(picture[top : top + short, left : left + short], (SIDE, SIDE))


def content_ratio(cartoons: Seen, photos: Seen) -> NDArray[np.float64]:
    """Return (n,): each cartoon's distance to its own photo over its mean distance to all other photos.

    Mean |a - b| of the maps, as the loss has it: 0 is the photo itself, 1 any other.
    """
    count = len(photos.maps)
    ratios = np.empty(count)
    for n, cartoon in enumerate(cartoons.maps.astype(np.float32)):
        distances = np.array([np.abs(cartoon - photo).mean() for photo in photos.maps])
        ratios[n] = distances[n] * (count - 1) / (distances.sum() - distances[n])
    return ratios
