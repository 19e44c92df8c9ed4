"""Pictures -> features: what FID, KID and the distance of contents are taken of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.method.pixels import Image, resize, to_network
from cartoonize.training.distillation.fidelity import flat_share
from cartoonize.training.evaluation.distances import Vectors
from cartoonize.training.whitebox.lite0 import build_lite0

SIDE = 256  # pixels of the squares that are looked at
BATCH = 8
_UNIT = 6.0  # about the mean size of a value in both maps: with it KID's kernel sees numbers near 1


class Seen(NamedTuple):
    """What is seen in n pictures.

    vectors: float64 (n, 152), the means of lite0's maps over all places, divided by 6. maps: float16 (n, 40960), the
    map at an eighth of the size. flat: (n,), shares of flat pixels at the pictures' own size.
    """

    vectors: Vectors
    maps: NDArray[np.float16]
    flat: NDArray[np.float64]


class Eye:
    """lite0 (see `training.whitebox.lite0`) as the measure of pictures; raises WeightsError."""

    def __init__(self) -> None:
        network = build_lite0()
        self._look = tf.function(lambda pictures: network(pictures, training=False), reduce_retracing=True)

    def see(self, pictures: Iterable[Image]) -> Seen:
        """Look at the middle square of every picture, uint8 (H, W, 3)."""
        squares, flat = [], []
        for picture in pictures:
            squares.append(middle(picture))
            flat.append(flat_share(picture))
        found = [self._batch(squares[n : n + BATCH]) for n in range(0, len(squares), BATCH)]
        vectors, maps = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Seen(vectors, maps, np.array(flat))

    def _batch(self, squares: list[Image]) -> tuple[Vectors, NDArray[np.float16]]:
        fine, coarse = (found.numpy() for found in self._look(tf.constant(to_network(np.stack(squares)))))
        means = np.concatenate([found.mean(axis=(1, 2), dtype=np.float64) for found in (fine, coarse)], axis=1)
        return means / _UNIT, fine.reshape(len(squares), -1).astype(np.float16)


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
