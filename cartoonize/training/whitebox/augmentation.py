"""What discriminators see, changed so that few cartoons are not learnt by heart (DiffAugment, Zhao et al. 2020).

All of it passes gradients. Every picture of a batch has its own draw, and equal seeds draw equal ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

BRIGHTNESS = (-0.5, 0.5)  # added, in units of [-1, 1]
SATURATION = (0.0, 2.0)  # factor of what differs from a pixel's grey
CONTRAST = (0.5, 1.5)  # factor of what differs from a picture's mean
SHIFT = 8  # at most the side over this, either way
HOLE = 2  # about the side over this


def augment(x: tf.Tensor, seed: tf.Tensor, policy: Sequence[str]) -> tf.Tensor:
    """Change pictures (N, H, W, C), nominally [-1, 1], as `policy` says: of "color", "translation", "cutout".

    seed: integers (2,).
    """
    for n, name in enumerate(POLICIES):
        if name in policy:
            x = POLICIES[name](x, tf.random.experimental.stateless_fold_in(seed, n))
    return x


def _color(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Brightness, saturation, then contrast."""
    draws = tf.random.stateless_uniform((3, tf.shape(x)[0], 1, 1, 1), seed)
    brightness, saturation, contrast = (
        low + (high - low) * draw
        for draw, (low, high) in zip(tf.unstack(draws), (BRIGHTNESS, SATURATION, CONTRAST), strict=True)
    )
    x = x + brightness
    x = _away(x, tf.reduce_mean(x, 3, keepdims=True), saturation)
    return _away(x, tf.reduce_mean(x, (1, 2, 3), keepdims=True), contrast)


def _away(x: tf.Tensor, centre: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    return centre + factor * (x - centre)


def _translation(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Shift by whole pixels; 0 comes in, as in the paper."""
    count, height, width = tf.unstack(tf.shape(x)[:3])
    shifts = tf.random.stateless_uniform((2, count, 1), seed)
    for axis, side in ((1, height), (2, width)):
        reach = tf.cast(side // SHIFT, tf.float32)
        shift = tf.cast(tf.floor(shifts[axis - 1] * (2 * reach + 1) - reach), tf.int32)
        source = tf.range(side)[None] + shift
        inside = tf.cast((source >= 0) & (source < side), x.dtype)
        x = tf.gather(x, tf.clip_by_value(source, 0, side - 1), axis=axis, batch_dims=1)
        x *= inside[:, :, None, None] if axis == 1 else inside[:, None, :, None]
    return x


def _cutout(x: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Set a square around a random pixel to 0."""
    count, height, width = tf.unstack(tf.shape(x)[:3])
    centres = tf.random.stateless_uniform((2, count, 1), seed)
    rows, columns = (
        tf.abs(tf.cast(tf.range(side)[None], tf.float32) - tf.floor(centre * tf.cast(side, tf.float32))) * 2 * HOLE
        < tf.cast(side, tf.float32)
        for side, centre in ((height, centres[0]), (width, centres[1]))
    )
    hole = rows[:, :, None, None] & columns[:, None, :, None]
    return tf.where(hole, tf.zeros((), x.dtype), x)


POLICIES: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}
