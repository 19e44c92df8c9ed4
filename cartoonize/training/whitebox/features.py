"""The frozen networks that content, structure and style are compared with, in one form: pictures to maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import keras
import tensorflow as tf

from cartoonize.training.whitebox.config import Features
from cartoonize.training.whitebox.lite0 import STYLE_TAPS, TAPS, build_lite0
from cartoonize.training.whitebox.vgg19 import build_vgg19

# What lite0's maps are multiplied by, so that each of both asks of a drawing half of what VGG19 asks, with the same
# weights of the losses; measured by `benchmarks/features.py`.
LITE0_SCALES = (0.045, 0.024)


class Maps(NamedTuple):
    """Features of a batch, each (N, h, w, c): what content and structure are compared by, and what style is."""

    content: list[tf.Tensor]
    style: list[tf.Tensor]


Network: TypeAlias = Callable[[tf.Tensor], Maps]


def build_features(config: Features) -> Network:
    """Build the frozen network: RGB float (N, H, W, 3) in [-1, 1] to maps of features.

    Raises WeightsError, within seconds, when the weights cannot be had: call it before reading any data.
    """
    if config.network == "vgg19":
        vgg19 = _frozen(build_vgg19(_weights(config.weights)))

        def look_vgg19(pictures: tf.Tensor) -> Maps:
            found = vgg19(pictures)
            return Maps([found], [found])

        return look_vgg19
    lite0 = _frozen(build_lite0(random=config.weights == "random", taps=STYLE_TAPS))

    def look(pictures: tf.Tensor) -> Maps:
        found = dict(zip(STYLE_TAPS, lite0(pictures), strict=True))
        content = [found[tap] * scale for tap, scale in zip(TAPS, LITE0_SCALES, strict=True)]
        return Maps(content, list(found.values()))

    return look


def _frozen(network: keras.Model) -> keras.Model:
    network.trainable = False
    return network


def _weights(name: str) -> Path | Literal["imagenet", "random"]:
    if name == "imagenet":
        return "imagenet"
    return "random" if name == "random" else Path(name)
