"""How close the built-in weights come to the released ones: PSNR, SSIM and flat share at working size 720.

    python benchmarks/fidelity.py --teacher whitebox

Every picture is measured after the guided filter, against the teacher's after the guided filter; the untouched
photo is the first row. Figures are means over photos. The flat share is that of pixels whose luma gradient
(Sobel/8) is below one level; the teacher's own is given to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from tqdm import tqdm

from cartoonize import Cartoonizer
from cartoonize.generators.weights import BUILTIN
from cartoonize.method.pixels import Image, resize, working_shape
from cartoonize.training.distillation.fidelity import Fidelity, flat_share, mean, measure
from cartoonize.training.distillation.teacher import read_held_out
from cartoonize.training.photos import read_photo

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
PATH = click.Path(exists=True, path_type=Path)


@click.command(help=__doc__)
@click.option("--weights", multiple=True, default=BUILTIN, show_default=True, help="Repeat to compare several.")
@click.option("--teacher", default="whitebox", show_default=True, help="Weights to be close to.")
@click.option("--samples", type=PATH, default=SHARED / "samples", show_default="../shared/samples")
@click.option(
    "--photos", type=PATH, default=SHARED / "data" / "photos_large", show_default="../shared/data/photos_large"
)
@click.option("--held-out", type=PATH, default=ROOT / "weights" / "held_out.txt", show_default="weights/held_out.txt")
def main(weights: tuple[str, ...], teacher: str, samples: Path, photos: Path, held_out: Path) -> None:
    """Print one table per set of photos."""
    candidates: dict[str, Callable[[Image], Image]] = {"photo": _untouched}
    candidates |= {name: Cartoonizer(name, output_size="work") for name in weights}
    reference = Cartoonizer(teacher, output_size="work")
    sets = {
        "samples": sorted(samples.glob("*.jpg")),
        "held-out photos": [photos / name for name in read_held_out(held_out).values()],
    }
    for title, paths in sets.items():
        _print_table(f"{title} ({len(paths)})", paths, candidates, reference)


def _untouched(photo: Image) -> Image:
    return resize(photo, working_shape((photo.shape[0], photo.shape[1]), None))


def _print_table(
    title: str,
    paths: Iterable[Path],
    candidates: dict[str, Callable[[Image], Image]],
    reference: Callable[[Image], Image],
) -> None:
    reached: dict[str, list[Fidelity]] = {name: [] for name in candidates}
    flat = []
    for path in tqdm(paths, title, unit=" photo", leave=False, disable=None):
        photo = read_photo(path)
        goal = reference(photo)
        flat.append(flat_share(goal))
        for name, cartoonize in candidates.items():
            reached[name].append(measure(cartoonize(photo), goal))
    click.echo(f"{title:32}  PSNR dB    SSIM  flat %")
    for name, figures in reached.items():
        average = mean(figures)
        click.echo(f"  {name:30}  {average.psnr:7.2f}  {average.ssim:6.4f}  {100 * average.flat:6.1f}")
    click.echo(f"  {'(teacher)':30}  {'':7}  {'':6}  {100 * sum(flat) / len(flat):6.1f}")


if __name__ == "__main__":
    main()
