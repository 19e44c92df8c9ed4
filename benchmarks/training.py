"""Where the time of a training step goes: 16 patches of 256 x 256, the default configuration.

Every part is timed alone and after the others, the whole step as `cartoonize train` takes it; in the step the
structure view is computed while the discriminators learn, so that it takes less than the sum of its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import click
import numpy as np
import skimage.data
import tensorflow as tf
from measure import header, median_seconds

from cartoonize.method.pixels import to_network
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.data import patch
from cartoonize.training.whitebox.gan import WhiteBoxGAN
from cartoonize.training.whitebox.losses import lsgan_generator, total_variation
from cartoonize.training.whitebox.run import session
from cartoonize.training.whitebox.tensor_views import surface, texture


@click.command(help=__doc__)
@click.option("--patch-size", default=256, show_default=True)
@click.option("--batch", default=16, show_default=True)
@click.option("--generator", type=click.Choice(["unet", "compact"]), default="unet", show_default=True)
@click.option("--repeats", default=3, show_default=True)
def main(patch_size: int, batch: int, generator: str, repeats: int) -> None:
    """Print seconds and shares of a step."""
    header()
    group = {"name": "benchmark", "photos": ".", "cartoons": "."}
    config = TrainConfig.model_validate(
        {"run": ".", "groups": [group], "patch_size": patch_size, "batch": batch, "generator": generator}
        | {"features": {"weights": "random"}}
    )
    rng = np.random.default_rng(0)
    photos, cartoons = (
        tf.constant(to_network(np.stack([patch(picture, patch_size, 2, rng) for _ in range(batch)])))
        for picture in (skimage.data.astronaut(), skimage.data.coffee())
    )
    with session(config) as model:
        model.make_train_function()
        step = median_seconds(lambda: model.train_function(iter([(photos, cartoons)])), repeats)
        found = {name: median_seconds(run, repeats) for name, run in parts(model, photos, cartoons).items()}
    for name, seconds in (found | {"sum of the parts": sum(found.values())}).items():
        print(f"{name:<62} {seconds:6.2f} s {100 * seconds / step:6.1f} % of a step")
    print(f"{'whole step':<62} {step:6.2f} s, {1 / step:.3f} steps/s")


def parts(model: WhiteBoxGAN, photos: tf.Tensor, cartoons: tf.Tensor) -> dict[str, Callable[[], Any]]:
    """Return what a step is made of, each part ready to be run by itself."""
    drawn = tf.function(model)(photos)
    structure = tf.constant(model.views.structure(drawn.numpy()))
    seed = tf.constant([0, 0], tf.int64)
    train = tf.function(model._train_discriminators)
    features = tf.function(model.views.features)

    def texture_loss(x: tf.Tensor) -> tf.Tensor:
        (channel,) = texture([x], seed, variant="release")
        return lsgan_generator(model.texture_discriminator(channel))

    losses = {
        "surface": lambda x: lsgan_generator(model.surface_discriminator(surface(x))),
        "texture": texture_loss,
        "features of the cartoons (structure, content)": lambda x: tf.reduce_mean(model.views.features(x)),
        "variation": total_variation,
    }
    return {
        "structure view (superpixels), on all cores": partial(model.views.structure, drawn.numpy()),
        "discriminators: losses, gradients, update": partial(train, cartoons, drawn, seed),
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
