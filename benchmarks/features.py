"""What the content networks see, and what their losses weigh at the start of a training.

    python benchmarks/features.py --photos PHOTOS [--vgg19 vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5]

Content: is a photo's cartoon by `fast`, as it is or in other colours (hues turned, less contrast), nearer to its photo
than to each of the others (the distance of the loss)? Shares of cartoons, for lite0, for lite0 with random numbers, and
for plain colours. Gradients: the size of what a term
asks of a drawing, a patch of `fast`'s cartoons, per network; without --vgg19 VGG19 has random numbers of He's scale.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import tensorflow as tf
from measure import header
from numpy.typing import NDArray

from cartoonize import Cartoonizer
from cartoonize.method.pixels import Image, resize, to_network
from cartoonize.training.photos import photo_files, read_photo
from cartoonize.training.whitebox.config import Features
from cartoonize.training.whitebox.data import patch
from cartoonize.training.whitebox.features import Maps, Network, build_features
from cartoonize.training.whitebox.losses import feature_distance
from cartoonize.training.whitebox.tensor_views import structure

PHOTOS = Path(__file__).parents[1] / ".." / "shared" / "data" / "photos"
PATH = click.Path(exists=True, path_type=Path)
PATCHES = 6


@click.command(help=__doc__)
@click.option("--photos", type=PATH, default=PHOTOS, show_default="../shared/data/photos")
@click.option("--count", default=200, show_default=True, help="Photos, evenly out of the folder.")
@click.option("--side", default=224, show_default=True, help="Pixels of the squares that are compared.")
@click.option("--vgg19", type=PATH, help="ImageNet's weights, a .h5.")
def main(photos: Path, count: int, side: int, vgg19: Path | None) -> None:
    """Print both tables."""
    header()
    files = photo_files(photos)
    chosen = [read_photo(files[n]) for n in np.linspace(0, len(files) - 1, count).astype(int)]
    cartoonize = Cartoonizer("fast")
    pairs = [(photo, cartoonize(photo)) for photo in chosen]
    networks: dict[str, Network] = {
        "lite0": build_features(Features()),
        "lite0, random numbers": build_features(Features(network="lite0", weights="random")),
        "colours, 8 x 8 means": means_of_colours,
    }
    print("nearest to their own photo are, of the cartoons:")
    seen, drawn = (np.stack([middle(picture, side) for picture in kind]) for kind in zip(*pairs, strict=True))
    turned = np.stack([recoloured(picture) for picture in drawn])
    for name, network in networks.items():
        same, other = (100 * share_recognised(network, to_network(seen), to_network(kind)) for kind in (drawn, turned))
        print(f"  {name:32} {same:6.1f} %, in other colours {other:6.1f} %")
    weights = "random" if vgg19 is None else str(vgg19)
    networks = {"vgg19": build_features(Features(network="vgg19", weights=weights)), "lite0": networks["lite0"]}
    gradients(networks, pairs)


def means_of_colours(pictures: tf.Tensor) -> Maps:
    means = [tf.nn.avg_pool2d(pictures, 8, 8, "SAME")]
    return Maps(means, means)


def middle(picture: Image, side: int) -> Image:
    """Cut the largest square out of the middle, and shrink it."""
    short = min(picture.shape[:2])
    top, left = ((length - short) // 2 for length in picture.shape[:2])
    return resize(picture[top : top + short, left : left + short], (side, side))


def recoloured(picture: Image) -> Image:
    """Give red's place to green, green's to blue, blue's to red, and pull all levels to the middle by a third."""
    return (picture[:, :, (2, 0, 1)] * (2 / 3) + 128 / 3).astype(np.uint8)


def share_recognised(network: Network, photos: NDArray[np.float32], cartoons: NDArray[np.float32]) -> float:
    seen, drawn = (in_batches(network, pictures) for pictures in (photos, cartoons))
    right = 0
    for n in range(len(photos)):
        # A term is the mean over the batch: of one picture at a time here.
        distances = sum(np.abs(a - b[n]).mean(axis=(1, 2, 3)) / b[n].size for a, b in zip(seen, drawn, strict=True))
        right += int(np.argmin(distances) == n)
    return right / len(photos)


def in_batches(network: Network, pictures: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    run = tf.function(network)
    parts = [
        [found.numpy() for found in run(tf.constant(pictures[n : n + 8])).content] for n in range(0, len(pictures), 8)
    ]
    return [np.concatenate(maps) for maps in zip(*parts, strict=True)]


def gradients(networks: dict[str, Network], pairs: list[tuple[Image, Image]]) -> None:
    """Print the gradient's size per network, term and map, at a weight of 1 (the release's is 200)."""
    cut = [
        [patch(picture, 256, 1.5, np.random.default_rng(n)) for picture in pair]
        for n, pair in enumerate(pairs[:PATCHES])
    ]
    photos, drawn = (to_network(np.stack(kind)) for kind in zip(*cut, strict=True))
    goals = {"content": photos, "structure": structure(drawn)}
    print(f"gradient of a term, {PATCHES} patches of 256 x 256: mean |slope| of a value drawn")
    for name, network in networks.items():
        for term, goal in goals.items():
            for n, size in enumerate(slopes(network, drawn, goal)):
                print(f"  {name:8} {term:10} map {n} {size:.3e}")


def slopes(network: Network, drawn: NDArray[np.float32], goal: NDArray[np.float32]) -> list[float]:
    x = tf.constant(drawn)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        distances = [
            feature_distance([a], [b])
            for a, b in zip(network(x).content, network(tf.constant(goal)).content, strict=True)
        ]
    return [float(tf.reduce_mean(tf.abs(tape.gradient(distance, x)))) for distance in distances]


if __name__ == "__main__":
    main()
