"""What `cartoonize evaluate` measures, for several weights side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from cartoonize.cartoonizer import Cartoonizer
from cartoonize.errors import DatasetError
from cartoonize.method.pixels import Image, resize, working_shape
from cartoonize.training.evaluation.distances import Estimate, estimate, fid, kid, mean
from cartoonize.training.evaluation.inception import PUBLISHED
from cartoonize.training.evaluation.looking import Eye, Seen, content_ratio
from cartoonize.training.photos import photo_files, read_photo

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


def evaluate(
    photos: Path, cartoons: Path, weights: Iterable[str], count: int, inception: Path | None = None
) -> Evaluation:
    """Measure the untouched photos and every look, on `count` photos and cartoons evenly out of their folders.

    inception: a file of Inception's weights, for FID and KID; None is lite0.
    Raises DatasetError, WeightsError and EngineError.
    """
    looks: dict[str, Callable[[Image], Image]] = {
        name: Cartoonizer(name, output_size="work") for name in weights
    }  # all that is wrong with them, first
    files, art = (_some(folder, count) for folder in (photos, cartoons))
    eye = Eye(inception)
    goal = eye.see(read_photo(path) for path in tqdm(art, "cartoons", disable=None))
    looks = {UNTOUCHED: _at_work} | looks
    seen = {name: eye.see(_drawn(files, name, draw)) for name, draw in looks.items()}
    measured = [_measured(name, found, seen[UNTOUCHED], goal) for name, found in seen.items()]
    return Evaluation(measured, _features(eye.source))


def _features(source: str | None) -> str:
    if source is None:
        return "lite0"
    return "inception" if source == PUBLISHED else OTHER_INCEPTION


def _some(folder: Path, count: int) -> list[Path]:
    files = photo_files(folder)
    if len(files) < FEWEST:
        raise DatasetError(f"{folder}: {len(files)} pictures found, at least {FEWEST} are needed")
    return [files[n] for n in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]


def _drawn(files: Sequence[Path], name: str, draw: Callable[[Image], Image]) -> Iterator[Image]:
    for path in tqdm(files, name, disable=None):
        yield draw(read_photo(path))


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
