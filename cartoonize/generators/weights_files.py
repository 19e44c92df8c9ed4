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
from typing import TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import WeightsError, first_line

Arrays: TypeAlias = dict[str, list[NDArray[np.float32]]]  # layer name -> [kernel (h, w, in, out), bias (out)]

_RELEASE_SCOPE = re.compile(r"generator/(Conv(?:_\d)?|block_\d/conv\d)/weights")
_MAX_CONTENT = 128 * 1024**2  # bytes of all arrays together; the paper's generator has 6 MB


def read_checkpoint(prefix: Path) -> Arrays:
    """Read the authors' TensorFlow 1 checkpoint, BGR folded to RGB, under our layer names; raises WeightsError."""
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        arrays = {}
        for variable in reader.get_variable_to_shape_map():
            if match := _RELEASE_SCOPE.fullmatch(variable):
                layer = match[1].lower().replace("/", "_")
                kernel, bias = reader.get_tensor(variable), reader.get_tensor(f"generator/{match[1]}/biases")
                arrays[layer] = _bgr_to_rgb(layer, kernel, bias)
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{prefix}: damaged or truncated ({first_line(error)})") from error
    return arrays


def read_keras(path: Path) -> Arrays:
    """Read a `.weights.h5` or `.keras` file by layer name; raises WeightsError."""
    try:
        with h5py.File(_hdf5_source(path), "r") as file:
            return _read_layers(file["layers"])
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        AttributeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise WeightsError(f"{path}: damaged, truncated or not a generator ({first_line(error)})") from error


def _bgr_to_rgb(layer: str, kernel: NDArray[np.float32], bias: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    if layer == "conv":
        return [kernel[:, :, ::-1], bias]
    if layer == "conv_9":
        return [kernel[..., ::-1], bias[::-1]]
    return [kernel, bias]


def _hdf5_source(path: Path) -> Path | io.BytesIO:
    if path.suffix != ".keras":
        return path
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("model.weights.h5")
        if member.file_size > _MAX_CONTENT:
            raise ValueError(f"{member.file_size:,} bytes of weights")
        return io.BytesIO(archive.read(member))


def _read_layers(layers: h5py.Group) -> Arrays:
    """Read every layer that has a kernel and a bias; Keras keeps the layer's name beside them."""
    arrays = {}
    room = _MAX_CONTENT
    for key in layers:
        variables = layers[key]["vars"]
        if len(variables) == 0:
            continue
        datasets = [variables[index] for index in ("0", "1")]
        room -= sum(dataset.nbytes for dataset in datasets)
        if room < 0 or any(dataset.is_virtual or dataset.external for dataset in datasets):
            raise ValueError("larger than any generator, or pointing outside the file")
        arrays[str(variables.attrs["name"])] = [np.asarray(dataset, np.float32) for dataset in datasets]
    return arrays
