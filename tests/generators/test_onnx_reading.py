"""ONNX models as weights: ours come back as they were, others give ONNX Runtime's numbers, hostile ones one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from cartoonize.errors import WeightsError
from cartoonize.generators.converted import cached_flatbuffer
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import described, load
from cartoonize.generators.readers.onnx import read_onnx
from cartoonize.generators.weights import BUILTIN, keras_weights, locate
from cartoonize.generators.writers.onnx import write_onnx

from . import graphs
from .test_export import PHOTO, run_onnx

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("name", BUILTIN)
def test_what_was_exported_comes_back_bit_for_bit(name: str, layout: Any) -> None:
    generator = load(name)
    again = described(read_onnx(write_onnx(generator, layout)))
    assert (again.card, again.field) == (generator.card, generator.field)
    np.testing.assert_array_equal(LiteRTEngine(again, 2)(PHOTO), LiteRTEngine(generator, 2)(PHOTO))


@pytest.mark.parametrize("graph", graphs.EXPORTED, ids=lambda graph: graph.__name__)
def test_other_exports_come_back(graph: Callable[[Any], Any]) -> None:
    generator = graphs.generator(graph)
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 48, 60, 3)).astype(np.float32)
    again = described(read_onnx(write_onnx(generator)))
    assert np.abs(LiteRTEngine(again, 1)(photo) - LiteRTEngine(generator, 1)(photo)).max() <= 1e-5


class Maker:
    """Makes an NCHW model, as PyTorch exports them, node by node."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, *inputs: Any, results: int = 1, **attributes: Any) -> Any:
        names = [each if isinstance(each, str) else self.keep(np.asarray(each)) for each in inputs]
        outputs = [f"{kind}{len(self.nodes)}_{n}" for n in range(results)]
        self.nodes.append(helper.make_node(kind, names, outputs, **attributes))
        return outputs[0] if results == 1 else outputs

    def keep(self, array: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def conv(self, x: str, depth: int, filters: int, size: int = 3, **attributes: Any) -> str:
        kernel = some(filters, depth // attributes.get("group", 1), size, size)
        return self.add("Conv", x, kernel, some(filters), **({"pads": [size // 2] * 4} | attributes))

    def model(self, result: str, shape: Sequence[Any] = (1, 3, "h", "w"), dtype: int = TensorProto.FLOAT) -> Any:
        ends = [helper.make_tensor_value_info(name, dtype, shape) for name in ("photo", "cartoon")]
        nodes = [*self.nodes, helper.make_node("Identity", [result], ["cartoon"])]
        graph = helper.make_graph(nodes, "foreign", ends[:1], ends[1:], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def some(*shape: int) -> NDArray[np.float32]:
    return (RNG.uniform(-1, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def unpadded_and_transposed(m: Maker, x: str) -> str:
    small = m.add("Relu", m.conv(m.conv(x, 3, 8, strides=[2, 2]), 8, 12, strides=[2, 2]))
    up = m.add("ConvTranspose", small, some(12, 8, 4, 4), some(8), strides=[2, 2], pads=[1] * 4)
    options = {"strides": [2, 2], "pads": [1] * 4, "output_padding": [1, 1]}
    return m.add("ConvTranspose", up, some(8, 3, 3, 3), **options)


def resized_to_what_a_shape_says(m: Maker, x: str) -> str:
    small = m.conv(x, 3, 6, strides=[2, 2])
    height, width = (m.add("Gather", m.add("Shape", small), np.int64(axis)) for axis in (2, 3))
    twice = [m.add("Unsqueeze", m.add("Mul", side, np.int64(2)), np.array([0])) for side in (height, width)]
    channels = m.add("Slice", m.add("Shape", small), np.array([0]), np.array([2]), np.array([0]))
    size = m.add("Cast", m.add("Concat", channels, *twice, axis=0), to=TensorProto.INT64)
    linear = m.add("Resize", small, "", "", size, mode="linear", coordinate_transformation_mode="pytorch_half_pixel")
    nearest = m.add("Resize", small, "", np.array([1, 1, 2, 2], np.float32), mode="nearest", nearest_mode="floor",
                    coordinate_transformation_mode="asymmetric")  # fmt: skip
    return m.conv(m.add("Concat", linear, nearest, axis=1), 12, 3)


def pixels_shuffled(m: Maker, x: str) -> str:
    wide = m.conv(m.add("SpaceToDepth", x, blocksize=2), 12, 12)
    return m.add("DepthToSpace", m.add("PRelu", wide, some(12, 1, 1)), blocksize=2, mode="CRD")


def normalised(m: Maker, x: str) -> str:
    y = m.add("InstanceNormalization", m.conv(x, 3, 8), some(8), some(8), epsilon=1e-4)
    y = m.add("BatchNormalization", y, some(8), some(8), some(8), np.abs(some(8)))
    y = m.add("Clip", m.add("HardSwish", y), np.float32(-0.5), np.float32(0.75))
    return m.conv(y, 8, 3, 1, pads=[0] * 4)


def cut_and_joined(m: Maker, x: str) -> str:
    one, other = m.add("Split", m.conv(x, 3, 8, group=1), np.array([4, 4]), axis=1, results=2)
    border = np.array([0, 0, 2, 3, 0, 0, 1, 2])
    wide = m.add("Pad", m.add("Concat", one, m.conv(other, 4, 4, group=4), axis=1), border, mode="reflect")
    bounds = [np.array(each) for each in ([2, 3, 1], [-1, -2, 2**62], [2, 3, 1])]
    y = m.add("Slice", wide, *bounds)
    scale = m.add("Sigmoid", m.conv(m.add("GlobalAveragePool", y), 7, 7, 1, pads=[0] * 4))
    return m.conv(m.add("Mul", y, scale), 7, 3)


def turned_twice(m: Maker, x: str) -> str:
    turned = m.add("Transpose", m.conv(x, 3, 6, group=3), perm=[0, 2, 3, 1])
    scaled = m.add("Add", m.add("Mul", turned, some(6)), some(1, 1, 1, 6))
    back = m.add("Transpose", m.add("LeakyRelu", scaled, alpha=0.2), perm=[0, 3, 1, 2])
    pooled = m.add("MaxPool", m.add("AveragePool", back, kernel_shape=[3, 3], pads=[1] * 4, count_include_pad=1),
                   kernel_shape=[2, 2], strides=[2, 2])  # fmt: skip
    large = m.add("Resize", pooled, "", np.array([1, 1, 2, 2], np.float32), mode="linear",
                  coordinate_transformation_mode="asymmetric")  # fmt: skip
    return m.add("Sub", m.conv(large, 6, 3, 5), np.float32(0.5))


FOREIGN = [
    unpadded_and_transposed,
    resized_to_what_a_shape_says,
    pixels_shuffled,
    normalised,
    cut_and_joined,
    turned_twice,
]


@pytest.mark.parametrize("graph", FOREIGN, ids=lambda graph: graph.__name__)
def test_models_of_others_give_onnx_runtime_s_numbers(graph: Callable[[Maker, str], str]) -> None:
    maker = Maker()
    content = maker.model(graph(maker, "photo")).SerializeToString()
    generator = described(read_onnx(content))
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 48, 64, 3)).astype(np.float32)
    expected = run_onnx(content, photo, "NCHW")
    assert np.abs(LiteRTEngine(generator, 1)(photo) - expected).max() <= 1e-5


def external() -> bytes:
    m = Maker()
    model = m.model(m.conv("photo", 3, 3))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return model.SerializeToString()


def huge() -> bytes:
    m = Maker()
    model = m.model(m.conv("photo", 3, 3))
    model.graph.initializer[0].dims[:] = [2**31, 2**31, 1, 1]
    return model.SerializeToString()


def endless() -> bytes:
    m = Maker()
    x = "photo"
    for _ in range(5000):
        x = m.add("Relu", x)
    return m.model(x).SerializeToString()


def doubling() -> bytes:
    m = Maker()
    x = m.keep(np.zeros(2**20, np.float32))
    for _ in range(40):
        x = m.add("Concat", x, x, axis=0)
    return m.model(m.add("Add", "photo", x)).SerializeToString()


def growing() -> bytes:
    m = Maker()
    x = "photo"
    for _ in range(6):
        x = m.add("Resize", x, "", np.array([1, 1, 64, 64], np.float32), coordinate_transformation_mode="asymmetric",
                  nearest_mode="floor")  # fmt: skip
    return m.model(x).SerializeToString()


def filled() -> bytes:
    m = Maker()
    return m.model(m.add("Add", "photo", m.add("ConstantOfShape", np.array([2**20, 2**20])))).SerializeToString()


def branching() -> bytes:
    m = Maker()
    body = helper.make_graph([], "body", [], [helper.make_tensor_value_info("photo", TensorProto.FLOAT, None)])
    return m.model(m.add("If", np.array(True), then_branch=body, else_branch=body)).SerializeToString()


def of(kind: str, **attributes: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        m = Maker()
        return m.model(m.add(kind, "photo", **attributes)).SerializeToString()

    return make


def shaped(*shape: Any, dtype: int = TensorProto.FLOAT) -> Callable[[], bytes]:
    def make() -> bytes:
        m = Maker()
        return m.model(m.add("Identity", "photo"), shape, dtype).SerializeToString()

    return make


def to_a_fixed_size() -> bytes:
    m = Maker()
    half = m.conv("photo", 3, 3, strides=[2, 2])
    return m.model(
        m.add("Resize", half, "", "", np.array([1, 3, 256, 256]), mode="linear"),
    ).SerializeToString()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (external, "its weights 'c0' lie in another file"),
        (huge, "more than there are, or than a generator has"),
        (endless, "5,001 operators: larger than any generator"),
        (doubling, "the operator Concat that gives"),
        (growing, "numbers a pixel: larger than any generator"),
        (filled, "the operator ConstantOfShape of shape"),
        (branching, "an operator with a graph of its own"),
        (of("Einsum", equation="nchw->nchw"), "the operator Einsum on pictures is not one that is read from ONNX"),
        (of("Softmax"), "the operator Softmax"),
        (of("DepthToSpace", blocksize=2), "does not fit"),
        (to_a_fixed_size, "the operator Resize by"),
        (shaped(1, 3, 256, 256), "takes pictures of 256x256 only"),
        (shaped(1, "h", "w", 3, dtype=TensorProto.UINT8), "takes pictures of uint8"),
        (shaped(1, 1, "h", "w"), "expected three channels"),
        (shaped(8, 3, "h", "w"), "expected FLOAT, one picture"),
        (lambda: b"\x08\x08" + b"\xff" * 50, "a damaged ONNX model"),
        (lambda: b"\x08\x08", "0 inputs and 0 outputs"),
    ],
)
def test_what_cannot_be_read_is_named(content: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(WeightsError, match=reason) as raised:
        described(read_onnx(content()))
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 2**12))
def test_damaged_models_are_read_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    m = Maker()
    content = bytearray(m.model(cut_and_joined(m, "photo")).SerializeToString())
    for place, value in changes:
        content[place % len(content)] = value
    try:
        described(read_onnx(bytes(content[: len(content) - cut % 3 * cut])))
    except WeightsError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_an_onnx_file_is_weights_on_the_command_line(tmp_path: Path, own_cache: Path) -> None:
    from PIL import Image

    Image.fromarray(RNG.integers(0, 256, (40, 60, 3), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "mine.onnx").write_bytes(write_onnx(load("fast"), "NCHW"))
    script = Path(sys.executable).with_name("cartoonize")

    def run(weights: str, out: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [script, tmp_path / "a.png", "--weights", weights, "--out", tmp_path / out]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, timeout=250)

    assert run(str(tmp_path / "mine.onnx"), "onnx.png").returncode == 0
    assert run("fast", "fast.png").returncode == 0
    assert (tmp_path / "onnx.png").read_bytes() == (tmp_path / "fast.png").read_bytes()
    (tmp_path / "mine.onnx").write_bytes(of("Softmax")())
    ended = run(str(tmp_path / "mine.onnx"), "b.png")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "mine.onnx: the operator Softmax on pictures is not one that is read from ONNX" in ended.stderr


def test_it_is_known_by_its_name_and_is_not_for_training(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(of("Relu")())
    assert locate(path).kind == "onnx"
    with pytest.raises(WeightsError, match=r"a \.onnx file has no weights for Keras"):
        keras_weights(locate(path))
    path.write_bytes(b"GIF89a")
    with pytest.raises(WeightsError, match="not weights"):
        locate(path)


def test_without_the_library_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(of("Relu")())
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match="onnx"):
        cached_flatbuffer(locate(tmp_path / "mine.onnx"))


def test_the_checker_accepts_what_these_tests_make() -> None:
    for graph in FOREIGN:
        maker = Maker()
        onnx.checker.check_model(maker.model(graph(maker, "photo")))


@pytest.mark.slow
def test_millions_of_empty_messages_do_not_fill_the_memory(tmp_path: Path, own_cache: Path) -> None:
    pytest.importorskip("resource")
    nodes = b"\x0a\x00" * 2**26
    head = b"\x08\x08\x3a" + bytes(
        (len(nodes) >> shift & 127) | (128 if shift < 28 else 0) for shift in range(0, 35, 7)
    )
    (tmp_path / "mine.onnx").write_bytes(head + nodes)
    with pytest.raises(WeightsError, match=r"mine\.onnx: (a damaged ONNX model|takes more than)"):
        cached_flatbuffer(locate(tmp_path / "mine.onnx"))
