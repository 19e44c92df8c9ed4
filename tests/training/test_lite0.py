"""Against what PyTorch makes of the published weights: see `examples/lite0_features.py`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize.errors import WeightsError
from cartoonize.method.pixels import to_network
from cartoonize.training.whitebox import lite0
from cartoonize.training.whitebox.config import Features
from cartoonize.training.whitebox.features import LITE0_SCALES, build_features
from cartoonize.training.whitebox.lite0 import TAPS, build_lite0


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build_lite0()


@pytest.fixture(scope="module")
def reference() -> Mapping[str, NDArray[np.generic]]:
    with np.load(Path(__file__).with_name("lite0_reference.npz")) as file:
        return {name: file[name] for name in file.files}


def test_the_maps_are_pytorchs(network: keras.Model, reference: Mapping[str, NDArray[np.generic]]) -> None:
    maps = network(to_network(reference["levels"][0])[None])
    for tap, found, (size, channels) in zip(TAPS, maps, ((8, 40), (4, 112)), strict=True):
        assert found.shape == (1, size, 12 * size // 8, channels)
        size = np.abs(reference[f"file_{tap}"]).mean()
        np.testing.assert_allclose(found, reference[f"file_{tap}"], atol=1e-4 * size)
        rounding = np.abs(found - reference[f"published_{tap}"]).mean()
        assert rounding < 0.01 * size  # the file holds float16


def test_the_frozen_maps_are_scaled_and_pass_gradients(network: keras.Model) -> None:
    features = build_features(Features())
    x = tf.Variable(np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        maps, style = features(x)
        loss = tf.add_n([tf.reduce_mean(found**2) for found in maps])
    assert np.abs(tape.gradient(loss, x)).max() > 0
    for found, unscaled, scale in zip(maps, network(x), LITE0_SCALES, strict=True):
        np.testing.assert_allclose(found, unscaled * scale, rtol=1e-4, atol=1e-4)
    assert [found.shape[1:] for found in style] == [(16, 16, 16), (8, 8, 24), (4, 4, 40), (2, 2, 80), (2, 2, 112)]
    np.testing.assert_allclose(style[2], network(x)[0], rtol=1e-4, atol=1e-3)


def test_random_numbers_are_the_same_each_time_and_keep_the_size() -> None:
    image = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    keras.utils.set_random_seed(7)
    one, other = (build_lite0(random=True)(image) for _ in range(2))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)
        assert 0.1 < np.std(a) < 10


@pytest.mark.parametrize("content", [None, b"no zip", b"PK\x03\x04 cut short"])
def test_a_missing_or_damaged_file_is_one_line(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lite0, "builtin_folder", lambda: tmp_path)
    if content is not None:
        (tmp_path / lite0.FILE).write_bytes(content)
    with pytest.raises(WeightsError, match=r"lite0\.npz: missing or damaged .*; reinstall"):
        build_lite0()
