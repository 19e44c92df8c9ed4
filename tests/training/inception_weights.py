"""What Inception is compared by: numbers in place of its weights, and pictures, the same everywhere and for ever.

NumPy keeps the draws of `RandomState` as they are, unlike those of newer generators.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

COUNT = 4  # pictures of each of two sets


def random_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return float32 arrays by name; kernels (out, in, rows, columns) keep the size of what passes through."""
    rng = np.random.RandomState(0)
    arrays = {}
    for name, shape in sorted(shapes.items()):
        draw = rng.random_sample(shape) * 2 - 1
        if len(shape) == 4:
            array = draw * np.sqrt(6 / np.prod(shape[1:]))
        else:
            array = 0.3 * draw + (1 if name.endswith(("bn.weight", "running_var")) else 0)
        arrays[name] = array.astype(np.float32)
    return arrays


def pictures() -> list[list[np.ndarray]]:
    """Return two sets of uint8 (72, 104, 3): patches of colour, noise on those of the second set."""
    rng = np.random.RandomState(1)
    sets = []
    for noise in range(2):
        patches = rng.randint(0, 192, (COUNT, 6, 8, 3)).repeat(12, 1).repeat(13, 2)
        sets.append(list((patches + noise * rng.randint(0, 64, patches.shape)).astype(np.uint8)))
    return sets
