"""The guided filter on tensors, with gradients: `cartoonize.method.guided_filter` with TensorFlow's averages."""

from __future__ import annotations

import tensorflow as tf

from cartoonize.method import guided_filter as arrays


def box_mean(x: tf.Tensor, radius: int) -> tf.Tensor:
    """Average (N, H, W, C) over (2·radius + 1)² windows, over the part inside the picture at borders."""
    for window in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
        x = tf.nn.avg_pool2d(x, window, strides=1, padding="SAME")  # counts no padding
    return x


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # ten times faster than TensorFlow's kernels
def filter_batch(I: tf.Tensor, p: tf.Tensor, radius: int, eps: float) -> tf.Tensor:  # noqa: E741  the paper's name
    """Filter p by the guide I, both float32 (N, H, W, C) in [-1, 1]; He et al. 2010, equations 5, 6 and 8."""
    return arrays.guided_filter(I, p, radius, eps, box_mean)


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # compiled apart: as two tensors, one would be averaged twice
def smooth_batch(image: tf.Tensor, radius: int, eps: float) -> tf.Tensor:
    """Filter float32 (N, H, W, C) in [-1, 1] by itself."""
    return arrays.guided_filter(image, image, radius, eps, box_mean)
