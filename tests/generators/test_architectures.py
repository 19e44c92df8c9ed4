"""The generators against NumPy references written from the method's table, and TensorFlow against LiteRT."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from cartoonize.generators.architecture_names import ArchitectureName
from cartoonize.generators.architectures import ARCHITECTURES, build_compact, build_unet, deepen
from cartoonize.generators.conversion import keras_model
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import described, load
from cartoonize.generators.weights import BUILTIN, locate
from cartoonize.method.pixels import to_network

Floats = NDArray[np.float64]


def conv(x: Floats, kernel: Floats, bias: Floats, stride: int = 1) -> Floats:
    """TensorFlow's SAME convolution: the odd pixel of padding goes to the bottom and right."""
    size = kernel.shape[0]
    out = [-(-n // stride) for n in x.shape[:2]]
    total = [max((o - 1) * stride + size - n, 0) for o, n in zip(out, x.shape[:2], strict=True)]
    padded = np.pad(x, [(total[0] // 2, total[0] - total[0] // 2), (total[1] // 2, total[1] - total[1] // 2), (0, 0)])
    result = np.zeros((*out, kernel.shape[3])) + bias
    for i in range(out[0]):
        for j in range(out[1]):
            window = padded[i * stride : i * stride + size, j * stride : j * stride + size]
            result[i, j] += np.tensordot(window, kernel, 3)
    return result


def leaky(x: Floats) -> Floats:
    return np.where(x > 0, x, 0.2 * x)


def legacy_up2(x: Floats) -> Floats:
    for axis in (0, 1):
        following = np.concatenate([x.take(range(1, x.shape[axis]), axis), x.take([-1], axis)], axis)
        shape = [n * (2 if k == axis else 1) for k, n in enumerate(x.shape)]
        x = np.stack([x, (x + following) / 2], axis + 1).reshape(shape)
    return x


def space_to_depth(x: Floats) -> Floats:
    return np.concatenate([x[i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=2)


def depth_to_space(x: Floats) -> Floats:
    channels = x.shape[2] // 4
    result = np.empty((2 * x.shape[0], 2 * x.shape[1], channels))
    for n, (i, j) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        result[i::2, j::2] = x[..., n * channels : (n + 1) * channels]
    return result


def reference_unet(w: dict[str, list[Floats]], x: Floats, blocks: int) -> Floats:
    x0 = leaky(conv(x, *w["conv"]))
    x1 = leaky(conv(leaky(conv(x0, *w["conv_1"], stride=2)), *w["conv_2"]))
    x2 = leaky(conv(leaky(conv(x1, *w["conv_3"], stride=2)), *w["conv_4"]))
    for n in range(blocks):
        x2 = x2 + conv(leaky(conv(x2, *w[f"block_{n}_conv1"])), *w[f"block_{n}_conv2"])
    x2 = leaky(conv(x2, *w["conv_5"]))
    x3 = leaky(conv(leaky(conv(legacy_up2(x2) + x1, *w["conv_6"])), *w["conv_7"]))
    return conv(leaky(conv(legacy_up2(x3) + x0, *w["conv_8"])), *w["conv_9"])


def reference_compact(w: dict[str, list[Floats]], x: Floats, blocks: int, fine_blocks: int = 0) -> Floats:
    s1 = leaky(conv(space_to_depth(x), *w["stem1"]))
    t = leaky(conv(space_to_depth(s1), *w["stem2"]))
    for n in range(blocks):
        t = t + conv(leaky(conv(t, *w[f"block{n}a"])), *w[f"block{n}b"])
    merged = leaky(conv(depth_to_space(conv(leaky(t), *w["up"])) + s1, *w["merge"]))
    for n in range(fine_blocks):
        merged = merged + conv(leaky(conv(merged, *w[f"fine{n}a"])), *w[f"fine{n}b"])
    return depth_to_space(conv(merged, *w["out"])) + x


def randomised(model: Any) -> dict[str, list[Floats]]:
    """Give every layer random weights, biases too, that keep the signal's size; return them by layer name."""
    rng = np.random.default_rng(0)
    weights: dict[str, list[Floats]] = {}
    for layer in (layer for layer in model.layers if layer.weights):
        shape = layer.weights[0].shape
        kernel = rng.normal(0, 1 / np.sqrt(np.prod(shape[:3])), shape)
        weights[layer.name] = [kernel, rng.normal(0, 0.1, shape[3])]
        layer.set_weights(weights[layer.name])
    return weights


@pytest.mark.parametrize(
    ("build", "reference"),
    [
        (build_unet, reference_unet),
        (build_compact, reference_compact),
        (partial(build_compact, fine_blocks=1), partial(reference_compact, fine_blocks=1)),
    ],
    ids=["unet", "compact", "compact_deep"],
)
@pytest.mark.parametrize("shape", [(4, 4), (12, 8), (8, 20)])
def test_matches_the_numpy_reference(build: Any, reference: Any, shape: tuple[int, int]) -> None:
    model = build(channels=4, blocks=2)
    weights = randomised(model)
    photo = np.random.default_rng(1).uniform(-1, 1, (*shape, 3)).astype(np.float32)
    expected = reference(weights, photo.astype(float), blocks=2)
    np.testing.assert_allclose(np.asarray(model(photo[np.newaxis]))[0], expected, atol=1e-5)


def test_a_deeper_generator_begins_with_the_pictures_of_the_shallow_one() -> None:
    shallow, deep = (build_compact(channels=4, blocks=2, fine_blocks=n) for n in (0, 2))
    randomised(shallow), randomised(deep)
    photo = np.random.default_rng(1).uniform(-1, 1, (1, 12, 8, 3)).astype(np.float32)
    before = np.asarray(deep(photo))

    deepen(shallow, deep)

    expected = np.asarray(shallow(photo))
    np.testing.assert_allclose(np.asarray(deep(photo)), expected, atol=1e-5)
    assert abs(before - expected).max() > 0.1
    assert deep.get_layer("fine1a").get_weights()[0].any()  # a block of nothing but zeros could not learn


def test_a_generator_does_not_go_into_a_shallower_or_another_one() -> None:
    shallow, deep = (build_compact(channels=4, blocks=2, fine_blocks=n) for n in (0, 2))

    for one, other in [(deep, shallow), (build_unet(channels=4), deep), (shallow, build_unet(channels=4))]:
        with pytest.raises(ValueError, match="have other layers"):
            deepen(one, other)


@pytest.mark.parametrize(("name", "architecture"), [("fast", "compact"), ("quality", "compact_deep")])
def test_built_in_weights_are_of_their_architecture(name: str, architecture: str) -> None:
    built_in, expected = keras_model(locate(name)), ARCHITECTURES[architecture]()

    assert [w.shape for w in built_in.weights] == [w.shape for w in expected.weights]


def test_parameter_counts_are_the_documented_ones() -> None:
    assert build_unet().count_params() == 1_467_075
    assert build_compact().count_params() == 541_452
    assert ARCHITECTURES["compact_deep"]().count_params() == 1_040_076


@pytest.mark.parametrize("name", ["fast", "quality", "whitebox"])
def test_tensorflow_and_litert_agree(name: str, coffee: NDArray[np.uint8], request: pytest.FixtureRequest) -> None:
    if name in BUILTIN:
        model, generator = keras_model(locate(name)), load(name)
    else:
        model = keras_model(locate(request.getfixturevalue("shared") / "pretrained"))
        generator = described(request.getfixturevalue("released").read_bytes())
    photo = to_network(coffee[:256, :300])[np.newaxis]
    expected = LiteRTEngine(generator, threads=2)(photo)
    np.testing.assert_allclose(np.asarray(model(photo)), expected, atol=1e-4)


def test_somebody_elses_conversion_of_the_release_agrees(
    shared: Path, coffee: NDArray[np.uint8], released: Path
) -> None:
    """A fixed 224 x 224 flatbuffer, BGR in and out, with the guided filter inside (../shared/README.md)."""
    from ai_edge_litert.interpreter import Interpreter

    from cartoonize.method.guided_filter import guided_filter

    theirs = Interpreter(str(shared / "pretrained" / "whitebox_cartoon_gan_fp16.tflite"))
    theirs.allocate_tensors()
    ours = LiteRTEngine(described(released.read_bytes()), threads=2)
    photo = to_network(coffee[60:284, 100:324])
    theirs.set_tensor(theirs.get_input_details()[0]["index"], photo[np.newaxis, ..., ::-1])
    theirs.invoke()
    expected = theirs.get_tensor(theirs.get_output_details()[0]["index"])[0, ..., ::-1]
    result = guided_filter(photo, ours(photo[np.newaxis])[0])
    assert np.abs(result - expected).max() <= 1e-3


def test_the_names_are_those_of_the_architectures() -> None:
    assert set(get_args(ArchitectureName)) == set(ARCHITECTURES)
