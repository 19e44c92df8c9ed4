"""Where the time of a training step goes: 16 patches of 256 x 256, the default configuration.

Every part is timed alone and after the others, the whole step as `cartoonize train` takes it; in the step the
structure view is computed while the discriminators learn, so that it takes less than the sum of its parts. The steps of
the networks given are timed in turns. VGG19 has random numbers, which take as long as trained ones. At last come the
pictures a second of the input pipeline alone, for photos of 12 megapixels, beside a step's need.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, get_args

import click
import numpy as np
import skimage.data
import tensorflow as tf
from measure import header, median_seconds, save, seconds

from cartoonize.generators.architecture_names import ColorArchitecture
from cartoonize.method.pixels import to_network
from cartoonize.training.photos import read_picture
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.data import Batches, patch
from cartoonize.training.whitebox.gan import WhiteBoxGAN
from cartoonize.training.whitebox.losses import lsgan_generator, total_variation
from cartoonize.training.whitebox.run import session
from cartoonize.training.whitebox.tensor_views import surface, texture

PHOTOS = 64  # of the pipeline's folder


@click.command(help=__doc__)
@click.option("--patch-size", default=256, show_default=True)
@click.option("--batch", default=16, show_default=True)
@click.option("--generator", type=click.Choice(get_args(ColorArchitecture)), default="unet", show_default=True)
@click.option("--network", multiple=True, default=("lite0", "vgg19"), show_default=True, help="Of content features.")
@click.option("--precision", default="float32", show_default=True, help="Of the first network; others: float32.")
@click.option("--repeats", default=3, show_default=True)
def main(network: tuple[str, ...], precision: str, repeats: int, **keys: Any) -> None:
    """Print seconds and shares of a step."""
    header()
    with ExitStack() as stack:
        precisions = dict.fromkeys(network, "float32") | {network[0]: precision}
        models = {
            name: stack.enter_context(session(configuration(name, precision=precisions[name], **keys), print))
            for name in network
        }
        photos, cartoons = batch(keys["patch_size"], keys["batch"])
        steps = {name: partial(step, model, photos, cartoons) for name, model in models.items()}
        for take in steps.values():
            take()  # compiles
        times = [{name: seconds(take) for name, take in steps.items()} for _ in range(repeats)]
        whole = {name: statistics.median(turn[name] for turn in times) for name in models}
        for name, model in models.items():
            found = {part: median_seconds(run, repeats) for part, run in parts(model, photos, cartoons).items()}
            for part, took in (found | {"sum of the parts": sum(found.values())}).items():
                print(f"{name:6} {part:<62} {took:6.2f} s {100 * took / whole[name]:6.1f} % of a step")
    for name, took in whole.items():
        print(f"{name:6} {'whole step':<62} {took:6.2f} s, {1 / took:.3f} steps/s")
    if len(whole) == 2:
        one, other = network
        print(f"steps of {one} ({precision}) in the time of one of {other}: {whole[other] / whole[one]:.2f}")
    pipeline(keys["batch"], 2 * keys["batch"] / min(whole.values()))


def configuration(network: str, **keys: Any) -> TrainConfig:
    group = {"name": "benchmark", "photos": ".", "cartoons": "."}
    weights = "imagenet" if network == "lite0" else "random"
    return TrainConfig.model_validate(
        {"run": ".", "groups": [group], "features": {"network": network, "weights": weights}, **keys}
    )


def batch(side: int, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    rng = np.random.default_rng(0)
    photos, cartoons = (
        tf.constant(to_network(np.stack([patch(picture, side, 2, rng) for _ in range(size)])))
        for picture in (skimage.data.astronaut(), skimage.data.coffee())
    )
    return photos, cartoons


def step(model: WhiteBoxGAN, photos: tf.Tensor, cartoons: tf.Tensor) -> None:
    model.make_train_function()
    model.train_function(iter([(photos, cartoons)]))


def pipeline(size: int, need: float) -> None:
    """Print how fast patches come out of a folder of large photos: read anew each time, and as training has them."""
    with tempfile.TemporaryDirectory() as folder:
        files = [save(Path(folder) / f"{n:02}.jpg", 3000, 4000) for n in range(PHOTOS)]
        began = perf_counter()
        for path in files[:8]:
            patch(read_picture(path), 256, 2, np.random.default_rng(0))
        anew = 8 / (perf_counter() - began)
        group = {"name": "large", "photos": folder, "cartoons": folder}
        batches = Batches(TrainConfig.model_validate({"run": folder, "groups": [group], "batch": size}))
        rounds = 2 * PHOTOS // size
        times = []
        for first in (0, rounds, 2 * rounds):
            began = perf_counter()
            for _ in batches.dataset(first, first + rounds, cartoons=True):
                pass
            times.append(2 * size * rounds / (perf_counter() - began))
    print(
        f"pictures a second: one thread that decodes each anew {anew:.0f}; the first {2 * size * rounds} {times[0]:.0f}"
    )
    print(
        f"  later, kept at working size: {times[-1]:.0f}; a step needs {need:.0f}, so {times[-1] / need:.0f} times that"
    )


def parts(model: WhiteBoxGAN, photos: tf.Tensor, cartoons: tf.Tensor) -> dict[str, Callable[[], Any]]:
    """Return what a step is made of, each part ready to be run by itself."""
    drawn = tf.function(model)(photos)
    structure = tf.constant(model.views.structure(drawn.numpy()))
    smooth = surface(drawn)
    seed = tf.constant([0, 0], tf.int64)
    train = tf.function(model._train_discriminators)
    features = tf.function(model.views.features)

    def texture_loss(x: tf.Tensor) -> tf.Tensor:
        (channel,) = texture([x], seed, variant="release")
        return lsgan_generator(model.texture_discriminator(channel))

    losses = {
        "surface": lambda x: lsgan_generator(model.surface_discriminator(surface(x))),
        "texture": texture_loss,
        "features of the cartoons (structure, content)": lambda x: tf.add_n(
            [tf.reduce_mean(found) for found in model.views.features(x).content]
        ),
        "variation": total_variation,
    }
    return {
        "structure view (superpixels), on all cores": partial(model.views.structure, drawn.numpy()),
        "discriminators: losses, gradients, update": partial(train, cartoons, drawn, smooth, seed),
        **{f"{name}: loss, gradient": partial(slope(loss), drawn) for name, loss in losses.items()},
        "features of the structure": partial(features, structure),
        "features of the photos (content)": partial(features, photos),
        "generator: cartoons, gradients": partial(generator_gradients(model), photos),
    }


def slope(loss: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return the gradient of a loss with respect to what it looks at."""

    @tf.function
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = loss(x)
        return tape.gradient(total, x)

    return gradient


def generator_gradients(model: WhiteBoxGAN) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    @tf.function
    def gradients(photos: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            drawn = model(photos, training=True)
        return tape.gradient(drawn, model.generator.trainable_variables)

    return gradients


if __name__ == "__main__":
    main()
