"""The content network that comes with the program: EfficientNet-Lite0 down to a sixteenth of the size.

Tan & Le 2019 without squeeze-and-excitation, trained on ImageNet by Google; `examples/lite0_features.py` made the file.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from cartoonize.errors import WeightsError, first_line
from cartoonize.generators.weights import builtin_folder

FILE = "lite0.npz"
MEAN, SCALE = 127.0, 128.0  # of levels 0 to 255, as the weights were trained with
# Of every block: the depthwise kernel's size, its stride, channels in the middle and out, whether the input is added.
BLOCKS = (
    (3, 1, 32, 16, False),
    (3, 2, 96, 24, False),
    (3, 1, 144, 24, True),
    (5, 2, 144, 40, False),
    (5, 1, 240, 40, True),
    (3, 2, 240, 80, False),
    (3, 1, 480, 80, True),
    (3, 1, 480, 80, True),
    (5, 1, 480, 112, False),
    (5, 1, 672, 112, True),
    (5, 1, 672, 112, True),
)
TAPS = (4, 10)  # blocks whose outputs, which have no activation, are the features
STYLE_TAPS = (0, 2, 4, 7, 10)  # at 1/2, 1/4, 1/8, 1/16 and 1/16: strokes as well as things


def build_lite0(*, random: bool = False, taps: tuple[int, ...] = TAPS) -> keras.Model:
    """Build the network: RGB float (N, H, W, 3) in [-1, 1] to features (N, H/8, W/8, 40) and (N, H/16, W/16, 112).

    random: the same random numbers each time in place of the trained ones. taps: blocks whose outputs are returned.
    Raises WeightsError.
    """
    image = keras.Input((None, None, 3), name="image")
    levels = (image + 1) * (255 / 2)
    x = _convolution(32, 3, "stem", stride=2)((levels - MEAN) / SCALE)
    x = layers.ReLU(6)(x)
    outputs = []
    for n, block in enumerate(BLOCKS):
        x = _block(x, n, *block)
        outputs.append(x)
    network = keras.Model(image, [outputs[tap] for tap in taps], name="lite0")
    _fill(network, None if random else _arrays())
    return network


def _convolution(filters: int, size: int, name: str, stride: int = 1) -> keras.Layer:
    return layers.Conv2D(filters, size, stride, padding="same", name=name)


def _block(
    x: keras.KerasTensor, n: int, size: int, stride: int, middle: int, out: int, residual: bool
) -> keras.KerasTensor:
    """Widen (but for the first), look around channel by channel, narrow: an inverted residual block."""
    inner = layers.ReLU(6)(_convolution(middle, 1, f"block{n}_expand")(x)) if n else x
    inner = layers.DepthwiseConv2D(size, stride, padding="same", name=f"block{n}_depthwise")(inner)
    inner = _convolution(out, 1, f"block{n}_project")(layers.ReLU(6)(inner))
    return layers.Add()([x, inner]) if residual else inner


def _arrays() -> dict[str, NDArray[np.float16]]:
    path = builtin_folder() / FILE
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path}: missing or damaged ({first_line(error)}); reinstall cartoonize") from error


def _fill(network: keras.Model, arrays: Mapping[str, NDArray[np.float16]] | None) -> None:
    rng = np.random.default_rng(0)
    for layer in network.layers:
        if not layer.weights:
            continue
        if arrays is not None:
            layer.set_weights([arrays[f"{layer.name}/kernel"], arrays[f"{layer.name}/bias"]])
        else:  # kernels that keep the size of what passes through (He et al. 2015)
            inputs = np.prod(layer.kernel.shape[:2]) * (1 if "depthwise" in layer.name else layer.kernel.shape[2])
            layer.kernel.assign(rng.normal(scale=np.sqrt(2 / inputs), size=layer.kernel.shape))
