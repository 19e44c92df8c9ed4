"""The views that `inspect` shows against those of training, and what each setting changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from cartoonize import Cartoonizer
from cartoonize.generators.card import UNKNOWN
from cartoonize.method import views
from cartoonize.method.comic import comic_views
from cartoonize.method.inking import inked
from cartoonize.method.pixels import to_image, to_network
from cartoonize.pages.photo_views import COMIC_NAMES, NAMES, Knobs, take_apart
from cartoonize.training.whitebox.tensor_views import structure, surface, texture

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def cartoonizer() -> Cartoonizer:
    return Cartoonizer("fast", size=120)


def pictures(photo: Pixels, cartoonizer: Cartoonizer, knobs: Knobs | None = None) -> dict[str, Pixels]:
    return {name: tile.pixels for name, tile in take_apart(photo, cartoonizer, "fast", knobs or Knobs()).items()}


def levels_apart(a: Pixels, b: Pixels) -> int:
    return int(np.abs(a.astype(int) - b).max())


def test_they_are_those_of_training(coffee: Pixels, cartoonizer: Cartoonizer, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = tf.constant([1, 2])
    draw = tf.random.stateless_uniform([3], seed, -views.SPREAD["release"], views.SPREAD["release"])

    class SameDraw:
        def uniform(self, low: float, high: float, size: int) -> NDArray[np.float32]:
            assert (-low, high, size) == (views.SPREAD["release"], views.SPREAD["release"], 3)
            return np.asarray(draw)

    monkeypatch.setattr(np.random, "default_rng", lambda seed: SameDraw())
    shown = pictures(coffee, cartoonizer, Knobs(regions=20))
    batch = to_network(shown["photo"])[None]
    assert np.array_equal(shown["structure"], to_image(structure(batch, regions=20)[0]))
    # The averages and sums of both may differ in the last bit of a float, and then by a level where that is cut off.
    assert levels_apart(shown["surface"], to_image(surface(batch).numpy()[0])) <= 1
    (channel,) = texture([batch], seed, variant="release")
    assert levels_apart(shown["texture"], to_image(channel.numpy()[0])) <= 1


def test_all_are_of_the_working_size_and_named(coffee: Pixels, cartoonizer: Cartoonizer) -> None:
    shown = pictures(coffee, cartoonizer)
    assert tuple(shown) == NAMES
    assert {picture.shape for picture in shown.values()} == {(120, 180, 3)}
    assert {picture.dtype for picture in shown.values()} == {np.dtype(np.uint8)}
    assert (np.ptp(shown["texture"], axis=-1) == 0).all()


def test_the_last_two_are_the_cartoon_before_and_after_the_filter(coffee: Pixels, cartoonizer: Cartoonizer) -> None:
    shown = pictures(coffee, cartoonizer)
    for name, detail in (("raw", 0.0), ("filtered", 1.0)):
        expected = Cartoonizer("fast", size=120, output_size="work", smooth=detail)(coffee)
        assert levels_apart(shown[name], expected) <= 1
    assert levels_apart(shown["raw"], shown["filtered"]) > 20


@pytest.mark.parametrize(
    ("knob", "view"),
    [({"radius": 2}, "surface"), ({"eps": 0.01}, "surface"), ({"regions": 5}, "structure"), ({"seed": 1}, "texture")],
)
def test_a_setting_changes_its_view_only(
    knob: dict[str, float], view: str, coffee: Pixels, cartoonizer: Cartoonizer
) -> None:
    before, after = (pictures(coffee, cartoonizer, knobs) for knobs in (Knobs(), replace(Knobs(), **knob)))
    changed = {name for name in NAMES if not np.array_equal(before[name], after[name])}
    assert changed == {view}


def test_structure_has_as_many_colours_as_its_label_says(coffee: Pixels, cartoonizer: Cartoonizer) -> None:
    tile = take_apart(coffee, cartoonizer, "fast", Knobs(regions=7))["structure"]
    assert tile.settings == "7 regions"
    assert len(np.unique(tile.pixels.reshape(-1, 3), axis=0)) == 7


def test_labels_tell_the_settings(coffee: Pixels, cartoonizer: Cartoonizer) -> None:
    tiles = take_apart(coffee, cartoonizer, "mine.tflite", Knobs(radius=3, eps=0.125, seed=9))
    assert tiles["photo"].settings.endswith("180 x 120 pixels")
    assert tiles["surface"].settings.endswith("radius 3, eps 0.125")
    assert tiles["texture"].settings.endswith("seed 9")
    assert tiles["raw"].settings == "weights mine.tflite"
    assert tiles["filtered"].settings == "radius 1, eps 0.005"


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3)])
def test_tiny_photos(shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 77, np.uint8)
    shown = pictures(photo, Cartoonizer("fast"), Knobs(radius=500))
    assert {picture.shape for picture in shown.values()} == {(*shape, 3)}
    assert levels_apart(shown["surface"], photo) <= 1


def test_a_look_that_draws_ink_shows_the_steps_of_its_procedure(coffee: Pixels) -> None:
    class Inking:
        """Draws what the procedure draws."""

        card = UNKNOWN

        def generate(self, photo: Pixels) -> tuple[Pixels, NDArray[np.float32]]:
            steps = comic_views(photo)
            return photo, np.dstack([to_network(steps.toned), steps.ink])

    shown = pictures(coffee, Inking())  # type: ignore[arg-type]
    assert tuple(shown) == NAMES + COMIC_NAMES
    steps = comic_views(coffee)
    for name in ("calm", "flat", "toned"):
        assert np.array_equal(shown[name], getattr(steps, name))
    assert np.array_equal(shown["ink"], shown["drawn_ink"])
    assert (shown["ink"][steps.ink == 0] == 255).all()
    assert shown["ink"][steps.ink > 0.95].max() < 30
    assert np.array_equal(shown["inked"], inked(shown["filtered"], steps.ink))
