"""The frozen networks that content and structure are compared with, in one form: pictures to a list of maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

import keras
import tensorflow as tf

from cartoonize.training.whitebox.config import Features
from cartoonize.training.whitebox.lite0 import build_lite0
from cartoonize.training.whitebox.vgg19 import build_vgg19

# What lite0's maps are multiplied by, so that each of both asks of a drawing half of what VGG19 asks, with the same
# weights of the losses; measured by `benchmarks/features.py`.
LITE0_SCALES = (0.045, 0.024)

Network: TypeAlias = Callable[[tf.Tensor], list[tf.Tensor]]


def build_features(config: Features) -> Network:
    """Build the frozen network: RGB float (N, H, W, 3) in [-1, 1] to maps of features (N, h, w, c).

    Raises WeightsError, within seconds, when the weights cannot be had: call it before reading any data.
    """
    if config.network == "vgg19":
        vgg19 = _frozen(build_vgg19(_weights(config.weights)))
        return lambda pictures: [vgg19(pictures)]
    lite0 = _frozen(build_lite0(random=config.weights == "random"))
    return lambda pictures: [found * scale for found, scale in zip(lite0(pictures), LITE0_SCALES, strict=True)]


def _frozen(network: keras.Model) -> keras.Model:
    network.trainable = False
    return network


def _weights(name: str) -> Path | Literal["imagenet", "random"]:
    if name == "imagenet":
        return "imagenet"
    return "random" if name == "random" else Path(name)
