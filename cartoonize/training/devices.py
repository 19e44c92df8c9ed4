"""What TensorFlow finds to compute on."""

from __future__ import annotations

import tensorflow as tf


def look() -> bool:
    """Make TensorFlow look for its devices now, where its greetings from C++ can be kept off the terminal.

    Returns whether there is a GPU.
    """
    return any(device.device_type == "GPU" for device in tf.config.list_physical_devices())
