"""`cartoonize weights export`: a generator in the form another runtime takes, its card inside or beside it."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from cartoonize.errors import AlreadyThereError, EncodeError, WeightsError
from cartoonize.generators.generator import Generator, load
from cartoonize.media.files import write_atomically, write_problem

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Order:
    """What to export and how.

    image: whole cartoons, uint8 in and out, of any size, with the guided filter and the ink inside. layout: of the axes
    of ONNX, which alone has the choice.
    """

    weights: str
    format: str
    out: Path
    image: bool = False
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    overwrite: bool = False


def export(order: Order) -> list[Path]:
    """Write a generator and return the files (the folder of a SavedModel).

    Raises WeightsError when the format cannot hold the generator, EncodeError when a file cannot be written or exists.
    """
    if order.layout != "NHWC" and order.format != "onnx":
        raise WeightsError("--layout goes with --format onnx: the other formats have one layout each")
    if problem := write_problem(_written_first(order)):
        raise EncodeError(problem)
    generator = load(order.weights)
    if order.format == "saved_model":
        return [_write_saved_model(order, generator)]
    files = _WRITERS[order.format](order, generator)
    if not order.overwrite and any(os.path.lexists(path) for path in files):
        raise AlreadyThereError
    for path, data in files.items():
        write_atomically(path, data, overwrite=order.overwrite)
    return list(files)


def _written_first(order: Order) -> Path:
    if order.format == "saved_model":
        return order.out / "saved_model.pb"
    return _ncnn_part(order, ".param") if order.format == "ncnn" else order.out


def _onnx(order: Order, generator: Generator) -> dict[Path, bytes]:
    from cartoonize.generators.writers.onnx import write_onnx

    return {order.out: write_onnx(generator, order.layout, image=order.image)}


def _tflite(order: Order, generator: Generator) -> dict[Path, bytes]:
    from cartoonize.generators.writers.tflite_image import write_tflite_image

    return {order.out: write_tflite_image(generator) if order.image else generator.content}


def _ncnn(order: Order, generator: Generator) -> dict[Path, bytes]:
    from cartoonize.generators.writers.ncnn import write_ncnn

    parameters, weights = write_ncnn(generator, image=order.image)
    parts = {".param": parameters.encode(), ".bin": weights, ".json": _card(generator)}
    return {_ncnn_part(order, suffix): data for suffix, data in parts.items()}


def _ncnn_part(order: Order, suffix: str) -> Path:
    stem = order.out.with_suffix("") if order.out.suffix in (".param", ".bin") else order.out
    return stem.with_name(stem.name + suffix)


def _keras(order: Order, generator: Generator) -> dict[Path, bytes]:
    model = _keras_model(order, generator)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("card.json", _card(generator))
        return {order.out: path.read_bytes()}


def _write_saved_model(order: Order, generator: Generator) -> Path:
    from cartoonize.generators.conversion import save_saved_model
    from cartoonize.generators.native_logs import native_stderr_silenced

    if os.path.lexists(order.out) and not order.overwrite:
        raise AlreadyThereError
    try:
        order.out.parent.mkdir(parents=True, exist_ok=True)
        with native_stderr_silenced(), TemporaryDirectory(dir=order.out.parent) as folder:
            made = Path(folder) / "model"
            save_saved_model(_keras_model(order, generator), made)
            (made / "assets.extra").mkdir()  # TensorFlow's place for what others put in
            (made / "assets.extra" / "card.json").write_bytes(_card(generator))
            if order.out.is_dir() and (order.out / "saved_model.pb").is_file():
                shutil.rmtree(order.out)
            made.rename(order.out)
    except OSError as error:
        raise WeightsError(f"{order.out}: {error.strerror or error}") from error
    return order.out


def _keras_model(order: Order, generator: Generator) -> keras.Model:
    from cartoonize.generators.conversion import keras_model
    from cartoonize.generators.weights import locate

    model = keras_model(locate(order.weights))
    if not order.image:
        return model
    from cartoonize.generators.picture_layers import picture_model

    return picture_model(model, generator.card, generator.field.alignment)


def _card(generator: Generator) -> bytes:
    return json.dumps(asdict(generator.card), indent=1, ensure_ascii=False).encode()


_WRITERS: dict[str, Callable[[Order, Generator], dict[Path, bytes]]] = {
    "onnx": _onnx,
    "tflite": _tflite,
    "ncnn": _ncnn,
    "keras": _keras,
}
