from __future__ import annotations

import numpy as np
import pytest

from cartoonize.method.pixels import Image
from cartoonize.training.distillation.variation import CONTRAST, WARMTH, varied

SEEDS = range(12)


def photo(height: int = 20, width: int = 30) -> Image:
    """Colours around the middle, which no variation drives to black or white."""
    return np.random.default_rng(0).integers(110, 146, (height, width, 3), dtype=np.uint8)


def test_a_seed_gives_one_picture_and_another_seed_another() -> None:
    np.testing.assert_array_equal(varied(photo(), 3), varied(photo(), 3))
    assert len({varied(photo(), seed).tobytes() for seed in SEEDS}) == len(SEEDS)


def test_photos_lie_and_stand() -> None:
    assert {varied(photo(), seed).shape for seed in SEEDS} == {(20, 30, 3), (30, 20, 3)}


@pytest.mark.parametrize("seed", SEEDS)
def test_colours_change_by_one_affine_map_rounded_once(seed: int) -> None:
    result = varied(photo(), seed)

    fits = []
    for turns in range(4):
        turned = np.rot90(photo(), turns)
        if turned.shape == result.shape:
            known = np.hstack([turned.reshape(-1, 3), np.ones((turned.size // 3, 1))])
            solution, *_ = np.linalg.lstsq(known, result.reshape(-1, 3).astype(float), rcond=None)
            fits.append((np.abs(known @ solution - result.reshape(-1, 3)).max(), solution))
    worst, colours = min(fits, key=lambda fit: float(fit[0]))

    assert worst < 0.6  # half a level of rounding and the fit's own error
    grey = colours[:3].sum(axis=0)  # what a grey pixel gains in each channel for a level more
    assert np.all(grey > CONTRAST[0] * WARMTH[0] - 0.01)
    assert np.all(grey < CONTRAST[1] * WARMTH[1] + 0.01)


def test_levels_saturate() -> None:
    extremes = np.zeros((8, 8, 3), np.uint8)
    extremes[:4] = 255
    pictures = np.stack([varied(extremes, seed) for seed in SEEDS])

    assert pictures.min() < 30
    assert pictures.max() == 255
