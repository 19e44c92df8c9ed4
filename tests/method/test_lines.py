"""Lines of pictures whose edges are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cartoonize.method.lines import Flow, along, edge_flow, ink_lines

Floats = NDArray[np.float32]
EDGE = 40  # column of the first dark pixel, of pictures 80 wide


def lab(light: Floats) -> Floats:
    """A grey picture of this lightness, L* of 0...100."""
    return cv2.merge([light, np.zeros_like(light), np.zeros_like(light)])


def step(contrast: float, height: int = 80) -> Floats:
    light = np.full((height, 80), 70, np.float32)
    light[:, EDGE:] -= np.float32(contrast)
    return lab(light)


@pytest.mark.parametrize("contrast", [10, 20, 40, 70])
def test_a_line_lies_on_the_dark_side_of_an_edge_and_nowhere_else(contrast: float) -> None:
    ink = ink_lines(step(contrast))[20:60]
    assert (ink[:, EDGE : EDGE + 3].max(axis=1) > 0.9).all()
    assert ink[:, : EDGE - 1].max() < 0.05
    assert ink[:, EDGE + 5 :].max() < 0.05


def test_no_ink_on_one_colour_nor_on_a_soft_gradient() -> None:
    assert ink_lines(lab(np.full((50, 60), 33, np.float32))).max() == 0
    ramp = np.linspace(0, 100, 200, dtype=np.float32)
    assert ink_lines(lab(np.tile(ramp, (60, 1))))[:, 10:-10].max() < 0.01


def test_thicker_lines_are_thicker() -> None:
    thin, thick = (ink_lines(step(30), thickness=t)[20:60].sum() for t in (0.8, 2.0))
    assert thick > 1.6 * thin


def test_twice_the_amount_draws_half_the_contrast() -> None:
    contrasts = np.arange(1, 40, 0.5)
    faintest = [
        next(c for c in contrasts if ink_lines(step(c), amount=amount)[40, EDGE : EDGE + 3].max() > 0.5)
        for amount in (0.5, 1, 2)
    ]
    # Its own contrast is a part of an edge's surroundings, so the ratio is a little more than 2.
    np.testing.assert_array_less(np.multiply(2, faintest[1:]), np.add(faintest[:-1], 0.6))
    np.testing.assert_array_less(faintest[:-1], np.multiply(4, faintest[1:]))


def test_pieces_do_not_show(coffee: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    picture = cv2.cvtColor(coffee.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    whole = ink_lines(picture)
    monkeypatch.setattr("cartoonize.method.lines._PIECE_ROWS", 50)
    pieces = ink_lines(picture)
    assert whole.max() > 0.99
    np.testing.assert_allclose(pieces, whole, atol=1e-3)


def test_noise_is_not_drawn_but_an_edge_in_it_is() -> None:
    rng = np.random.default_rng(0)
    noise = lab(cv2.GaussianBlur(rng.normal(0, 4, (160, 160)).astype(np.float32), (0, 0), 1) + 50)
    assert np.mean(ink_lines(noise) > 0.5) < 0.01
    noise[:, 80:, 0] -= 25
    assert np.mean(ink_lines(noise)[20:140, 80:83].max(axis=1) > 0.5) > 0.95


def test_an_edge_of_colour_alone_has_a_direction() -> None:
    picture = lab(np.full((40, 80), 50, np.float32))
    picture[:, EDGE:, 1] = 40
    flow = edge_flow(picture)
    assert np.abs(flow.y[20, EDGE]) > 0.99
    assert flow.coherence[20, EDGE] > 0.9


@given(angle=st.floats(0, np.pi))
@settings(max_examples=20)
def test_the_flow_of_a_straight_edge_is_its_direction(angle: float) -> None:
    y, x = np.mgrid[-30:31, -30:31]
    light = 50 + 20 * np.tanh((x * np.sin(angle) - y * np.cos(angle)) / 2)
    flow = edge_flow(lab(light.astype(np.float32)))
    assert abs(flow.x[30, 30] * np.cos(angle) + flow.y[30, 30] * np.sin(angle)) > 0.99


def test_smoothing_along_a_flow_matches_a_sum() -> None:
    values = np.random.default_rng(1).uniform(0, 1, (7, 40)).astype(np.float32)
    ones, zeros = np.ones_like(values), np.zeros_like(values)
    steps = np.arange(-3, 4) * 2.0
    weights = np.exp(-(steps**2) / (2 * 3.0**2))
    expected = sum(w * values[:, 20 + int(s)] for s, w in zip(steps, weights, strict=True)) / weights.sum()
    smoothed = along(values, Flow(ones, zeros, ones), sigma=3.0, stride=2.0)
    np.testing.assert_allclose(smoothed[:, 20], expected, rtol=1e-5)
