"""What is derived from a graph, against what its results really depend on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cartoonize import Cartoonizer
from cartoonize.errors import EngineError, WeightsError
from cartoonize.generators import generator as generators
from cartoonize.generators import tiles
from cartoonize.generators.architectures import ARCHITECTURES
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import Generator, described, load
from cartoonize.generators.receptive_field import TRAINED
from cartoonize.method.pixels import to_network

from . import graphs

HALOS = {"unet": 62, "compact": 61, "compact_deep": 121, "compact_ink": 61}
LOCAL: dict[Callable[[Any], Any], int] = {
    graphs.strided_and_transposed: 4,
    graphs.mirrored: 1,
    graphs.pooled: 2,
    graphs.half_pixel: 2,
    graphs.dilated: 1,
    graphs.split_and_joined: 1,
    graphs.blocks_of_three: 3,
}
GLOBAL = {graphs.instance_norm: "MEAN", graphs.squeeze: "MEAN", graphs.attention: "RESHAPE"}


@pytest.fixture(scope="module", params=list(ARCHITECTURES))
def architecture(request: pytest.FixtureRequest, untrained: Callable[[str], Generator]) -> tuple[str, Generator]:
    return request.param, untrained(request.param)


def reach(generator: Generator, axis: int) -> int:
    """How far a changed row of a picture changes the result, at most: measured by running the generator."""
    engine = LiteRTEngine(generator, threads=2)
    shape = [1, 24, 24, 3]
    length = shape[axis + 1] = 24 * (2 * (generator.field.halo or 0) // 24 + 3)
    photo = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    before = engine(photo)
    farthest = 0
    for row in range(length // 2, length // 2 + generator.field.alignment):
        changed = photo.copy()
        changed.swapaxes(0, axis + 1)[row] *= -1
        others = tuple(k for k in range(4) if k != axis + 1)
        rows = np.flatnonzero((engine(changed) != before).any(axis=others))
        farthest = max(farthest, row - rows.min(), rows.max() - row)
    return int(farthest)


def test_the_halos_of_what_this_program_trains(architecture: tuple[str, Generator]) -> None:
    name, generator = architecture
    assert generator.field.halo == HALOS[name]
    assert generator.field.alignment == TRAINED.alignment
    assert max(HALOS.values()) == TRAINED.halo


@pytest.mark.parametrize(("name", "halo"), [("fast", 61), ("quality", 121)])
def test_built_in_weights_are_described_by_their_own_files(name: str, halo: int) -> None:
    assert load(name).field.halo == halo


@pytest.mark.parametrize("graph", LOCAL, ids=lambda graph: graph.__name__)
@pytest.mark.parametrize("axis", [0, 1])
def test_the_halo_is_how_far_a_pixel_really_reaches(graph: Callable[[Any], Any], axis: int) -> None:
    generator = graphs.generator(graph)
    assert generator.field.alignment == LOCAL[graph]
    assert generator.field.halo == reach(generator, axis) > 0


def cut(generator: Generator, photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> NDArray[np.float32]:
    """Run the generator over a photo in several tiles."""
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(tiles, "TILE_PIXELS", max(10_000, 17 * generator.field.margin**2))
    assert tiles.tile_shape((photo.shape[0], photo.shape[1]), generator.field) != photo.shape[:2]
    return tiles.generate(LiteRTEngine(generator, threads=2), photo, generator.field)


@pytest.mark.parametrize("graph", LOCAL, ids=lambda graph: graph.__name__)
def test_tiles_of_any_local_generator_are_exact(graph: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    generator = graphs.generator(graph)
    photo = np.random.default_rng(0).integers(0, 256, (240, 360, 3), np.uint8)
    whole = LiteRTEngine(generator, threads=2)(to_network(photo)[np.newaxis])[0]
    np.testing.assert_array_equal(cut(generator, photo, monkeypatch), whole)


def test_tiles_of_what_this_program_trains_are_exact(
    architecture: tuple[str, Generator], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, generator = architecture
    side = 5 * generator.field.margin
    photo = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    whole = LiteRTEngine(generator, threads=2)(to_network(photo)[np.newaxis])[0]
    np.testing.assert_array_equal(cut(generator, photo, monkeypatch), whole)


@pytest.mark.parametrize("graph", GLOBAL, ids=lambda graph: graph.__name__)
def test_a_generator_that_sees_the_whole_picture_is_never_cut(
    graph: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = graphs.generator(graph)
    assert generator.field.halo is None
    assert generator.field.whole_because == GLOBAL[graph]
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 0)
    photo = np.random.default_rng(0).integers(0, 256, (60, 40, 3), np.uint8)
    engine = LiteRTEngine(generator, threads=2)
    whole = engine(to_network(photo)[np.newaxis])[0]
    np.testing.assert_array_equal(tiles.generate(engine, photo, generator.field), whole)


def test_corners_that_are_aligned_make_every_tile_another_picture() -> None:
    assert graphs.generator(graphs.corners_aligned).field.halo is None


def test_a_picture_too_large_to_be_taken_whole_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "norm.tflite"
    path.write_bytes(graphs.flatbuffer(graphs.instance_norm))
    cartoonizer = Cartoonizer(path, size="full")
    assert cartoonizer(np.zeros((40, 60, 3), np.uint8)).shape == (40, 60, 3)
    with pytest.raises(EngineError, match=r"sees the whole picture \(MEAN\), so 10000x9000 cannot be cut .* 6 GB"):
        cartoonizer(np.zeros((9000, 10000, 3), np.uint8))


def test_attention_over_many_pixels_is_refused_by_its_own_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = graphs.generator(graphs.attention)
    generator.check_fits(60, 40)
    monkeypatch.setattr(generators, "MAX_BYTES_WHOLE", 10**8)
    with pytest.raises(EngineError, match="choose a smaller --size"):
        generator.check_fits(100, 100)


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (graphs.shrinking, r"makes \[1, 480, 480, 3\] of \[1, 960, 960, 3\]: expected the same size"),
        (graphs.another_size, "expected the same size"),
        (graphs.unknown, "the operator SIN is not one that a generator may have"),
        (graphs.turned, "the operator REVERSE_V2 is not one"),
    ],
)
def test_other_graphs_are_refused_in_one_line(graph: Callable[[Any], Any], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "other.tflite"
    path.write_bytes(graphs.flatbuffer(graph))
    with pytest.raises(WeightsError, match=reason) as caught:
        Cartoonizer(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"), [("half", "expected the same size"), ("loop", "is not one that a generator may have")]
)
def test_the_hostile_ones_that_were_found(name: str, reason: str, shared: Path) -> None:
    with pytest.raises(WeightsError, match=reason):
        Cartoonizer(shared / "inputs" / "hostile" / f"{name}.tflite")


def test_damaged_graphs_are_refused_or_run(tmp_path: Path) -> None:
    """One byte changed at a time, in the part that is not weights: a line, or a generator; never anything else."""
    content = graphs.flatbuffer(graphs.half_pixel)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(content)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        try:
            described(bytes(damaged))
        except WeightsError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017  most of these are fine
    assert refused > 20
