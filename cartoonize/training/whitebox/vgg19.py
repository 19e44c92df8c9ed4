"""The paper's content network: VGG19 (Simonyan & Zisserman 2015) up to `block4_conv4`, before its activation."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import h5py
import keras
import numpy as np
from keras.applications import vgg19 as published

from cartoonize.errors import WeightsError, first_line

_LAYER = "block4_conv4"
_TIMEOUT = 10.0  # seconds without a byte


def build_vgg19(weights: Path | Literal["imagenet", "random"]) -> keras.Model:
    """Build the network: RGB float (N, H, W, 3) in [-1, 1] to features (N, H/8, W/8, 512), before the ReLU.

    weights: "imagenet", which Keras downloads once (80 MB) and keeps; a `.h5` file of Keras' VGG19, with its top or
    without; or "random", the same ones each time, for tests and trials: they know nothing of pictures.
    Raises WeightsError, within seconds, when the download is impossible or the file is no VGG19: call it before
    reading any data.
    """
    vgg = _imagenet() if weights == "imagenet" else published.VGG19(include_top=False, weights=None)
    last = vgg.get_layer(_LAYER)
    last.activation = keras.activations.linear
    network = keras.Model(vgg.input, last.output)
    if isinstance(weights, Path):
        _load(network, weights)
    elif weights == "random":
        _randomize(network)
    image = keras.Input((None, None, 3), name="image")
    levels = (image + 1) * (255 / 2)
    return keras.Model(image, network(published.preprocess_input(levels)), name="vgg19")


def _imagenet() -> keras.Model:
    try:
        with _socket_timeout(_TIMEOUT):
            return published.VGG19(include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare one
        raise WeightsError(
            f"VGG19's ImageNet weights cannot be downloaded ({first_line(error)}); expected a connection, or the "
            "path of a copy (vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5) in the configuration's features.weights"
        ) from error


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Limit the silence that Keras' download bears, to which it sets no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _load(network: keras.Model, path: Path) -> None:
    try:
        with h5py.File(path) as file:
            saved = set(file.get("model_weights", file))
        if missing := [layer.name for layer in network.layers if layer.weights and layer.name not in saved]:
            raise ValueError(f"no layer {missing[0]}")
        network.load_weights(path, by_name=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: expected a .h5 file of Keras' VGG19 weights ({first_line(error)})") from error


def _randomize(network: keras.Model) -> None:
    """Draw kernels that keep the size of what passes through (He et al. 2015), whatever Keras' seed is."""
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if layer.weights:
            shape = layer.kernel.shape
            layer.kernel.assign(rng.normal(scale=np.sqrt(2 / np.prod(shape[:3])), size=shape))
