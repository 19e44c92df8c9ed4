"""Generator + guided filter: the released graph run by TensorFlow against this program's engines."""

from __future__ import annotations

import argparse
import os
from functools import partial

import numpy as np
import tensorflow as tf
from devices import SHAPE, compare
from measure import header, median_seconds, photo, row
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from cartoonize import Cartoonizer
from cartoonize.generators.conversion import keras_model
from cartoonize.generators.weights import BUILTIN, locate
from cartoonize.method.guided_filter import EPS, RADIUS
from cartoonize.method.pixels import to_image, to_network


def box_mean(x: tf.Tensor) -> tf.Tensor:
    """As the release does it inside its graph: a depth-wise convolution, divided by the true window."""
    size = 2 * RADIUS + 1
    ones = tf.ones((size, size, x.shape[-1], 1))
    count = tf.nn.depthwise_conv2d(tf.ones_like(x[..., :1]), ones[:, :, :1], [1] * 4, "SAME")
    return tf.nn.depthwise_conv2d(x, ones, [1] * 4, "SAME") / count


def guided_filter(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    mean_x, mean_y = box_mean(x), box_mean(y)
    A = (box_mean(x * y) - mean_x * mean_y) / (box_mean(x * x) - mean_x * mean_x + EPS)
    b = mean_y - A * mean_x
    return box_mean(A) * x + box_mean(b)


def released_graph(weights: str) -> tf.types.experimental.ConcreteFunction:
    """The generator with the guided filter as one frozen graph."""
    model = keras_model(locate(weights))
    graph = tf.function(lambda x: guided_filter(x, model(x)))
    return convert_variables_to_constants_v2(graph.get_concrete_function(tf.TensorSpec((1, None, None, 3))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="whitebox", help="the released weights: whitebox, or a checkpoint's path")
    parser.add_argument("--shape", type=int, nargs=2, default=SHAPE, metavar=("HEIGHT", "WIDTH"))
    options = parser.parse_args()
    weights, shape = options.weights, tuple(options.shape)
    threads = os.cpu_count() or 1
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    header()
    image = photo(*shape)
    graph, ours = released_graph(weights), Cartoonizer(weights, size="full")

    def theirs() -> np.ndarray:
        return to_image(graph(tf.constant(to_network(image)[np.newaxis]))[0].numpy()[0])

    difference = np.abs(theirs().astype(int) - ours(image)).max()
    print(f"largest difference of the two pictures: {difference} level(s)")
    tensorflow, litert, alone = map(median_seconds, (theirs, partial(ours, image), partial(ours.generate, image)))
    row(f"released graph on TensorFlow, {threads} threads", tensorflow)
    row("the same weights, cartoonize", litert)
    row("  ratio", tensorflow / litert, "x")
    row("their generator alone", alone)
    for name in BUILTIN:
        built_in = Cartoonizer(name, size="full")
        whole, generator = map(median_seconds, (partial(built_in, image), partial(built_in.generate, image)))
        row(f"built-in weights `{name}`, cartoonize", whole)
        row("  ratio to the released weights in cartoonize", litert / whole, "x")
        row("  the generator alone", generator)
        row("  ratio to the released one alone", alone / generator, "x")
    compare(shape)


if __name__ == "__main__":
    main()
