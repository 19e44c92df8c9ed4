"""The usual network of FID and KID: Inception as TensorFlow published it on 5 December 2015, up to its last pooling.

Szegedy et al. 2016, in the form and with the names of layers of pytorch-fid, whose published weights a file of ours
holds as they are (`examples/inception_features.py` writes it).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from cartoonize.errors import WeightsError, first_line

SIDE = 299  # pixels of the pictures it was trained on
PUBLISHED = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""SHA-256 of pt_inception-2015-12-05-6726825d.pth: of what all FIDs are taken that are to be compared."""

_BATCH_NORM_EPS = 1e-3
_MOST_BYTES = 2**28  # of a file; the weights have 96 MB
_HEADER = 2**12  # bytes, more than npy adds to an array
_PARTS = ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
_POOLED = "branch_pool"

Size: TypeAlias = int | tuple[int, int]  # of a kernel: both sides, or rows and columns
Step: TypeAlias = tuple[str, int, Size]  # a convolution: its name, its filters, its kernel


class Inception(NamedTuple):
    """The network, and the SHA-256 of the published file its weights come from, as the converter wrote it down.

    network: RGB float32 (N, 299, 299, 3) in [-1, 1] to float32 (N, 2048).
    """

    network: keras.Model
    source: str


def build_inception(path: Path) -> Inception:
    """Build the network with the weights of a file; raises WeightsError for one that is not such a file."""
    network = inception_network()
    try:
        source, arrays = _read(path, published_shapes(network))
    except Exception as error:  # a damaged zip, or npy in it, raises nearly anything
        raise WeightsError(
            f"{path}: expected the file that examples/inception_features.py writes ({first_line(error)})"
        ) from error
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(_folded(*(arrays[f"{layer.name}.{part}"] for part in _PARTS)))
    return Inception(network, source)


def inception_network() -> keras.Model:
    """Build the network with weights of no meaning: float (N, 299, 299, 3) in [-1, 1] to float (N, 2048)."""
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    places = _mixed(_stem(picture))
    return keras.Model(picture, layers.GlobalAveragePooling2D()(places), name="inception")


def published_shapes(network: keras.Model) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the published arrays by name, of kernels (out, in, rows, columns)."""
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in network.layers:
        if layer.weights:
            rows, columns, inputs, filters = layer.kernel.shape
            sizes = [(filters, inputs, rows, columns), *[(filters,)] * 4]
            shapes |= {f"{layer.name}.{part}": size for part, size in zip(_PARTS, sizes, strict=True)}
    return shapes


def _read(path: Path, shapes: dict[str, tuple[int, ...]]) -> tuple[str, dict[str, NDArray[np.float32]]]:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path.stat().st_size:,} bytes")
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("one array")
        if missing := shapes.keys() - set(file.files):
            raise ValueError(f"no {min(missing)}")
        arrays = {name: _array(file, name, shape) for name, shape in shapes.items()}
        return str(_array(file, "source", ())), arrays


def _array(file: Any, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Read an array only when it is as large as it should be, whatever its own header says."""
    info: zipfile.ZipInfo = file.zip.getinfo(f"{name}.npy")
    if info.file_size > 4 * int(np.prod(shape)) + _HEADER:
        raise ValueError(f"{name} of {info.file_size:,} bytes")
    array: NDArray[Any] = file[name]
    if array.shape != shape or (array.dtype != np.float32 if shape else array.dtype.kind != "U"):
        raise ValueError(f"{name} of {array.dtype} {array.shape}")
    if shape and not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite")
    return array


def _folded(
    kernel: NDArray[np.float32],
    slope: NDArray[np.float32],
    offset: NDArray[np.float32],
    mean: NDArray[np.float32],
    variance: NDArray[np.float32],
) -> list[NDArray[np.float32]]:
    """Return kernel (rows, columns, in, out) and bias with the batch normalisation in them."""
    factor = slope / np.sqrt(variance + np.float32(_BATCH_NORM_EPS))
    return [kernel.transpose(2, 3, 1, 0) * factor, offset - mean * factor]


def _stem(x: keras.KerasTensor) -> keras.KerasTensor:
    x = _convolution(x, "Conv2d_1a_3x3", 32, 3, stride=2, padding="valid")
    x = _convolution(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _halved(_convolution(x, "Conv2d_2b_3x3", 64, 3))
    x = _convolution(x, "Conv2d_3b_1x1", 80, 1)
    return _halved(_convolution(x, "Conv2d_4a_3x3", 192, 3, padding="valid"))


def _mixed(x: keras.KerasTensor) -> keras.KerasTensor:
    for name, pool in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_a(x, name, pool)
    x = _block_b(x, "Mixed_6a")
    for name, middle in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_c(x, name, middle)
    x = _block_d(x, "Mixed_7a")
    x = _block_e(x, "Mixed_7b", _averaged(x))
    # A maximum, where every other Inception has a mean: a slip of the published graph, and part of what FID is.
    return _block_e(x, "Mixed_7c", layers.MaxPooling2D(3, 1, "same")(x))


def _block_a(x: keras.KerasTensor, name: str, pool: int) -> keras.KerasTensor:
    """Return all of it side by side at 35 x 35 places."""
    small = _tower(x, name, ("branch1x1", 64, 1))
    middle = _tower(x, name, ("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5))
    large = _tower(x, name, ("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3))
    return layers.Concatenate()([small, middle, large, _tower(_averaged(x), name, (_POOLED, pool, 1))])


def _block_b(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Go from 35 x 35 places to 17 x 17."""
    middle = _last_halved(x, name, ("branch3x3", 384, 3))
    large = _last_halved(x, name, ("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3))
    return layers.Concatenate()([middle, large, _halved(x)])


def _block_c(x: keras.KerasTensor, name: str, middle: int) -> keras.KerasTensor:
    """Return all of it side by side at 17 x 17 places, 7 x 7 kernels as rows and columns."""
    row, column = (1, 7), (7, 1)
    small = _tower(x, name, ("branch1x1", 192, 1))
    once = _tower(x, name, ("branch7x7_1", middle, 1), ("branch7x7_2", middle, row), ("branch7x7_3", 192, column))
    sizes: tuple[Size, ...] = (1, column, row, column, row)
    *steps, last = ((f"branch7x7dbl_{n}", middle, size) for n, size in enumerate(sizes, 1))
    twice = _tower(x, name, *steps, (last[0], 192, last[2]))
    return layers.Concatenate()([small, once, twice, _tower(_averaged(x), name, (_POOLED, 192, 1))])


def _block_d(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Go from 17 x 17 places to 8 x 8."""
    middle = _last_halved(x, name, ("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3))
    sizes: tuple[Size, ...] = (1, (1, 7), (7, 1), 3)
    large = _last_halved(x, name, *((f"branch7x7x3_{n}", 192, size) for n, size in enumerate(sizes, 1)))
    return layers.Concatenate()([middle, large, _halved(x)])


def _block_e(x: keras.KerasTensor, name: str, pooled: keras.KerasTensor) -> keras.KerasTensor:
    """Return all of it side by side at 8 x 8 places, 3 x 3 kernels as a row beside a column."""
    small = _tower(x, name, ("branch1x1", 320, 1))
    middle = _tower(x, name, ("branch3x3_1", 384, 1))
    large = _tower(x, name, ("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3))
    split = [
        _tower(inner, name, (f"{branch}{half}", 384, size))
        for inner, branch in ((middle, "branch3x3_2"), (large, "branch3x3dbl_3"))
        for half, size in (("a", (1, 3)), ("b", (3, 1)))
    ]
    return layers.Concatenate()([small, *split, _tower(pooled, name, (_POOLED, 192, 1))])


def _tower(x: keras.KerasTensor, block: str, *steps: Step) -> keras.KerasTensor:
    for name, filters, size in steps:
        x = _convolution(x, f"{block}.{name}", filters, size)
    return x


def _last_halved(x: keras.KerasTensor, block: str, *steps: Step) -> keras.KerasTensor:
    """Convolve in steps, the last of which takes every second place."""
    name, filters, size = steps[-1]
    return _convolution(_tower(x, block, *steps[:-1]), f"{block}.{name}", filters, size, stride=2, padding="valid")


def _convolution(
    x: keras.KerasTensor, name: str, filters: int, size: Size, stride: int = 1, padding: str = "same"
) -> keras.KerasTensor:
    return layers.Conv2D(filters, size, stride, padding, activation="relu", name=name)(x)


def _halved(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.MaxPooling2D(3, 2)(x)


def _averaged(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return means of 3 x 3 places, at the border of those that there are."""
    return layers.AveragePooling2D(3, 1, "same")(x)
