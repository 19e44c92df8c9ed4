from __future__ import annotations

import socket
import time
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.applications import vgg19
from numpy.typing import NDArray

from cartoonize.errors import WeightsError
from cartoonize.training.whitebox import vgg19 as ours
from cartoonize.training.whitebox.vgg19 import build_vgg19

Floats = NDArray[np.float32]
LAYERS = [f"block{block}_conv{n}" for block, count in enumerate((2, 2, 4, 4), 1) for n in range(1, count + 1)]


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build_vgg19("random")


@pytest.fixture
def image() -> Floats:
    return np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)


def vgg_of(model: keras.Model) -> keras.Model:
    (inner,) = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return inner


def reference(model: keras.Model, image: Floats) -> Floats:
    """Simonyan & Zisserman's network E on Caffe's BGR levels, layer by layer, the last without its ReLU."""
    x = ((image + 1) * 127.5)[..., ::-1] - np.array([103.939, 116.779, 123.68])
    x = tf.constant(x, tf.float32)
    for number, name in enumerate(LAYERS):
        if number and name.endswith("conv1"):
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        layer = vgg_of(model).get_layer(name)
        x = tf.nn.conv2d(x, layer.kernel.value, 1, "SAME") + layer.bias.value
        if name != LAYERS[-1]:
            x = tf.nn.relu(x)
    return x.numpy()


def test_features_are_block4_conv4_before_its_activation(network: keras.Model, image: Floats) -> None:
    result = network(image).numpy()
    assert result.shape == (1, 4, 4, 512)
    assert result.min() < 0
    np.testing.assert_allclose(result, reference(network, image), rtol=1e-4, atol=1e-3 * np.abs(result).max())


def test_random_weights_keep_the_size_and_do_not_follow_the_seed(network: keras.Model, image: Floats) -> None:
    keras.utils.set_random_seed(7)
    result = build_vgg19("random")(image).numpy()
    assert np.array_equal(result, network(image))
    assert 10 < result.std() < 1000


def write_h5(path: Path, model: keras.Model, layers: list[str], group: str = "/") -> None:
    """Write the layers' weights as Keras 2 did, which is how Keras still publishes VGG19."""
    with h5py.File(path, "w") as file:
        top = file.require_group(group)
        top.attrs["layer_names"] = [name.encode() for name in layers]
        for name in layers:
            layer = top.create_group(name)
            weights = {f"{name}_W_1:0": model.get_layer(name).kernel, f"{name}_b_1:0": model.get_layer(name).bias}
            layer.attrs["weight_names"] = [key.encode() for key in weights]
            for key, weight in weights.items():
                layer[key] = weight.numpy()


@pytest.mark.parametrize("group", ["/", "model_weights"])
def test_weights_come_from_a_file(group: str, network: keras.Model, image: Floats, tmp_path: Path) -> None:
    vgg = vgg_of(network)
    doubled = vgg.get_layer(LAYERS[-1]).bias
    before = doubled.numpy()
    doubled.assign(before + 5)
    try:
        write_h5(tmp_path / "vgg19.h5", vgg, LAYERS, group)
    finally:
        doubled.assign(before)
    loaded = build_vgg19(tmp_path / "vgg19.h5")
    np.testing.assert_allclose(loaded(image), network(image) + 5, rtol=1e-5, atol=1e-3)


def test_other_layers_in_the_file_do_not_matter(network: keras.Model, image: Floats, tmp_path: Path) -> None:
    path = tmp_path / "vgg19.h5"
    write_h5(path, vgg_of(network), LAYERS)
    with h5py.File(path, "a") as file:
        file.attrs["layer_names"] = [*(name.encode() for name in LAYERS), b"predictions"]
        file.create_group("predictions").attrs["weight_names"] = []
    assert np.array_equal(build_vgg19(path)(image), network(image))


def test_files_that_are_no_vgg19_are_refused(network: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with pytest.raises(WeightsError, match=r"weights\.h5: expected a \.h5 file of Keras' VGG19"):
        build_vgg19(path)
    path.write_bytes(b"not HDF5")
    with pytest.raises(WeightsError, match="expected"):
        build_vgg19(path)
    write_h5(path, vgg_of(network), LAYERS[:-1])
    with pytest.raises(WeightsError, match="no layer block4_conv4"):
        build_vgg19(path)


def test_weights_of_another_shape_are_refused(network: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    write_h5(path, vgg_of(network), LAYERS)
    with h5py.File(path, "a") as file:
        del file["block1_conv1"]["block1_conv1_W_1:0"]
        file["block1_conv1"]["block1_conv1_W_1:0"] = np.zeros((3, 3, 3, 32), np.float32)
    with pytest.raises(WeightsError, match="expected"):
        build_vgg19(path)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> socket.socket:
    """A server that accepts and never answers, in the place of Keras' own; no copy in Keras' cache."""
    silent = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{silent.getsockname()[1]}/vgg19.h5"
    monkeypatch.setenv("no_proxy", "*")
    get_file = keras.utils.get_file

    def from_here(name: str, origin: str, **options: str) -> str:
        return get_file(name, address, cache_dir=tmp_path, **options)

    monkeypatch.setattr("keras.src.applications.vgg19.file_utils.get_file", from_here)
    monkeypatch.setattr(ours, "_TIMEOUT", 0.5)
    return silent


@pytest.mark.parametrize("listening", [True, False])
def test_an_impossible_download_fails_at_once(listening: bool, server: socket.socket) -> None:
    if not listening:
        server.close()
    start = time.monotonic()
    with server, pytest.raises(WeightsError, match=r"cannot be downloaded .* features\.weights"):
        build_vgg19("imagenet")
    assert time.monotonic() - start < 100
    assert socket.getdefaulttimeout() is None


def test_imagenet_weights_are_keras_own(monkeypatch: pytest.MonkeyPatch, image: Floats) -> None:
    """Where they are at hand, as here a stand-in for them is, they are what the features are made of."""
    keras.utils.set_random_seed(1)
    stand_in = vgg19.VGG19(include_top=False, weights=None)
    monkeypatch.setattr(vgg19, "VGG19", lambda include_top, weights: stand_in)
    network = build_vgg19("imagenet")
    np.testing.assert_allclose(network(image), reference(network, image), rtol=1e-3, atol=1e-3)
    assert vgg_of(network).get_layer("block1_conv1") is stand_in.get_layer("block1_conv1")
