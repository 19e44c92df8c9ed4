"""The generators as Keras models: RGB float32 (N, H, W, 3) in nominal [-1, 1] to the same, H and W multiples of 4.

`build_unet` is the paper's network, `build_compact` the smaller student behind the built-in weights.
Both are fully convolutional, have no normalisation layer and do not clip their output.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from cartoonize.generators.architecture_names import ArchitectureName

_COLORS = 12  # filters of the compact generators' last convolution: of four pixels
LEAKY_SLOPE = 0.2  # Keras' own default is 0.3
_BLOCK = re.compile(r"(block|fine)\d+[ab]")  # the convolutions of a residual block in the compact generators

Shape: TypeAlias = tuple[int | None, ...]


@keras.saving.register_keras_serializable("cartoonize")
class LegacyBilinearUp2(layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Bilinear upsampling by 2 as TensorFlow 1 did it: out[2i] = in[i], out[2i+1] = mean(in[i], in[i+1]).

    Keras' `UpSampling2D` samples at half-pixel centres and gives another picture with the released weights.
    """

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Apply the operation."""
        size = 2 * tf.shape(x)[1:3]
        return tf.raw_ops.ResizeBilinear(images=x, size=size, align_corners=False, half_pixel_centers=False)

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; None stands for any size."""
        batch, height, width, channels = shape
        return (batch, height and 2 * height, width and 2 * width, channels)


@keras.saving.register_keras_serializable("cartoonize")
class SpaceToDepth(layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Fold 2x2 pixels into channels: (N, H, W, C) to (N, H/2, W/2, 4C)."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Apply the operation."""
        return tf.nn.space_to_depth(x, 2)

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; None stands for any size."""
        batch, height, width, channels = shape
        return (batch, height and height // 2, width and width // 2, channels and 4 * channels)


@keras.saving.register_keras_serializable("cartoonize")
class DepthToSpace(layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Undo `SpaceToDepth`: (N, H, W, 4C) to (N, 2H, 2W, C)."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """Apply the operation."""
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the output's shape; None stands for any size."""
        batch, height, width, channels = shape
        return (batch, height and 2 * height, width and 2 * width, channels and channels // 4)


def _conv(x: keras.KerasTensor, filters: int, size: int, name: str, stride: int = 1) -> keras.KerasTensor:
    return layers.Conv2D(filters, size, stride, padding="same", name=name)(x)


def _leaky(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.LeakyReLU(negative_slope=LEAKY_SLOPE)(x)


def _conv_leaky(x: keras.KerasTensor, filters: int, size: int, name: str, stride: int = 1) -> keras.KerasTensor:
    return _leaky(_conv(x, filters, size, name, stride))


def build_unet(channels: int = 32, blocks: int = 4) -> keras.Model:
    """Build the paper's U-Net generator (Wang & Yu 2020, section 3.4; the release's sizes).

    Layer names are the release's variable scopes in lower case (`conv` ... `conv_9`, `block_N_conv1`).
    1,467,075 parameters at the default sizes.
    """
    c = channels
    photo = keras.Input((None, None, 3), name="photo")
    x0 = _conv_leaky(photo, c, 7, "conv")
    x1 = _conv_leaky(x0, c, 3, "conv_1", stride=2)
    x1 = _conv_leaky(x1, 2 * c, 3, "conv_2")
    x2 = _conv_leaky(x1, 2 * c, 3, "conv_3", stride=2)
    x2 = _conv_leaky(x2, 4 * c, 3, "conv_4")
    for n in range(blocks):
        inner = _conv_leaky(x2, 4 * c, 3, f"block_{n}_conv1")
        x2 = layers.Add()([x2, _conv(inner, 4 * c, 3, f"block_{n}_conv2")])
    x2 = _conv_leaky(x2, 2 * c, 3, "conv_5")
    x3 = layers.Add()([LegacyBilinearUp2()(x2), x1])
    x3 = _conv_leaky(x3, 2 * c, 3, "conv_6")
    x3 = _conv_leaky(x3, c, 3, "conv_7")
    x4 = layers.Add()([LegacyBilinearUp2()(x3), x0])
    x4 = _conv_leaky(x4, c, 3, "conv_8")
    return keras.Model(photo, layers.Conv2D(3, 7, padding="same", dtype="float32", name="conv_9")(x4), name="unet")


def build_compact(channels: int = 32, blocks: int = 6, fine_blocks: int = 0, *, ink: bool = False) -> keras.Model:
    """Build the compact generator: space-to-depth stems, a residual trunk at a quarter of the size, the photo added.

    fine_blocks: residual blocks at half of the size after the trunk, for lines as thin as a pixel. 541,452 parameters
    without them, and about a quarter of the U-Net's time per picture. ink: draw a fourth channel, how much ink lies on
    a pixel, in [0, 1] (`method.inking`), with 1,156 parameters more.
    """
    c = channels
    photo = keras.Input((None, None, 3), name="photo")
    s1 = _conv_leaky(SpaceToDepth()(photo), c, 3, "stem1")
    trunk = _conv_leaky(SpaceToDepth()(s1), 2 * c, 3, "stem2")
    for n in range(blocks):
        trunk = _residual(trunk, 2 * c, f"block{n}")
    up = DepthToSpace()(_conv(_leaky(trunk), 4 * c, 1, "up"))
    merged = _conv_leaky(layers.Add()([up, s1]), c, 3, "merge")
    for n in range(fine_blocks):
        merged = _residual(merged, c, f"fine{n}")
    # Colours and ink in one convolution: processors take 16 filters at a time, so that ink costs nothing.
    out = _conv(merged, _COLORS + 4 if ink else _COLORS, 3, "out")
    # In half precision the photo would lose its finest shades.
    drawn = layers.Add(dtype="float32")([DepthToSpace()(out[..., :_COLORS] if ink else out), photo])
    if ink:
        lines = layers.Activation("sigmoid", dtype="float32")(DepthToSpace()(out[..., _COLORS:]))
        drawn = layers.Concatenate(dtype="float32")([drawn, lines])
    return keras.Model(photo, drawn, name="compact")


def _residual(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    inner = _conv_leaky(x, channels, 3, f"{name}a")
    return layers.Add()([x, _conv(inner, channels, 3, f"{name}b")])


def deepen(shallow: keras.Model, deep: keras.Model) -> None:
    """Put a generator's weights into one with the same layers or more blocks, which draws the same from then on.

    The first convolution of each added block keeps what it begins with, the second one becomes 0.
    Raises ValueError when `deep` differs in anything but added blocks.
    """
    layers_of, deep_layers = ({la.name: la for la in m.layers if la.weights} for m in (shallow, deep))
    added = deep_layers.keys() - layers_of.keys()
    if layers_of.keys() - deep_layers.keys() or not all(_BLOCK.fullmatch(name) for name in added):
        raise ValueError(f"{shallow.name} and {deep.name} have other layers")
    for name, layer in layers_of.items():
        deep_layers[name].set_weights(layer.get_weights())
    for name in added:
        if name.endswith("b"):
            deep_layers[name].set_weights([np.zeros_like(w) for w in deep_layers[name].get_weights()])


def colors_alone(generator: keras.Model) -> keras.Model:
    """Return a generator that draws the colours of `generator` and no ink: itself where it draws none."""
    if generator.output_shape[-1] == 3:
        return generator
    plain = build_compact()
    for layer in plain.layers:
        if layer.weights:
            taken = generator.get_layer(layer.name).get_weights()
            layer.set_weights([w[..., :_COLORS] for w in taken] if layer.name == "out" else taken)
    return plain


ARCHITECTURES: dict[ArchitectureName, Callable[[], keras.Model]] = {
    "unet": build_unet,
    "compact": build_compact,
    "compact_deep": partial(build_compact, blocks=12, fine_blocks=3),
    "compact_ink": partial(build_compact, ink=True),
}
