"""What lies around a generator in an ONNX model of pictures: uint8 to [-1, 1], padding, guided filter, ink, uint8."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cartoonize.generators.card import Card
from cartoonize.generators.generator import Generator
from cartoonize.generators.writers.onnx_nodes import Nodes
from cartoonize.method.inking import paper
from cartoonize.method.pixels import HALF_RANGE, TRUNCATION_GUARD, to_network

_INT32, _FLOAT, _UINT8 = 6, 1, 2  # of onnx.TensorProto


def around(nodes: Nodes, photo: str, generator: Generator, draw: Callable[[str], str]) -> str:
    """Add what makes a cartoon, uint8 [1, 3, h, w], of a photo, the same, with what `draw` adds for the generator."""
    levels = nodes.keep(to_network(np.arange(256, dtype=np.uint8)[:, None, None]).reshape(256))
    network = nodes.add("Gather", levels, nodes.add("Cast", photo, to=_INT32))
    drawn = _in_bounds(nodes, network, generator.field.alignment, draw)
    if not generator.inks:
        return _to_image(nodes, _guided(nodes, network, drawn, generator.card))
    colors = nodes.add("Slice", drawn, nodes.sizes(0), nodes.sizes(3), nodes.sizes(1))
    ink = nodes.add("Slice", drawn, nodes.sizes(3), nodes.sizes(4), nodes.sizes(1))
    return _inked(nodes, _to_image(nodes, _guided(nodes, network, colors, generator.card)), ink)


def _in_bounds(nodes: Nodes, network: str, alignment: int, draw: Callable[[str], str]) -> str:
    """Pad to the alignment as `pad_to_multiple` does, draw, and cut back."""
    size = nodes.add("Slice", nodes.add("Shape", network), nodes.sizes(2), nodes.sizes(4))
    step = nodes.sizes(alignment)
    missing = nodes.add("Mod", nodes.add("Sub", step, nodes.add("Mod", size, step)), step)
    pads = nodes.add("Concat", nodes.sizes(0, 0, 0, 0, 0, 0), missing, axis=0)
    drawn = draw(nodes.add("Pad", network, pads, mode="edge"))
    return nodes.add("Slice", drawn, nodes.sizes(0, 0), size, nodes.sizes(2, 3))


def _guided(nodes: Nodes, guide: str, drawn: str, card: Card) -> str:
    """Add the guided filter (`method.guided_filter`, whose names these are)."""

    def mean(x: str) -> str:
        window, pad = [2 * card.radius + 1] * 2, [card.radius] * 4
        return nodes.add("AveragePool", x, kernel_shape=window, pads=pad, count_include_pad=0)

    def product(x: str, y: str) -> str:
        return nodes.add("Mul", x, y)

    mean_I, mean_p = mean(guide), mean(drawn)
    cov_Ip = nodes.add("Sub", mean(product(guide, drawn)), product(mean_I, mean_p))
    var_I = nodes.add("Sub", mean(product(guide, guide)), product(mean_I, mean_I))
    A = nodes.add("Div", cov_Ip, nodes.add("Add", var_I, nodes.numbers(card.eps)))
    b = nodes.add("Sub", mean_p, product(A, mean_I))
    return nodes.add("Add", product(mean(A), guide), mean(b))


def _to_image(nodes: Nodes, picture: str) -> str:
    """Add `pixels.to_image`."""
    levels = nodes.add("Mul", nodes.add("Add", picture, nodes.numbers(1)), nodes.numbers(HALF_RANGE))
    guarded = nodes.add(
        "Clip", nodes.add("Add", levels, nodes.numbers(TRUNCATION_GUARD)), nodes.numbers(0), nodes.numbers(255)
    )
    return nodes.add("Cast", guarded, to=_UINT8)


def _inked(nodes: Nodes, picture: str, ink: str) -> str:
    """Add `inking.inked` with the look's own lines."""
    bounded = nodes.add("Clip", ink, nodes.numbers(0), nodes.numbers(1))
    level = nodes.add("Cast", nodes.add("Round", nodes.add("Mul", bounded, nodes.numbers(255))), to=_INT32)
    light = nodes.add("Gather", nodes.keep(paper(1.0, 1.0).astype(np.float32) / 255), level)
    lit = nodes.add("Round", nodes.add("Mul", nodes.add("Cast", picture, to=_FLOAT), light))
    return nodes.add("Cast", lit, to=_UINT8)
