"""What a look and its knobs cost beside `fast`, in turns in one run, and how steady it is under noise.

    python benchmarks/looks.py --weights comic

Times are medians of whole calls of `Cartoonizer`, 720 x 1080 and 24 megapixels. Noise: how much of a photo's noise of
sigma 2 is in the result, the root mean square of the difference of two results over that of the two photos.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import click
import numpy as np
from measure import header, photo, row, seconds
from numpy.typing import NDArray

from cartoonize import Cartoonizer
from cartoonize.method.comic import comic
from cartoonize.method.retouch import Retouch
from cartoonize.training.photos import photo_files, read_photo

SIZES = {"720 x 1080": (720, 1080), "24 megapixels": (4000, 6000)}
KNOBS = {
    "--lines 2": Retouch(lines=2),
    "--keep-colors 0.5": Retouch(keep_colors=0.5),
    "--strength 0.7": Retouch(strength=0.7),
}
SIGMA = 2.0  # levels
EXAMPLES = Path(__file__).parents[1] / "examples" / "photos"


@click.command(help=__doc__)
@click.option("--weights", default="comic", show_default=True, help="The look.")
@click.option("--repeats", default=7, show_default=True)
@click.option("--photos", type=click.Path(exists=True, path_type=Path), default=EXAMPLES, help="For the noise.")
def main(weights: str, repeats: int, photos: Path) -> None:
    """Print the figures."""
    header()
    fast, look = Cartoonizer("fast"), Cartoonizer(weights)
    others = {weights: look} | {
        f"{name} {knob}": Cartoonizer(name, retouch=how) for name in ("fast", weights) for knob, how in KNOBS.items()
    }
    for title, shape in SIZES.items():
        _compare(title, photo(*shape), fast, others, repeats)
    for name, draw in {"fast": fast, weights: look, "the comic procedure": comic}.items():
        gains = [_noise_gain(draw, read_photo(path)) for path in photo_files(photos)]
        row(f"noise of sigma {SIGMA:g} in the result of {name}", float(np.mean(gains)), "of its size")


def _compare(
    title: str, picture: NDArray[np.uint8], fast: Cartoonizer, others: dict[str, Cartoonizer], repeats: int
) -> None:
    """Time everything in turns, so that what else the machine does falls on all alike."""
    runs = {"fast": fast, **others}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            taken = seconds(lambda run=run: run(picture))  # type: ignore[misc]
            if turn:  # the first is to warm up
                times[name].append(taken)
    row(f"{title}: fast", statistics.median(times["fast"]))
    for name in others:
        ratios = [one / base for one, base in zip(times[name], times["fast"], strict=True)]
        row(f"{title}: {name} / fast", statistics.median(ratios), "times")


def _noise_gain(draw: object, picture: NDArray[np.uint8]) -> float:
    rng = np.random.default_rng(0)
    noisy = [np.clip(np.rint(picture + rng.normal(0, SIGMA, picture.shape)), 0, 255).astype(np.uint8) for _ in range(2)]
    drawn = [draw(each).astype(float) for each in noisy]  # type: ignore[operator]
    before = np.subtract(*(each.astype(float) for each in noisy))
    return float(np.sqrt(np.mean((drawn[0] - drawn[1]) ** 2) / np.mean(before**2)))


if __name__ == "__main__":
    main()
