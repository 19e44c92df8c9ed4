from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartoonize.method.pixels import (
    Size,
    enlarging,
    level_coefficients,
    pad_to_multiple,
    resize,
    to_image,
    to_network,
    working_shape,
)

ALL_LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)


def test_to_network_spans_minus_one_to_one() -> None:
    network = to_network(ALL_LEVELS)
    assert network.dtype == np.float32
    assert network.min() == -1
    assert network.max() == 1


def test_every_level_survives_the_round_trip() -> None:
    np.testing.assert_array_equal(to_image(to_network(ALL_LEVELS)), ALL_LEVELS)


def test_to_image_clips_and_truncates() -> None:
    network = np.array([[-5.0, -1.0, 0.0, 0.999, 1.0, 5.0]], np.float32)[..., np.newaxis].repeat(3, axis=2)
    assert to_image(network)[0, :, 0].tolist() == [0, 0, 127, 254, 255, 255]


@given(seed=st.integers(0, 2**32 - 1))
def test_level_coefficients_say_the_same_as_network_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (8, 9, 3), np.uint8)
    A, b = (rng.uniform(-1, 1, (8, 9, 3)).astype(np.float32) for _ in range(2))
    expected = to_image(A * to_network(photo) + b).astype(int)
    slope, offset = level_coefficients(A, b)
    rounded = np.clip(np.rint(slope * photo + offset), 0, 255).astype(int)
    # A value within float32's error of a whole level may fall on either side of it.
    assert np.abs(rounded - expected).max() <= 1
    assert np.mean(rounded != expected) < 0.02


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((1024, 756), None, (975, 720)),  # int(720 * 1024 / 756), as the release
        ((966, 1448), None, (720, 1079)),
        ((400, 600), None, (400, 600)),  # not enlarged
        ((400, 600), 720, (720, 1080)),  # enlarged when asked
        ((4000, 6000), "full", (4000, 6000)),
        ((720, 33), None, (720, 33)),
        ((20000, 300), 100, (6666, 100)),
        ((20000, 300), 1, (66, 1)),
        ((1, 1), None, (1, 1)),
    ],
)
def test_working_shape(shape: tuple[int, int], size: int | None, expected: tuple[int, int]) -> None:
    assert working_shape(shape, size) == expected


@given(height=st.integers(1, 10_000), width=st.integers(1, 10_000), size=st.one_of(st.none(), st.integers(1, 3000)))
def test_working_shape_keeps_the_aspect(height: int, width: int, size: int | None) -> None:
    work = working_shape((height, width), size)
    if size is None:
        assert work <= (height, width)
    for side in range(2):
        exact = (height, width)[side] * min(work) / min(height, width)
        assert abs(work[side] - exact) <= 1


@given(height=st.integers(1, 20), width=st.integers(1, 20), multiple=st.sampled_from([1, 4, 8]))
def test_padding_repeats_the_border_and_keeps_the_picture(height: int, width: int, multiple: int) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    padded = pad_to_multiple(photo, multiple)
    assert padded.shape[0] % multiple == padded.shape[1] % multiple == 0
    assert padded.shape[0] - height < multiple
    assert padded.shape[1] - width < multiple
    np.testing.assert_array_equal(
        padded, np.pad(photo, [(0, n - m) for n, m in zip(padded.shape, photo.shape, strict=True)], "edge")
    )


def test_shrinking_averages_pixel_areas() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    blocks = photo.reshape(2, 3, 3, 3, 3).mean(axis=(1, 3))
    assert np.abs(resize(photo, (2, 3)) - blocks).max() <= 0.5


@pytest.mark.parametrize(
    ("shape", "size", "told"),
    [
        ((512, 512), 10_000, "enlarged to 10000x10000 to be drawn, 381 times the work of the default --size"),
        ((3000, 4000), 6000, "enlarged to 8000x6000 to be drawn, 69 times"),
        ((100, 20_000), 720, "enlarged to 144000x720 to be drawn, 51 times"),
        ((4000, 6000), "full", ""),
        ((4000, 6000), 3999, ""),
        ((512, 512), 3000, ""),
        ((100, 20_000), None, ""),
        ((2000, 8000), 2100, ""),
    ],
)
def test_a_photo_that_is_enlarged_to_take_very_long_is_told(shape: tuple[int, int], size: Size, told: str) -> None:
    said = enlarging(shape, size, lambda: 720)
    assert said.startswith(told)
    assert bool(said) == bool(told)
