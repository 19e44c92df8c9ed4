"""The GPU engine, on whatever Vulkan driver there is: Mesa's in software (llvmpipe) will do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cartoonize import Cartoonizer
from cartoonize.errors import EngineError, OutOfMemoryError, WeightsError
from cartoonize.generators import tiles
from cartoonize.generators.engines import registry
from cartoonize.generators.engines.engine import Device
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.engines.vulkan import VulkanEngine
from cartoonize.generators.generator import Generator, described, load
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.generators.weights import BUILTIN
from cartoonize.generators.writers.ncnn import write_ncnn
from cartoonize.generators.writers.ncnn_network import Network
from cartoonize.method.guided_filter import filter_image
from cartoonize.method.pixels import to_network

from ..conftest import psnr
from . import graphs
from .conftest import command

OnGpu = Callable[..., NDArray[np.float32]]


@pytest.fixture
def on_gpu(has_gpu: None, monkeypatch: pytest.MonkeyPatch) -> OnGpu:
    """Runs a generator on the GPU: float32 (1, h, w, 3) as it is, uint8 (h, w, 3) in tiles."""

    def run(
        generator: Generator, photo: NDArray[Any], precision: Any = "float32", **limits: int
    ) -> NDArray[np.float32]:
        engine = VulkanEngine(generator, "gpu", 2, precision)
        if photo.dtype != np.uint8:
            return engine(photo)
        with monkeypatch.context() as patch:
            for limit, value in limits.items():
                patch.setattr(tiles, limit, value)
            return tiles.generate(engine, photo, generator.field)

    return run


@pytest.mark.parametrize("name", [*BUILTIN, "whitebox"])
def test_float32_is_the_cpus(
    name: str, on_gpu: OnGpu, coffee: NDArray[np.uint8], request: pytest.FixtureRequest
) -> None:
    released = name == "whitebox"
    generator = described(request.getfixturevalue("released").read_bytes()) if released else load(name)
    photo = to_network(coffee[100:228, 200:396])[np.newaxis]
    assert np.abs(on_gpu(generator, photo) - LiteRTEngine(generator, 2)(photo)).max() <= 1e-3


@pytest.mark.parametrize("name", ["unet", "compact_ink"])
def test_every_architecture_runs_on_a_gpu(name: str, on_gpu: OnGpu, untrained: Callable[[str], Generator]) -> None:
    generator = untrained(name)
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 40, 56, 3)).astype(np.float32)
    result = on_gpu(generator, photo)
    assert result.shape == (1, 40, 56, 4 if generator.inks else 3)
    assert np.abs(result - LiteRTEngine(generator, 2)(photo)).max() <= 1e-3


@pytest.mark.parametrize(
    "graph",
    [graphs.mirrored, graphs.dilated, graphs.strided_and_transposed, graphs.half_pixel, graphs.grouped_and_cut],
    ids=lambda graph: graph.__name__,
)
def test_other_graphs_run_too(graph: Callable[[Any], Any], on_gpu: OnGpu) -> None:
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 40, 56, 3)).astype(np.float32)
    generator = graphs.generator(graph)
    assert np.abs(on_gpu(generator, photo) - LiteRTEngine(generator, 2)(photo)).max() <= 1e-3


def test_float16_is_near_enough_to_the_picture(on_gpu: OnGpu, coffee: NDArray[np.uint8]) -> None:
    photo = coffee[100:228, 200:396]
    generator = load("fast")
    expected = filter_image(photo, tiles.generate(LiteRTEngine(generator, 2), photo, generator.field))
    result = on_gpu(generator, photo, "float16")
    assert psnr(filter_image(photo, result), expected) >= 45
    assert np.abs(result - on_gpu(generator, photo, "float32")).max() > 1e-5  # it is another precision


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_tiles_are_the_whole_picture_bit_for_bit(on_gpu: OnGpu, precision: str) -> None:
    generator = load("fast")
    photo = np.random.default_rng(0).integers(0, 256, (300, 304, 3), np.uint8)
    whole = on_gpu(generator, photo, precision)
    np.testing.assert_array_equal(on_gpu(generator, photo, precision, WHOLE_PIXELS=0, TILE_PIXELS=66_000), whole)


def test_the_tiles_of_that_test_are_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(tiles, "TILE_PIXELS", 66_000)
    assert tiles.tile_shape((300, 304), load("fast").field) < (300, 304)


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (graphs.instance_norm, "the operator MEAN cannot be written for ncnn"),
        (graphs.pooled, "the operator AVERAGE_POOL_2D cannot be written for ncnn"),
        (graphs.attention, "the operator RESHAPE of what is no picture runs on LiteRT only"),
    ],
)
def test_what_a_gpu_is_not_told_of_is_named(graph: Callable[[Any], Any], reason: str) -> None:
    with pytest.raises(WeightsError, match=reason):
        write_ncnn(graphs.generator(graph))


def test_weights_too_large_for_half_precision_are_kept_as_they_are() -> None:
    network = Network()
    network.keep(np.array([1e6, 1.0], np.float32))
    assert network.weights == bytes(4) + np.array([1e6, 1.0], np.float32).tobytes()


@pytest.fixture
def photo(tmp_path: Path) -> str:
    from PIL import Image

    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


NO_DRIVERS = {"VK_DRIVER_FILES": "/nonexistent", "VK_ICD_FILENAMES": "/nonexistent"}


def test_without_a_driver_it_says_what_to_install_and_exits_2(photo: str) -> None:
    pytest.importorskip("ncnn")
    ended = command(photo, "--device", "gpu", **NO_DRIVERS)
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if line.startswith("Error")]
    assert "mesa-vulkan-drivers" in line
    assert "--device cpu" in line
    assert not list(Path(photo).parent.glob("*_cartoon*"))


def test_auto_falls_back_to_the_cpu(photo: str) -> None:
    ended = command(photo, "--device", "auto", **NO_DRIVERS)
    assert ended.returncode == 0, ended.stderr
    assert Path(photo).with_name("a_cartoon.png").is_file()


def test_the_command_line_runs_on_a_gpu(has_gpu: None, photo: str) -> None:
    ended = command(photo, "--device", "gpu:0", "--precision", "float32")
    assert ended.returncode == 0, ended.stderr
    assert Path(photo).with_name("a_cartoon.png").is_file()


def test_devices_lists_the_cpu_and_the_gpus(has_gpu: None) -> None:
    lines = command("devices").stdout.splitlines()
    assert lines[0].startswith("cpu ")
    assert lines[1].startswith("gpu:0 ")
    without = command("devices", **NO_DRIVERS)
    assert [line.split()[0] for line in without.stdout.splitlines()] == ["cpu"]
    assert "mesa-vulkan-drivers" in without.stderr


def test_a_gpu_that_is_not_there(has_gpu: None, photo: str) -> None:
    ended = command(photo, "--device", "gpu:77")
    assert ended.returncode == 2
    assert "there is no gpu:77 here: the last is gpu:" in ended.stderr


def test_without_the_library_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ncnn.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"pip install 'cartoonize\[gpu\]'"):
        Cartoonizer("fast", device="gpu")


@pytest.mark.parametrize(("is_software", "expected"), [(True, "cpu"), (False, "gpu:0")])
def test_auto_takes_a_gpu_that_is_one(is_software: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    monkeypatch.setattr(registry, "devices", lambda: [Device("cpu", ""), Device("gpu:0", "", is_software)])
    monkeypatch.setattr(registry, "_cpu", lambda *args: chosen.append("cpu"))
    monkeypatch.setitem(registry._ENGINES, "gpu", lambda generator, device, *args: chosen.append(device))
    registry.open_engine(load("fast"), "auto", 1)
    assert chosen == [expected]


class SmallMemory:
    """An engine that copies, and has room for so many pixels."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self.seen: list[int] = []

    def __call__(self, photo: NDArray[np.float32]) -> NDArray[np.float32]:
        self.seen.append(photo.shape[1] * photo.shape[2])
        if self.seen[-1] > self.pixels:
            raise OutOfMemoryError("the GPU is full")
        return photo


def test_a_device_without_the_memory_gets_smaller_tiles_then_one_line() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (1200, 1000, 3), np.uint8)
    field = ReceptiveField(4, 61)
    small = SmallMemory(100_000)
    np.testing.assert_array_equal(tiles.generate(small, photo, field), to_network(photo))
    assert small.seen[0] > 100_000 > small.seen[-1]
    with pytest.raises(OutOfMemoryError, match="the GPU is full"):
        tiles.generate(SmallMemory(1000), photo, field)
    with pytest.raises(OutOfMemoryError):
        tiles.generate(SmallMemory(1000), photo, ReceptiveField(4, None))
