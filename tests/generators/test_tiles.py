from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cartoonize.errors import EngineError
from cartoonize.generators import tiles
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import described, load
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.method.pixels import pad_to_multiple, to_network

sides = st.integers(1, 3000).map(lambda n: 4 * n)


fields = st.builds(ReceptiveField, st.just(4), st.sampled_from([0, 1, 61, 62, 121, 200]))


@given(height=sides, width=sides, field=fields)
def test_tiles_are_aligned_bounded_and_no_larger_than_the_picture(
    height: int, width: int, field: ReceptiveField
) -> None:
    rows, columns = tiles.tile_shape((height, width), field)
    assert rows % 4 == columns % 4 == 0
    assert rows <= height
    assert columns <= width
    assert rows * columns <= (tiles.WHOLE_PIXELS if (rows, columns) == (height, width) else tiles.TILE_PIXELS)


@given(height=sides, width=sides, field=fields)
def test_exact_parts_cover_every_row_once_and_have_their_halo(height: int, width: int, field: ReceptiveField) -> None:
    tile = tiles.tile_shape((height, width), field)[0]
    covered = 0
    for rows, start, stop in tiles._spans(height, tile, field.margin):
        assert rows.stop - rows.start == tile
        assert rows.start % field.alignment == 0
        assert start == covered
        assert rows.start == 0 or start - rows.start >= field.halo
        assert rows.stop == height or rows.stop - stop >= field.halo
        covered = stop
    assert covered == height


@pytest.fixture(scope="module")
def fast() -> LiteRTEngine:
    return LiteRTEngine(load("fast"), threads=2)


@pytest.mark.parametrize("shape", [(560, 520), (301, 999), (1003, 130)])
def test_tiles_give_the_whole_picture_bit_for_bit(
    fast: LiteRTEngine, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    padded = pad_to_multiple(photo, 4)
    whole = fast(to_network(padded)[np.newaxis])[0, : shape[0], : shape[1]]
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(tiles, "TILE_PIXELS", 90_000)
    field = load("fast").field
    assert tiles.tile_shape(padded.shape[:2], field) != padded.shape[:2]
    np.testing.assert_array_equal(tiles.generate(fast, photo, field), whole)


@pytest.mark.slow
def test_tiles_of_the_released_generator_are_exact(released: Path) -> None:
    generator = described(released.read_bytes())
    engine = LiteRTEngine(generator, threads=2)
    photo = np.random.default_rng(0).integers(0, 256, (1300, 1000, 3), np.uint8)
    whole = engine(to_network(photo)[np.newaxis])[0]
    assert tiles.tile_shape((1300, 1000), generator.field) != (1300, 1000)
    np.testing.assert_array_equal(tiles.generate(engine, photo, generator.field), whole)


def test_all_tiles_of_a_photo_have_one_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "WHOLE_PIXELS", 0)
    monkeypatch.setattr(tiles, "TILE_PIXELS", 90_000)
    seen: list[tuple[int, ...]] = []

    def record(x: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(x.shape)
        return x

    photo = np.random.default_rng(0).integers(0, 256, (700, 800, 3), np.uint8)
    shares: list[float] = []
    whole = tiles.generate(record, photo, ReceptiveField(4, 61), shares.append)
    np.testing.assert_array_equal(whole, to_network(photo))
    assert len(seen) > 1
    np.testing.assert_allclose(shares, np.arange(1, len(seen) + 1) / len(seen))
    assert len(set(seen)) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_output_that_is_not_finite_is_an_error(bad: float) -> None:
    def broken(x: NDArray[np.float32]) -> NDArray[np.float32]:
        x[0, 2, 3, 1] = bad
        return x

    with pytest.raises(EngineError, match="not finite"):
        tiles.generate(broken, np.zeros((8, 8, 3), np.uint8), ReceptiveField(4, 61))


def test_a_generator_of_many_channels_gets_smaller_tiles() -> None:
    shape = (1000, 1000)
    assert tiles.tile_shape(shape, ReceptiveField(4, 61, peak=100)) == shape
    rows, columns = tiles.tile_shape(shape, ReceptiveField(4, 61, peak=10_000))
    assert 10_000 * rows * columns <= tiles.MAX_TILE_BYTES


def test_a_halo_too_large_for_any_tile_gets_the_smallest() -> None:
    assert tiles.tile_shape((4000, 4000), ReceptiveField(4, 900)) < (4000, 4000)
