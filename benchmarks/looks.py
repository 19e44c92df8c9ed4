"""What a look and its knobs cost beside `fast`, in turns in one run, and how steady it is under noise.

    python benchmarks/looks.py --weights comic [--film FILM ...]

Times are medians of whole calls of `Cartoonizer`, 720 x 1080 and 24 megapixels. Noise: how much of a photo's noise of
sigma 2 is in the result, the root mean square of the difference of two results over that of the two photos. Films:
E_warp of neighbouring frames (`method.steadiness.warping_error`, times 1000) over the first two seconds.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from itertools import islice, pairwise
from pathlib import Path
from typing import TypeAlias

import av
import click
import numpy as np
from measure import header, photo, row, seconds
from numpy.typing import NDArray

from cartoonize import Cartoonizer
from cartoonize.method.comic import comic
from cartoonize.method.retouch import Retouch
from cartoonize.method.steadiness import warping_error
from cartoonize.training.photos import photo_files, read_photo

SIZES = {"720 x 1080": (720, 1080), "24 megapixels": (4000, 6000)}
KNOBS = {
    "--lines 2": Retouch(lines=2),
    "--keep-colors 0.5": Retouch(keep_colors=0.5),
    "--strength 0.7": Retouch(strength=0.7),
}
Draw: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
FRAMES = 50
SIGMA = 2.0  # levels
EXAMPLES = Path(__file__).parents[1] / "examples" / "photos"


@click.command(help=__doc__)
@click.option("--weights", default="comic", show_default=True, help="The look.")
@click.option("--repeats", default=7, show_default=True)
@click.option("--film", "films", multiple=True, type=click.Path(exists=True, path_type=Path))
@click.option("--photos", type=click.Path(exists=True, path_type=Path), default=EXAMPLES, help="For the noise.")
def main(weights: str, repeats: int, films: tuple[Path, ...], photos: Path) -> None:
    """Print the figures."""
    header()
    fast, look = Cartoonizer("fast"), Cartoonizer(weights)
    others = {weights: look} | {
        f"{name} {knob}": Cartoonizer(name, retouch=how) for name in ("fast", weights) for knob, how in KNOBS.items()
    }
    for title, shape in SIZES.items() if repeats else ():
        _compare(title, photo(*shape), fast, others, repeats)
    drawing: dict[str, Draw] = {"fast": fast, weights: look, "the comic procedure": comic}
    for film in films:
        frames = _frames(film)
        for name, draw in {"the film itself": np.asarray, **drawing}.items():
            row(f"{film.name}: {name}", 1000 * _warping(draw, frames), "E_warp / 1000")
    for name, draw in drawing.items():
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


def _frames(film: Path) -> list[NDArray[np.uint8]]:
    with av.open(film) as container:
        return [frame.to_ndarray(format="rgb24") for frame in islice(container.decode(video=0), FRAMES)]


def _warping(draw: Draw, frames: list[NDArray[np.uint8]]) -> float:
    drawn = [draw(frame) for frame in frames]
    pairs = zip(pairwise(frames), pairwise(drawn), strict=True)
    return float(np.nanmean([warping_error(photos, results) for photos, results in pairs]))


def _noise_gain(draw: Draw, picture: NDArray[np.uint8]) -> float:
    rng = np.random.default_rng(0)
    noisy = [np.clip(np.rint(picture + rng.normal(0, SIGMA, picture.shape)), 0, 255).astype(np.uint8) for _ in range(2)]
    drawn = [draw(each).astype(float) for each in noisy]
    before = np.subtract(*(each.astype(float) for each in noisy))
    return float(np.sqrt(np.mean((drawn[0] - drawn[1]) ** 2) / np.mean(before**2)))


if __name__ == "__main__":
    main()
