"""Whose a training's weights are: the card that its exports carry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cartoonize.errors import shown
from cartoonize.generators.card import Card
from cartoonize.generators.conversion import card_of
from cartoonize.generators.weights import locate

_MOST = 1000  # characters of a card's line


def card_of_run(command: str, folder: Path, title: str, licence: str, parents: Sequence[str | None]) -> Card:
    """Return the card of what a run in `folder` makes.

    parents: weights that it begins with or that taught it, None for none. Their licences hold for what is made from
    them, where no other is given. Raises WeightsError where there are no such weights.
    """
    names = [name for name in parents if name]
    cards = [card_of(locate(name)) for name in names]
    licences = dict.fromkeys(card.licence for card in cards if card.licence)
    origins = [card.title or shown(Path(name).name) for name, card in zip(names, cards, strict=True)]
    source = f"cartoonize {command}" + (f", from: {'; '.join(origins)}" if origins else "")
    return Card((title or shown(folder.name))[:_MOST], (licence or " and ".join(licences))[:_MOST], source[:_MOST])
