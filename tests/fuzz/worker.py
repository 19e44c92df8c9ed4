"""Takes files one by one from standard input and says on standard output how reading each ended.

A process of its own, so that what kills it is seen: `python -m tests.fuzz.worker`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import numpy as np

from cartoonize.errors import CartoonizeError


def read(kind: str, path: Path) -> None:
    if kind == "read weights":
        from cartoonize.generators.weights import locate

        if (weights := locate(path)).kind == "flatbuffer":
            kind = "weights"
        else:  # what fits an architecture converts and draws whatever its numbers are, and that takes seconds
            from cartoonize.generators.conversion import keras_model

            keras_model(weights)
            return
    if kind == "weights":
        from cartoonize import Cartoonizer

        Cartoonizer(path, size=32)(np.zeros((32, 48, 3), np.uint8))
        return
    from cartoonize.training.config_file import load, resolved
    from cartoonize.training.distillation.config import DistillConfig
    from cartoonize.training.whitebox.config import TrainConfig

    resolved(load(path, TrainConfig if kind == "train" else DistillConfig))


def outcome(kind: str, path: Path) -> str:
    """Return "done", "refused: " and the line, or "unexpected: " and the error."""
    try:
        read(kind, path)
    except CartoonizeError as error:
        text = str(error)
        return f"refused: {text}" if len(text.splitlines()) == 1 else f"unexpected: several lines, {text!r}"
    except BaseException as error:
        return f"unexpected: {type(error).__name__}: {error}"
    return "done"


def main() -> None:
    for line in sys.stdin:
        kind, path = json.loads(line)
        text = outcome(kind, Path(path))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps([text, memory]), flush=True)


if __name__ == "__main__":
    main()
