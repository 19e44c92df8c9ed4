"""How close built-in weights come to their teacher: PSNR, SSIM, flat share and lines at working size 720.

    python benchmarks/fidelity.py                                    # fast and quality to the released weights
    python benchmarks/fidelity.py --procedure comic --weights comic  # comic to the procedure that taught it

Every picture is measured as the product finishes it, guided filter and ink, against the teacher's finished alike; the
untouched photo is the first row. Figures are means over photos. The flat share is that of pixels whose luma gradient
(Sobel/8) is below one level; the teacher's own is given to compare with. Lines: the F1 score of inked pixels within a
pixel of the other's, where both draw ink.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import click
from tqdm import tqdm

from cartoonize import Cartoonizer
from cartoonize.method.comic import ComicLook
from cartoonize.method.pixels import Image, resize, working_shape
from cartoonize.training.distillation.fidelity import Fidelity, flat_share, mean, measure
from cartoonize.training.distillation.line_agreement import line_agreement
from cartoonize.training.distillation.measuring import Finished, finished
from cartoonize.training.distillation.teacher import read_held_out
from cartoonize.training.distillation.teachers import draw_comic
from cartoonize.training.photos import read_photo

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
Draw: TypeAlias = Callable[[Image], Finished]
PATH = click.Path(exists=True, path_type=Path)


@click.command(help=__doc__)
@click.option("--weights", multiple=True, default=("fast", "quality"), show_default=True, help="Repeat for several.")
@click.option("--teacher", default="whitebox", show_default=True, help="Weights to be close to.")
@click.option("--procedure", type=click.Choice(["comic"]), help="To be close to instead of the teacher.")
@click.option("--samples", type=PATH, default=SHARED / "samples", show_default="../shared/samples")
@click.option(
    "--photos", type=PATH, default=SHARED / "data" / "photos_large", show_default="../shared/data/photos_large"
)
@click.option("--held-out", type=PATH, default=ROOT / "weights" / "held_out.txt", show_default="weights/held_out.txt")
def main(
    weights: tuple[str, ...], teacher: str, procedure: str | None, samples: Path, photos: Path, held_out: Path
) -> None:
    """Print one table per set of photos."""
    candidates = {name: partial(_drawn_by, Cartoonizer(name)) for name in weights}
    reference = _drawn_by_comic if procedure else partial(_drawn_by, Cartoonizer(teacher))
    sets = {
        "samples": sorted(samples.glob("*.jpg")),
        "held-out photos": [photos / name for name in read_held_out(held_out).values()],
    }
    for title, paths in sets.items():
        _print_table(f"{title} ({len(paths)})", paths, candidates, reference)


def _drawn_by(cartoonizer: Cartoonizer, work: Image) -> Finished:
    return finished(work, cartoonizer.generate(work)[1])


def _drawn_by_comic(work: Image) -> Finished:
    return finished(work, draw_comic(ComicLook(), work))


def _print_table(title: str, paths: Iterable[Path], candidates: dict[str, Draw], reference: Draw) -> None:
    reached: dict[str, list[Fidelity]] = {name: [] for name in ("photo", *candidates)}
    lines: dict[str, list[float]] = {name: [] for name in reached}
    flat = []
    for path in tqdm(paths, title, unit=" photo", leave=False, disable=None):
        photo = read_photo(path)
        work = resize(photo, working_shape((photo.shape[0], photo.shape[1]), None))
        goal = reference(work)
        flat.append(flat_share(goal.picture))
        reached["photo"].append(measure(work, goal.picture))
        for name, draw in candidates.items():
            drawn = draw(work)
            reached[name].append(measure(drawn.picture, goal.picture))
            if drawn.ink.any() or goal.ink.any():
                lines[name].append(line_agreement(drawn.ink, goal.ink))
    click.echo(f"{title:32}  PSNR dB    SSIM  flat %   lines")
    for name, figures in reached.items():
        average = mean(figures)
        agreement = f"{sum(lines[name]) / len(lines[name]):6.3f}" if lines[name] else "-"
        click.echo(f"  {name:30}  {average.psnr:7.2f}  {average.ssim:6.4f}  {100 * average.flat:6.1f}  {agreement:>6}")
    click.echo(f"  {'(teacher)':30}  {'':7}  {'':6}  {100 * sum(flat) / len(flat):6.1f}")


if __name__ == "__main__":
    main()
