from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartoonize.errors import WeightsError
from cartoonize.generators.card import METADATA_NAME, Card, read_card, with_card
from cartoonize.generators.engines.litert import LiteRTEngine
from cartoonize.generators.generator import described, load
from cartoonize.generators.weights import BUILTIN, listing

CARD = Card("A look", "CC0", "nowhere", short_side=512, radius=2, eps=0.25)


def test_a_card_written_is_read_and_the_graph_is_the_same() -> None:
    plain = load("fast")
    changed = described(with_card(plain.content, CARD))
    assert changed.card == CARD
    assert changed.graph.operators == plain.graph.operators
    photo = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    np.testing.assert_array_equal(LiteRTEngine(changed, 1)(photo), LiteRTEngine(plain, 1)(photo))
    assert described(with_card(changed.content, Card())).card == Card()


def test_what_has_no_card_gets_the_defaults() -> None:
    assert read_card({}) == Card(short_side=720, radius=1, eps=5e-3)


@pytest.mark.parametrize("name", BUILTIN)
def test_built_in_weights_carry_their_licence(name: str) -> None:
    card = load(name).card
    assert card.title
    assert card.source
    assert card.licence == next(info.licence for info in listing() if info.name == name)


@pytest.mark.parametrize(
    "entries",
    [
        {"radius": 0},
        {"radius": 1.5},
        {"radius": True},
        {"short_side": 10**9},
        {"eps": 0},
        {"eps": "x"},
        {"eps": float("nan")},
        {"title": 3},
        {"licence": "two\nlines"},
        {"source": "\x1b[31m"},
        {"title": "x" * 5000},
        [1],
        None,
    ],
)
def test_cards_out_of_range_are_refused(entries: Any) -> None:
    with pytest.raises(WeightsError, match="its model card is damaged"):
        read_card({METADATA_NAME: json.dumps(entries).encode()})


@given(st.binary())
def test_any_bytes_are_a_card_or_one_line(content: bytes) -> None:
    try:
        read_card({METADATA_NAME: content})
    except WeightsError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(WeightsError, match="damaged"):
        read_card({METADATA_NAME: b"[" * 16_000})
