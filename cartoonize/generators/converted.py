"""Weights that are no flatbuffer, converted once by a process of its own and kept in the user's cache by content.

TensorFlow's memory is then given back, and what crashes on a hostile file is that process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from cartoonize.errors import WeightsError
from cartoonize.generators.authors_release import cache_folder
from cartoonize.generators.weights import Weights, fingerprint

# Part of the cache's key: raise it when the same weights would convert to another flatbuffer.
CONVERTER_VERSION = 3
_SECONDS = 600


def cached_flatbuffer(weights: Weights) -> Path:
    """Return the weights as a `.tflite` file, converted on first use and kept in the user's cache by content.

    Raises WeightsError when they do not fit a generator or the cache cannot be written.
    """
    target = cache_folder() / "converted" / f"{fingerprint(weights)}-{CONVERTER_VERSION}.tflite"
    if not target.is_file():
        _convert(weights, target)
    return target


def _convert(weights: Weights, target: Path) -> None:
    library = "onnx" if weights.kind == "onnx" else "tensorflow"
    if find_spec(library) is None:
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)
    path = weights.path.absolute()
    order = json.dumps({"path": str(path), "kind": weights.kind, "target": str(target.absolute())})
    command = [sys.executable, "-m", "cartoonize.generators.conversion", order]
    package = Path(__file__).parents[2]  # the first place the process looks for modules
    try:
        ended = subprocess.run(command, cwd=package, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603  ours
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WeightsError(f"{path}: cannot be converted ({error})") from error
    if ended.returncode:
        said = ended.stdout.decode(errors="replace").strip()
        raise WeightsError(said or f"{path}: damaged (the process that read it ended with {ended.returncode})")
