"""How near the results of a training come to the cartoons it learned from, in texture and palette.

    python benchmarks/style.py --weights fast --weights runs/first/exports/step_00100000.tflite

Compared are patches of the results for the held-out photos and patches of the cartoons: histograms of gradient
magnitude (Sobel/8 of luma, texture) and of chroma (a and b of CIELAB, palette). The distance of two histograms is
half the sum of their differences, 0 for the same and 1 for nothing in common. `pairs` is its mean over all pairs
of a result's patch and a cartoon's; `pooled` is that of the two mean histograms. The untouched photos are the first
row; the last is the cartoons among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from tqdm import tqdm

from cartoonize import Cartoonizer
from cartoonize.method.pixels import Image, resize, working_shape
from cartoonize.training.distillation.teacher import read_held_out
from cartoonize.training.photos import photo_files, read_photo

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
PATH = click.Path(exists=True, path_type=Path)

PATCH = 128  # pixels
GRADIENT_EDGES = np.array([0, 0.5, 1, 2, 4, 8, 16, 32, np.inf])  # levels per pixel
CHROMA_EDGES = np.array([-128, *range(-56, 57, 8), 128])  # CIELAB units, for a and b each

Histogram = NDArray[np.float64]
Statistic = Callable[[Image], Histogram]


@click.command(help=__doc__)
@click.option("--weights", multiple=True, default=["fast"], show_default=True, help="Repeat to compare several.")
@click.option("--cartoons", type=PATH, default=DATA / "cartoons" / "scenery", show_default="those in ../shared")
@click.option("--photos", type=PATH, default=DATA / "photos_large", show_default="../shared/data/photos_large")
@click.option("--held-out", type=PATH, default=ROOT / "weights" / "held_out.txt", show_default="weights/held_out.txt")
def main(weights: tuple[str, ...], cartoons: Path, photos: Path, held_out: Path) -> None:
    """Print one table per statistic."""
    paths = [photos / name for name in read_held_out(held_out).values()]
    candidates: dict[str, Callable[[Image], Image]] = {"photo": _untouched}
    candidates |= {name: Cartoonizer(name, output_size="work") for name in weights}
    found = {
        name: _patches(cartoonize(read_photo(path)) for path in tqdm(paths, name, leave=False, disable=None))
        for name, cartoonize in candidates.items()
    }
    goal = _patches(read_photo(path) for path in photo_files(cartoons))
    found["(the cartoons)"] = goal
    for title, statistic in (("gradient magnitude", gradient_histogram), ("chroma", chroma_histogram)):
        _print_table(title, {name: _histograms(statistic, patches) for name, patches in found.items()}, statistic, goal)


def gradient_histogram(patch: Image) -> Histogram:
    """Return the shares of pixels by luma gradient of uint8 (H, W, 3)."""
    luma = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = (cv2.Sobel(luma, cv2.CV_32F, dx, 1 - dx, ksize=3, scale=1 / 8) for dx in (1, 0))
    return np.histogram(np.hypot(across, down), GRADIENT_EDGES)[0] / luma.size


def chroma_histogram(patch: Image) -> Histogram:
    """Return the shares of pixels by a and b of CIELAB of uint8 (H, W, 3), lightness left out."""
    lab = cv2.cvtColor(patch.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    counts = np.histogram2d(lab[..., 1].ravel(), lab[..., 2].ravel(), [CHROMA_EDGES] * 2)[0]
    return counts.ravel() / lab[..., 0].size


def _untouched(photo: Image) -> Image:
    return resize(photo, working_shape((photo.shape[0], photo.shape[1]), None))


def _patches(pictures: Iterable[Image]) -> list[Image]:
    """Cut pictures into squares side by side, what is left over at the borders left out."""
    return [
        picture[top : top + PATCH, left : left + PATCH]
        for picture in pictures
        for top in range(0, picture.shape[0] - PATCH + 1, PATCH)
        for left in range(0, picture.shape[1] - PATCH + 1, PATCH)
    ]


def _histograms(statistic: Statistic, patches: list[Image]) -> Histogram:
    return np.stack([statistic(patch) for patch in patches])


def _print_table(title: str, found: dict[str, Histogram], statistic: Statistic, goal: list[Image]) -> None:
    cartoons = _histograms(statistic, goal)
    click.echo(f"{title + ': distance to the cartoons':60}  pairs  pooled")
    for name, histograms in found.items():
        pairs = cdist(histograms, cartoons, "cityblock").mean() / 2
        pooled = np.abs(histograms.mean(axis=0) - cartoons.mean(axis=0)).sum() / 2
        click.echo(f"  {name:58}  {pairs:5.3f}  {pooled:6.3f}")


if __name__ == "__main__":
    main()
