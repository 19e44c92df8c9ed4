"""Weights in any form -> Keras model -> LiteRT flatbuffer; run as a program it converts one file, see `converted`."""

from __future__ import annotations

import json
import sys
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cartoonize.errors import EncodeError, WeightsError
from cartoonize.generators import authors_release
from cartoonize.generators.authors_release import release_folder
from cartoonize.generators.card import MAX_CARD_BYTES, METADATA_NAME, UNKNOWN, Card, read_card, with_card
from cartoonize.generators.graph.reading import read_graph
from cartoonize.generators.native_logs import native_stderr_silenced
from cartoonize.generators.weights import Weights, keras_weights
from cartoonize.media.files import remove_leftovers, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    from cartoonize.generators.weights_files import Arrays

_MAX_MEMORY = 3 * 1024**3  # of the process that reads ONNX: a small file may hold very many empty messages
# Of the weights' arrays by layer, of architectures that were built before: building one takes a good part of a second.
_SHAPES: dict[Callable[[], keras.Model], dict[str, list[tuple[int, ...]]]] = {}
_RELEASE_CARD = Card(authors_release.TITLE, authors_release.LICENCE, authors_release.RELEASE_URL)


def keras_model(weights: Weights) -> keras.Model:
    """Load weights into the architecture they fit; raises WeightsError when there is none."""
    from cartoonize.generators.weights_files import read_checkpoint, read_keras

    weights = keras_weights(weights)
    with native_stderr_silenced():  # TensorFlow's first steps print what hardware it did not find
        arrays = (read_checkpoint if weights.kind == "checkpoint" else read_keras)(weights.path)
        return _fitting_model(arrays, weights.path)


def flatbuffer(model: keras.Model, *, half: bool = False, card: Card = UNKNOWN) -> bytes:
    """Convert a generator to a LiteRT flatbuffer with input [1, any, any, 3]; `half` stores weights as float16."""
    with native_stderr_silenced():
        return with_card(_converted(model, half), card)


def save_saved_model(model: keras.Model, folder: Path) -> None:
    """Write a generator, or what `picture_model` returns, as a SavedModel of [1, any, any, 3] into a folder."""
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    photo = tf.TensorSpec((1, None, None, 3), model.input.dtype, name="photo")
    archive.add_endpoint("serve", model, input_signature=[photo])
    archive.write_out(str(folder), verbose=False)


def _converted(model: keras.Model, half: bool) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    traced = tf.function(lambda photo: model(photo, training=False), autograph=False)
    graph = traced.get_concrete_function(tf.TensorSpec((1, None, None, 3), tf.float32, name="photo"))
    # Variables made constants here: the converter's own way, by a SavedModel on disk, takes three times as long.
    constant = convert_variables_to_constants_v2(graph)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([constant], tf.Module())
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    data: bytes = converter.convert()
    return data


def _fitting_model(arrays: Arrays, path: Path) -> keras.Model:
    from cartoonize.generators.architectures import ARCHITECTURES

    wanted = {name: [array.shape for array in pair] for name, pair in arrays.items()}
    for build in ARCHITECTURES.values():
        if _SHAPES.get(build, wanted) != wanted:
            continue
        model = build()
        layers = {layer.name: layer for layer in model.layers if layer.weights}
        _SHAPES[build] = {name: [tuple(variable.shape) for variable in layer.weights] for name, layer in layers.items()}
        if _SHAPES[build] == wanted:
            for name, layer in layers.items():
                layer.set_weights(arrays[name])
            return model
    raise WeightsError(
        f"{path}: the arrays fit none of the generators ({', '.join(ARCHITECTURES)}): export the model as ONNX instead"
    )


def _content(weights: Weights) -> bytes:
    if weights.kind == "onnx":
        return _read_onnx(weights.path)
    return flatbuffer(keras_model(weights), card=card_of(weights))


def card_of(weights: Weights) -> Card:
    """Return what is known of weights: by themselves, by the flatbuffer beside them, of the release; else UNKNOWN."""
    path = weights.path
    try:
        if weights.kind == "checkpoint":
            return _RELEASE_CARD if path.parent == release_folder() else UNKNOWN
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive, archive.open("card.json") as member:
                return read_card({METADATA_NAME: member.read(MAX_CARD_BYTES + 1)})
        beside = path.with_name(path.name.removesuffix(".weights.h5").removesuffix("_raw") + ".tflite")
        return read_card(read_graph((beside if weights.kind == "keras" else path).read_bytes()).metadata)
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error, WeightsError):
        return UNKNOWN  # what is wrong with the weights themselves is said where they are read


def _read_onnx(path: Path) -> bytes:
    from cartoonize.generators.readers.onnx import read_onnx

    with suppress(ImportError):  # Windows has no such limit
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    try:
        return read_onnx(path.read_bytes())
    except MemoryError:
        raise WeightsError(
            f"{path}: takes more than {_MAX_MEMORY:,} bytes to read: larger than any generator"
        ) from None
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error


def main(order: str) -> int:
    """Do what `converted` asks of this process, and return its exit code; what is wrong goes to standard output."""
    asked = json.loads(order)
    weights, target = Weights(Path(asked["path"]), asked["kind"]), Path(asked["target"])
    with suppress(OSError):  # there is no such folder yet
        remove_leftovers(target.parent)
    try:
        write_atomically(target, _content(weights), overwrite=True)
    except WeightsError as error:
        print(error)
        return 1
    except EncodeError as error:
        print(f"{target}: the converted weights cannot be kept ({error})")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
