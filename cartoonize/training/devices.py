"""What TensorFlow finds to compute on."""

from __future__ import annotations

import json
import os

import tensorflow as tf

from cartoonize.errors import ConfigError


def look() -> bool:
    """Make TensorFlow look for its devices now, where its greetings from C++ can be kept off the terminal.

    Returns whether there is a GPU.
    """
    return any(device.device_type == "GPU" for device in tf.config.list_physical_devices())


def refuse_several_machines() -> None:
    """Raise ConfigError where TF_CONFIG, by which TensorFlow learns of a cluster, has more than one task in it.

    Services that run trainings set it for a single machine too.
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return
    try:
        tasks = sum(len(addresses) for addresses in json.loads(text).get("cluster", {}).values())
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigError("TF_CONFIG is set, and is no JSON of a cluster: unset it to train on this machine") from error
    if tasks > 1:
        raise ConfigError(
            f"TF_CONFIG is set: training on several machines is not supported, and its cluster has {tasks} tasks; unset"
            " it to train on this one"
        )
