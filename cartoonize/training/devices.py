"""What TensorFlow finds to compute on."""

from __future__ import annotations

import tensorflow as tf


def look() -> None:
    """Make TensorFlow look for its devices now, where its greetings from C++ can be kept off the terminal."""
    tf.config.list_physical_devices()
