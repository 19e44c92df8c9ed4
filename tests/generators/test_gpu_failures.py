"""A GPU whose memory is full or that is lost, by a Vulkan layer between ncnn and the real driver; and its process."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cartoonize import Cartoonizer
from cartoonize.cli.app import cartoonize
from cartoonize.errors import EngineError, OutOfMemoryError
from cartoonize.generators.engines import vulkan
from cartoonize.generators.engines.vulkan import VulkanEngine
from cartoonize.generators.generator import load
from cartoonize.media import codec

from . import graphs
from .conftest import FailingGpu, command

PHOTO = np.zeros((1, 64, 64, 3), np.float32)


def noise(path: Path, height: int, width: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)).save(path)
    return path


@pytest.fixture
def light(tmp_path: Path) -> Path:
    """Weights of a generator that computes little on many pixels."""
    (tmp_path / "light.tflite").write_bytes(graphs.flatbuffer(graphs.mirrored))
    return tmp_path / "light.tflite"


@pytest.mark.slow
def test_too_little_memory_means_smaller_tiles_and_the_same_picture(
    failing_gpu: FailingGpu, light: Path, tmp_path: Path
) -> None:
    photo = noise(tmp_path / "photos" / "a.png", 1000, 1000)
    results = []
    for name, environment in (("free", {}), ("tight", failing_gpu(bytes=40_000_000))):
        ended = command(photo, "-w", light, "--size", "full", "--device", "gpu", "-o", tmp_path / name, **environment)
        assert ended.returncode == 0, ended.stderr
        results.append((tmp_path / name / "a.png").read_bytes())
    assert results[0] == results[1]


@pytest.mark.slow
def test_what_did_not_fit_is_not_tried_again(
    failing_gpu: FailingGpu, light: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in failing_gpu(bytes=40_000_000).items():
        monkeypatch.setenv(name, value)
    engine = VulkanEngine(load(light), "gpu", 2, "float32")
    tried: list[Any] = []
    draw = vulkan._Process.draw
    monkeypatch.setattr(vulkan._Process, "draw", lambda self, photo: tried.append(photo.shape) or draw(self, photo))
    for side, fits in ((1000, False), (100, True), (1000, False), (100, True)):
        photo = np.zeros((1, side, side, 3), np.float32)
        if fits:
            assert engine(photo).shape == photo.shape
        else:
            with pytest.raises(OutOfMemoryError, match=f"the GPU could not take {side}x{side} pixels"):
                engine(photo)
    assert tried == [(3, 1000, 1000), (3, 100, 100), (3, 100, 100)]


@pytest.mark.slow
def test_no_tile_is_small_enough(failing_gpu: FailingGpu, tmp_path: Path) -> None:
    noise(tmp_path / "photos" / "a.png", 40, 60)
    noise(tmp_path / "photos" / "b.png", 40, 60)
    ended = command(tmp_path / "photos", "-o", tmp_path / "out", "--device", "gpu", **failing_gpu(bytes=15_000_000))
    assert ended.returncode == 1
    lines = ended.stderr.splitlines()
    assert len([line for line in lines if "the GPU could not take 60x40 pixels: out of memory" in line]) == 2
    assert not [line for line in lines if "Traceback" in line]
    assert not list((tmp_path / "out").rglob("*.png"))


def test_a_device_that_is_lost_is_begun_anew(failing_gpu: FailingGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in failing_gpu(submits=3).items():
        monkeypatch.setenv(name, value)
    engine = VulkanEngine(load("fast"), "gpu", 2, "float32")
    expected = engine(PHOTO)
    with pytest.raises(OutOfMemoryError, match="out of memory, or the device is lost"):
        engine(PHOTO)
    np.testing.assert_array_equal(engine(PHOTO), expected)


def test_a_device_that_takes_nothing_is_no_silent_cpu(failing_gpu: FailingGpu, tmp_path: Path) -> None:
    photo = noise(tmp_path / "a.png", 40, 60)
    ended = command(photo, "--device", "gpu", **failing_gpu(submits=0))
    assert ended.returncode == 2
    assert "does not take the generator: out of memory, or the device is lost" in ended.stderr
    assert not (tmp_path / "a_cartoon.png").exists()


def test_a_process_that_is_killed_costs_a_try_and_leaves_nothing(has_gpu: None) -> None:
    engine = VulkanEngine(load("fast"), "gpu", 2, "float32")
    expected = engine(PHOTO)
    assert engine._process is not None
    first = engine._process._running
    os.kill(first.pid, signal.SIGKILL)
    with pytest.raises(OutOfMemoryError):
        engine(PHOTO)
    assert first.returncode is not None
    np.testing.assert_array_equal(engine(PHOTO), expected)
    second = engine._process._running
    del engine
    assert second.returncode is not None, "the process ends with its engine"


def test_the_process_ends_with_the_program_in_the_middle_of_a_picture(has_gpu: None) -> None:
    engine = VulkanEngine(load("fast"), "gpu", 2, "float32")
    process = engine._process
    assert process is not None
    picture = np.zeros((3, 800, 800), np.float32)
    process._send({"shape": picture.shape}, picture.data.cast("B"))
    process._requests.close()
    assert process._answers.read() == b"", "nothing was drawn to its end"
    assert process._running.wait() == 0


def test_a_driver_that_crashes_at_once_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ncnn.py").write_text("import os; os.abort()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for use in (vulkan.devices, lambda: Cartoonizer("fast", device="gpu")):
        with pytest.raises(EngineError, match="the GPU's driver ended the process that asked it"):
            use()


@contextmanager
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int, float, float]]]:
    """Notes of the real parts (what, thread, begin, end): "draw" is the GPU's own time, without waiting for it."""
    events: list[tuple[str, int, float, float]] = []

    def noting(what: str, part: Any) -> Any:
        def noted(*args: Any, **options: Any) -> Any:
            begin = monotonic()
            try:
                return part(*args, **options)
            finally:
                events.append((what, threading.get_ident(), begin, monotonic()))

        return noted

    with monkeypatch.context() as patch:
        for owner, name, what in (
            (vulkan._Process, "draw", "draw"),
            (codec, "decode", "decode"),
            (codec.Prepared, "encoded", "encode"),
        ):
            patch.setattr(owner, name, noting(what, getattr(owner, name)))
        yield events


def test_while_the_gpu_draws_the_cores_decode_and_encode(
    has_gpu: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        noise(tmp_path / "photos" / f"{number}.png", 400, 400)
    with traced(monkeypatch) as events:
        arguments = [str(tmp_path / "photos"), "-o", str(tmp_path / "out"), "--size", "96", "--device", "gpu"]
        ended = CliRunner().invoke(cartoonize, arguments)
    assert ended.exit_code == 0, ended.output
    draws = sorted(event[2:] for event in events if event[0] == "draw")
    assert len(draws) == 4
    assert all(end <= begin for (_, end), (begin, _) in pairwise(draws)), "one picture at a time"
    inside = [
        what
        for what, thread, begin, end in events
        for drawing, other, first, last in events
        if what != "draw" and drawing == "draw" and thread != other and first <= begin and end <= last
    ]
    assert {"decode", "encode"} <= set(inside), json.dumps(events)
