"""Exports against LiteRT: ONNX run by ONNX Runtime, the others by their own runtimes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from click.testing import CliRunner
from numpy.typing import NDArray

from cartoonize import Cartoonizer
from cartoonize.cli.app import cartoonize
from cartoonize.errors import AlreadyThereError, EncodeError, WeightsError
from cartoonize.generators.card import METADATA_NAME, Card, read_card, with_card
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import Generator, described, load
from cartoonize.generators.weights import BUILTIN, builtin_folder
from cartoonize.generators.writers import FORMATS
from cartoonize.generators.writers.export import Order, export
from cartoonize.generators.writers.onnx import write_onnx
from cartoonize.generators.writers.tflite_image import write_tflite_image
from cartoonize.method.inking import EDGE, INK, STEEPNESS, paper

from . import graphs

IN_TENSORFLOW = ("saved_model", "keras")
PHOTO = np.random.default_rng(0).uniform(-1, 1, (1, 44, 60, 3)).astype(np.float32)


def run_onnx(model: bytes, photo: NDArray[Any], layout: str = "NHWC") -> NDArray[Any]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    given = photo if layout == "NHWC" else np.ascontiguousarray(photo.transpose(0, 3, 1, 2))
    (result,) = session.run(None, {"photo": given})
    return result if layout == "NHWC" else result.transpose(0, 2, 3, 1)


@pytest.fixture(scope="module", params=[*BUILTIN, "whitebox"])
def generator(request: pytest.FixtureRequest) -> Generator:
    if request.param in BUILTIN:
        return load(request.param)
    return described(request.getfixturevalue("released").read_bytes())


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_onnx_gives_litert_s_numbers(generator: Generator, layout: Any) -> None:
    result = run_onnx(write_onnx(generator, layout), PHOTO, layout)
    assert np.abs(result - LiteRTEngine(generator, 2)(PHOTO)).max() <= 1e-4


def run_tflite(model: bytes, photo: NDArray[Any]) -> NDArray[Any]:
    interpreter = Interpreter(model_content=model, num_threads=2)
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(source["index"], photo.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], photo)
    interpreter.invoke()
    result: NDArray[Any] = interpreter.get_tensor(target["index"])
    return result


NCNN = """
import sys, ncnn, numpy as np
net = ncnn.Net()
net.load_param(sys.argv[1] + ".param"), net.load_model(sys.argv[1] + ".bin")
photo = np.load(sys.argv[2])[0]
height, width = photo.shape[:2]
extractor = net.create_extractor()
if photo.dtype == np.uint8:
    given = ncnn.Mat.from_pixels(photo, ncnn.Mat.PixelType.PIXEL_RGB, width, height)
else:
    photo = np.ascontiguousarray(photo.transpose(2, 0, 1))
    given = ncnn.Mat(photo)
extractor.input("in0", given)
np.save(sys.argv[2], np.array(extractor.extract("out0")[1]).transpose(1, 2, 0)[np.newaxis])
"""


def run_ncnn(stem: Path, photo: NDArray[Any]) -> NDArray[Any]:
    """What ncnn draws, on the CPU, in a process of its own; bytes where bytes were given, which levels then are."""
    kept = stem.with_name("photo.npy")
    np.save(kept, photo)
    subprocess.run([sys.executable, "-c", NCNN, stem, kept], check=True, timeout=100)
    result: NDArray[Any] = np.load(kept)
    if photo.dtype == np.uint8:
        np.testing.assert_array_equal(result, np.clip(np.floor(result), 0, 255))
    return result.astype(photo.dtype)


Drawing = Callable[[NDArray[Any]], NDArray[Any]]


def opened(path: Path, form: str) -> Drawing:
    """What an exported file draws, run by its own runtime."""
    if form == "saved_model":
        loaded = tf.saved_model.load(str(path))  # has to stay: its variables go with it
        return lambda photo: np.asarray(loaded.serve(tf.constant(photo)))
    if form == "keras":
        model = keras.models.load_model(path)
        return lambda photo: np.asarray(model(photo))
    if form == "ncnn":
        return partial(run_ncnn, path.with_suffix(""))
    content = path.read_bytes()
    return partial({"onnx": run_onnx, "tflite": run_tflite}[form], content)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param(name, form, marks=pytest.mark.slow if form in IN_TENSORFLOW and name != "comic" else ())
        for name, form in product(BUILTIN, FORMATS)
    ],
)
def test_pictures_become_the_whole_cartoon(
    name: str, form: str, coffee: NDArray[np.uint8], tmp_path: Path, own_cache: Path
) -> None:
    path, *_ = export(Order(name, form, tmp_path / f"whole.{form}", image=True))
    draw, program = opened(path, form), Cartoonizer(name, size="full")
    for height, width in [(97, 130), (64, 64), (5, 3), (1, 1)]:
        photo = coffee[100 : 100 + height, 200 : 200 + width]
        result = draw(photo[np.newaxis])[0]
        assert result.dtype == np.uint8
        difference = np.abs(result.astype(int) - program(photo))
        assert difference.max() <= (2 if load(name).inks else 1)  # a level of ink is more than one of the picture
        assert np.mean(difference > 0) < 1e-3


@pytest.mark.parametrize("radius", [1, 4])
@pytest.mark.parametrize(
    ("graph", "form"),
    [
        (graphs.squeeze, "tflite"),
        (graphs.blocks_of_three, "tflite"),
        (graphs.mirrored, "tflite"),
        (graphs.blocks_of_three, "ncnn"),
        (graphs.mirrored, "ncnn"),
    ],
)
def test_pictures_are_padded_and_filtered_for_any_generator(
    graph: Callable[[Any], Any], form: str, radius: int, coffee: NDArray[np.uint8], tmp_path: Path
) -> None:
    card = Card(title="Mine", radius=radius, eps=0.05)
    mine = tmp_path / "mine.tflite"
    mine.write_bytes(with_card(graphs.flatbuffer(graph), card))
    path, *_ = export(Order(str(mine), form, tmp_path / f"whole.{form}", image=True))
    photo = coffee[100:143, 200:259]
    result = opened(path, form)(photo[np.newaxis])[0]
    difference = np.abs(result.astype(int) - Cartoonizer(mine, size="full")(photo))
    assert difference.max() <= 1
    assert np.mean(difference > 0) < 1e-3


def test_ink_in_ncnn_is_that_of_the_table() -> None:
    ink = np.arange(256, dtype=np.float32) / 255
    crisp = np.clip((ink - EDGE) * STEEPNESS + 0.5, 0, 1)  # as in `ncnn_image`
    differs = np.floor(crisp * (-255 * INK) + 255.5) - paper(1.0, 1.0)
    assert np.abs(differs).sum() <= 1  # a half is rounded to the even level there, up or down here


def test_the_card_of_a_flatbuffer_of_pictures_is_the_generators(tmp_path: Path) -> None:
    model = schema.Model.GetRootAs(write_tflite_image(load("fast")), 0)
    texts = {model.Metadata(i).Name(): model.Metadata(i).Buffer() for i in range(model.MetadataLength())}
    data = model.Buffers(texts[METADATA_NAME.encode()]).DataAsNumpy().tobytes()
    assert read_card({METADATA_NAME: data}) == load("fast").card


@pytest.mark.parametrize("form", ["keras", "onnx", "tflite"])
def test_pictures_are_no_weights(form: str, tmp_path: Path, own_cache: Path) -> None:
    (path,) = export(Order("fast", form, tmp_path / f"whole.{form}", image=True))
    with pytest.raises(WeightsError, match="export the generator itself, without --image"):
        load(path)


@pytest.mark.parametrize("graph", graphs.EXPORTED, ids=lambda graph: graph.__name__)
def test_other_graphs_become_onnx_too(graph: Callable[[Any], Any]) -> None:
    generator = graphs.generator(graph)
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 48, 60, 3)).astype(np.float32)
    result = run_onnx(write_onnx(generator), photo)
    assert np.abs(result - LiteRTEngine(generator, 2)(photo)).max() <= 1e-4


def test_an_operator_that_onnx_is_not_told_of_is_named() -> None:
    with pytest.raises(WeightsError, match="the operator RESHAPE of what is no picture"):
        write_onnx(graphs.generator(graphs.attention))
    with pytest.raises(WeightsError, match="the operator STRIDED_SLICE by what depends on the picture's size"):
        write_onnx(graphs.generator(graphs.cut_to_the_photo))


def test_the_licence_goes_with_the_model(tmp_path: Path) -> None:
    (path,) = export(Order("fast", "onnx", tmp_path / "fast.onnx"))
    notes = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    card = load("fast").card
    assert (notes["title"], notes["licence"], notes["source"]) == (card.title, card.licence, card.source)
    assert "CC BY-NC-SA" in notes["licence"]


def test_tflite_is_the_flatbuffer_itself(tmp_path: Path) -> None:
    (path,) = export(Order("fast", "tflite", tmp_path / "fast.tflite"))
    assert load(path).card == load("fast").card
    np.testing.assert_array_equal(LiteRTEngine(load(path), 1)(PHOTO), LiteRTEngine(load("fast"), 1)(PHOTO))


def test_keras_can_be_read_back(tmp_path: Path, own_cache: Path) -> None:
    (path,) = export(Order("fast", "keras", tmp_path / "fast.keras"))
    result = np.asarray(keras.models.load_model(path)(PHOTO))
    assert np.abs(result - LiteRTEngine(load("fast"), 2)(PHOTO)).max() <= 1e-4
    assert "CC BY-NC-SA" in json.loads(zipfile.ZipFile(path).read("card.json"))["licence"]


def test_what_a_training_left_becomes_keras_too(tmp_path: Path, own_cache: Path) -> None:
    for suffix in (".tflite", ".weights.h5"):
        shutil.copy(builtin_folder() / f"fast{suffix}", tmp_path / f"step_00000002{suffix}")
    trained = str(tmp_path / "step_00000002.tflite")
    (path,) = export(Order(trained, "keras", tmp_path / "mine.keras"))
    assert np.abs(np.asarray(keras.models.load_model(path)(PHOTO)) - LiteRTEngine(load("fast"), 2)(PHOTO)).max() <= 1e-4
    (tmp_path / "step_00000002.weights.h5").unlink()
    with pytest.raises(WeightsError, match=r"a \.tflite file has no weights for Keras"):
        export(Order(trained, "keras", tmp_path / "other.keras"))


def test_a_saved_model_can_be_served(tmp_path: Path) -> None:
    (folder,) = export(Order("fast", "saved_model", tmp_path / "fast"))
    loaded = tf.saved_model.load(str(folder))  # has to stay: its variables go with it
    assert np.abs(np.asarray(loaded.serve(tf.constant(PHOTO))) - LiteRTEngine(load("fast"), 2)(PHOTO)).max() <= 1e-4
    assert "CC BY-NC-SA" in json.loads((folder / "assets.extra" / "card.json").read_text())["licence"]
    with pytest.raises(AlreadyThereError):
        export(Order("fast", "saved_model", tmp_path / "fast"))
    export(Order("fast", "saved_model", tmp_path / "fast", overwrite=True))
    assert [path.name for path in tmp_path.iterdir()] == ["fast"]


def test_ncnn_runs_the_two_files(tmp_path: Path) -> None:
    files = export(Order("fast", "ncnn", tmp_path / "fast.param"))
    assert {path.name for path in files} == {"fast.param", "fast.bin", "fast.json"}
    assert np.abs(run_ncnn(tmp_path / "fast", PHOTO) - LiteRTEngine(load("fast"), 2)(PHOTO)).max() <= 1e-4


def test_the_command_line_exports_and_replaces_nothing_unasked(tmp_path: Path) -> None:
    target = tmp_path / "new" / "fast.onnx"
    arguments = ["weights", "export", "fast", "--format", "onnx", "--out", str(target), "--image", "--layout", "NCHW"]
    first, second = (CliRunner().invoke(cartoonize, arguments) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert target.stat().st_size > 2_000_000
    assert second.exit_code == 1
    assert "already exists" in second.output
    assert CliRunner().invoke(cartoonize, [*arguments, "--overwrite"]).exit_code == 0


@pytest.mark.parametrize("form", FORMATS)
def test_where_nothing_can_be_written_is_found_before_any_work(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartoonize.generators.writers.export.load", lambda _: pytest.fail("has begun to work"))
    (tmp_path / "file").touch()
    with pytest.raises(EncodeError, match="expected a folder"):
        export(Order("fast", form, tmp_path / "file" / "x"))


@pytest.mark.parametrize("form", sorted(set(FORMATS) - {"onnx"}))
def test_only_onnx_has_layouts(form: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="--layout goes with --format onnx"):
        export(Order("fast", form, tmp_path / "x", layout="NCHW"))
    assert not list(tmp_path.iterdir())
