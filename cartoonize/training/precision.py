"""The number format networks compute in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import keras


@contextmanager
def precision(name: Literal["float32", "mixed_bfloat16"]) -> Iterator[None]:
    """Let what is built meanwhile compute in this precision; variables and losses are float32 in any case."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
