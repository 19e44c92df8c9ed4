"""Small generators of many kinds, as flatbuffers made by TensorFlow's own converter."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf

from cartoonize.generators.generator import Generator, described

RNG = np.random.default_rng(7)


def kernel(*shape: int) -> Any:
    return tf.constant(RNG.uniform(0.1, 1, shape) / np.prod(shape[:-1]), tf.float32)


def conv(x: Any, channels: int, size: int = 3, **options: Any) -> Any:
    options = {"strides": 1, "padding": "SAME"} | options
    return tf.nn.conv2d(x, kernel(size, size, x.shape[-1], channels), **options)


def strided_and_transposed(x: Any) -> Any:
    small = conv(conv(x, 8, strides=2), 8, strides=2)
    shape = tf.shape(x)
    up = tf.nn.conv2d_transpose(small, kernel(4, 4, 8, 8), [1, shape[1] // 2, shape[2] // 2, 8], 2)
    return tf.nn.conv2d_transpose(up, kernel(3, 3, 3, 8), [1, shape[1], shape[2], 3], 2)


def mirrored(x: Any) -> Any:
    return conv(tf.pad(x, [[0, 0], [3, 3], [3, 3], [0, 0]], "REFLECT"), 3, 7, padding="VALID")


def pooled(x: Any) -> Any:
    small = tf.nn.avg_pool2d(conv(x, 6), 2, 2, "SAME")
    large = tf.compat.v1.image.resize_nearest_neighbor(small, tf.shape(x)[1:3])
    return conv(tf.nn.relu(large), 3)


def half_pixel(x: Any) -> Any:
    small = conv(x, 6, strides=2)
    return conv(tf.image.resize(small, 2 * tf.shape(small)[1:3]), 3) + x


def dilated(x: Any) -> Any:
    return conv(tf.nn.depthwise_conv2d(x, kernel(3, 3, 3, 2), [1] * 4, "SAME"), 3, 3, dilations=2)


def split_and_joined(x: Any) -> Any:
    one, other = tf.split(conv(x, 8, 5), 2, axis=3)
    return conv(tf.concat([tf.tanh(one), conv(other, 4)], axis=3), 3)[..., :3] * 0.5 + x[:, :, :, ::1]


def blocks_of_three(x: Any) -> Any:
    return tf.nn.depth_to_space(conv(tf.nn.space_to_depth(x, 3), 27), 3)


def instance_norm(x: Any) -> Any:
    y = conv(x, 8)
    mean, variance = tf.nn.moments(y, [1, 2], keepdims=True)
    return conv((y - mean) * tf.math.rsqrt(variance + 1e-5), 3)


def cut_to_the_photo(x: Any) -> Any:
    size = tf.shape(x)
    return conv(tf.pad(x, [[0, 0], [0, 8], [0, 8], [0, 0]]), 3)[:, : size[1], : size[2]]


def squeeze(x: Any) -> Any:
    y = conv(x, 8, strides=2)
    y *= tf.sigmoid(tf.reduce_mean(y, [1, 2], keepdims=True))
    return tf.nn.depth_to_space(conv(y, 12), 2)


def attention(x: Any) -> Any:
    y = conv(x, 4)
    shape = tf.shape(y)
    flat = tf.reshape(y, [1, shape[1] * shape[2], 4])
    mixed = tf.linalg.matmul(tf.nn.softmax(tf.linalg.matmul(flat, flat, transpose_b=True)), flat)
    return conv(tf.reshape(mixed, [1, shape[1], shape[2], 4]), 3)


def grouped_and_cut(x: Any) -> Any:
    wide = tf.nn.conv2d(conv(x, 8), kernel(3, 3, 4, 12), 1, "VALID")
    padded = tf.pad(wide, [[0, 0], [3, 3], [2, 4], [0, 0]])
    return conv(padded[:, 2:-2, 1:-3, 4:10], 3)


def corners_aligned(x: Any) -> Any:
    small = conv(x, 3, strides=2)
    return tf.compat.v1.image.resize_bilinear(small, tf.shape(x)[1:3], align_corners=True)


def shrinking(x: Any) -> Any:
    return conv(x, 3, strides=2)


def another_size(x: Any) -> Any:
    return conv(x, 3, padding="VALID")


def unknown(x: Any) -> Any:
    return tf.math.sin(x)


def turned(x: Any) -> Any:
    return tf.reverse(x, [1])


@cache
def flatbuffer(graph: Callable[[Any], Any]) -> bytes:
    run = tf.function(graph, input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    content: bytes = converter.convert()
    return content


def generator(graph: Callable[[Any], Any]) -> Generator:
    return described(flatbuffer(graph))


EXPORTED = [  # written as ONNX and read back
    mirrored,
    pooled,
    half_pixel,
    strided_and_transposed,
    split_and_joined,
    dilated,
    blocks_of_three,
    instance_norm,
    squeeze,
]
