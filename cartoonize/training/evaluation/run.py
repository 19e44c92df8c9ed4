"""What `cartoonize evaluate` measures, for several weights side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from cartoonize.cartoonizer import Cartoonizer
from cartoonize.errors import DatasetError, DecodeError
from cartoonize.method.pixels import Image, resize, working_shape
from cartoonize.training.evaluation.distances import Estimate, estimate, fid, kid, mean
from cartoonize.training.evaluation.inception import PUBLISHED
from cartoonize.training.evaluation.looking import Eye, Seen, content_ratio
from cartoonize.training.photos import photo_files, read_picture

UNTOUCHED = "(photos)"
OTHER_INCEPTION = "inception with other weights"
FEWEST = 10  # pictures; of fewer nothing can be said


class Measured(NamedTuple):
    """What there is to say of a look; distances None where they would be of a set to itself.

    content: distance to the own photo over that to others. flat: share of flat pixels.
    """

    name: str
    fid_cartoons: Estimate
    kid_cartoons: Estimate
    fid_photos: Estimate | None
    kid_photos: Estimate | None
    content: Estimate | None
    flat: Estimate


class Evaluation(NamedTuple):
    """What was found of every look, and with which features: "lite0", "inception" or OTHER_INCEPTION."""

    looks: list[Measured]
    features: str


class Folder:
    """Some pictures of a folder, evenly out of all; those that cannot be read are reported once and left out.

    Raises DatasetError where there are too few.
    """

    def __init__(self, folder: Path, count: int, report: Callable[[str], None]) -> None:
        files = photo_files(folder)
        self._folder, self._report = folder, report
        self._check(len(files), "pictures found")
        self._files = [files[n] for n in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]

    def pictures(self, bar: str) -> Iterator[Image]:
        """Yield the pictures, uint8 (H, W, 3), the same ones each time; `bar` is the title of the progress bar."""
        broken = set()
        for path in tqdm(self._files, bar, disable=None):
            try:
                yield read_picture(path)
            except DecodeError as error:
                self._report(f"{path}: {error}; left out")
                broken.add(path)
        self._files = [path for path in self._files if path not in broken]
        self._check(len(self._files), "pictures that can be read")

    def _check(self, found: int, what: str) -> None:
        if found < FEWEST:
            raise DatasetError(f"{self._folder}: {found} {what}, at least {FEWEST} are needed")


def evaluate(photos: Folder, cartoons: Folder, weights: Iterable[str], inception: Path | None = None) -> Evaluation:
    """Measure the untouched photos and every look, on photos and cartoons.

    inception: a file of Inception's weights, for FID and KID; None is lite0.
    Raises DatasetError, WeightsError and EngineError.
    """
    looks: dict[str, Callable[[Image], Image]] = {
        name: Cartoonizer(name, output_size="work") for name in weights
    }  # all that is wrong with them, first
    eye = Eye(inception)
    goal = eye.see(cartoons.pictures("cartoons"))
    looks = {UNTOUCHED: _at_work} | looks
    seen = {name: eye.see(map(draw, photos.pictures(name))) for name, draw in looks.items()}
    measured = [_measured(name, found, seen[UNTOUCHED], goal) for name, found in seen.items()]
    return Evaluation(measured, _features(eye.source))


def _features(source: str | None) -> str:
    if source is None:
        return "lite0"
    return "inception" if source == PUBLISHED else OTHER_INCEPTION


def _at_work(photo: Image) -> Image:
    """Shrink a photo to the size at which the looks see it."""
    return resize(photo, working_shape((photo.shape[0], photo.shape[1]), None))


def _measured(name: str, found: Seen, photos: Seen, goal: Seen) -> Measured:
    itself = found is photos
    return Measured(
        name,
        estimate(fid, found.vectors, goal.vectors),
        estimate(kid, found.vectors, goal.vectors),
        None if itself else estimate(fid, found.vectors, photos.vectors),
        None if itself else estimate(kid, found.vectors, photos.vectors),
        None if itself else mean(content_ratio(found, photos)),
        mean(found.flat),
    )
