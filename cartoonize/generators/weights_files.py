"""Reads the arrays out of weights files, which are hostile until they fit: no pickle, no code, limits on size.

The authors' checkpoint takes and returns BGR; the flip is folded into its first and last convolution here, so
that everything else is RGB.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import WeightsError, first_line
from cartoonize.generators.checkpoint import read_index
from cartoonize.generators.weights import checkpoint_files

Arrays: TypeAlias = dict[str, list[NDArray[np.float32]]]  # layer name -> [kernel (h, w, in, out), bias (out)]

_RELEASE_SCOPE = re.compile(r"generator/(Conv(?:_\d)?|block_\d/conv\d)/weights")
_WEIGHTS_MEMBER = "model.weights.h5"
_MAX_CONTENT = 128 * 1024**2  # bytes of all arrays together; the paper's generator has 6 MB


def read_checkpoint(prefix: Path) -> Arrays:
    """Read the authors' TensorFlow 1 checkpoint, BGR folded to RGB, under our layer names; raises WeightsError."""
    index, data_file = checkpoint_files(prefix)
    try:
        entries = read_index(index)
        data = data_file.read_bytes()
        arrays = {}
        for variable, entry in entries.items():
            if match := _RELEASE_SCOPE.fullmatch(variable):
                layer = match[1].lower().replace("/", "_")
                kernel, bias = entry.read(data), entries[f"generator/{match[1]}/biases"].read(data)
                arrays[layer] = _bgr_to_rgb(layer, kernel, bias)
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise WeightsError(f"{prefix}: damaged or truncated ({first_line(error)})") from error
    return arrays


def read_keras(path: Path) -> Arrays:
    """Read a `.weights.h5` or `.keras` file by layer name; raises WeightsError."""
    try:
        with h5py.File(_hdf5_source(path), "r") as file:
            return _read_layers(_inside(file, "layers"))
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        AttributeError,
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        zlib.error,
    ) as error:
        raise WeightsError(f"{path}: damaged, truncated or not a generator ({first_line(error)})") from error


def _bgr_to_rgb(layer: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    if kernel.ndim != 4 or bias.ndim != 1:
        raise ValueError(f"{layer} of {kernel.ndim} and {bias.ndim} axes")
    if layer == "conv":
        return [kernel[:, :, ::-1], bias]
    if layer == "conv_9":
        return [kernel[..., ::-1], bias[::-1]]
    return [kernel, bias]


def _hdf5_source(path: Path) -> Path | io.BytesIO:
    if path.suffix != ".keras":
        return path
    with zipfile.ZipFile(path) as archive, archive.open(_WEIGHTS_MEMBER) as member:
        if archive.getinfo(_WEIGHTS_MEMBER).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("compressed in a way that Keras does not write")
        # What the archive says of its size may be a lie.
        content = member.read(_MAX_CONTENT + 1)
        if len(content) > _MAX_CONTENT:
            raise ValueError(f"more than {_MAX_CONTENT:,} bytes of weights")
        return io.BytesIO(content)


def _inside(group: h5py.Group, name: str) -> Any:
    """Return a group's member; raises ValueError where it is a link to another file, which opening would follow."""
    if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{name} is not in the file, or a link that points outside; other models are read from ONNX")
    return group[name]


def _read_layers(layers: h5py.Group) -> Arrays:
    """Read every layer that has a kernel and a bias; Keras keeps the layer's name beside them."""
    arrays = {}
    room = _MAX_CONTENT
    for key in layers:
        layer = _inside(layers, key)
        if layer.get("layers", getlink=True) is not None:
            raise ValueError("a model inside a model: export the generator itself, without --image")
        variables = _inside(layer, "vars")
        if len(variables) == 0:
            continue
        datasets = [_inside(variables, index) for index in ("0", "1")]
        room -= sum(dataset.nbytes for dataset in datasets)
        if room < 0 or any(dataset.is_virtual or dataset.external for dataset in datasets):
            raise ValueError("larger than any generator, or pointing outside the file")
        arrays[str(variables.attrs["name"])] = [np.asarray(dataset, np.float32) for dataset in datasets]
    return arrays
