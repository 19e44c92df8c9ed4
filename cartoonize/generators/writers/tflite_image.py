"""Puts around a generator's flatbuffer what makes a cartoon of a photo: uint8 to [-1, 1], padding, filter, ink, uint8.

All sizes follow from the photo's before anything runs, so that LiteRT plans it in one go and XNNPACK takes it.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cartoonize.generators.card import Card
from cartoonize.generators.generator import Generator
from cartoonize.generators.writers.flatbuffer_additions import Additions, Tensor
from cartoonize.method.guided_filter import guided_filter
from cartoonize.method.inking import paper
from cartoonize.method.pixels import HALF_RANGE, TRUNCATION_GUARD

_ALL = 0b1111  # axes


def write_tflite_image(generator: Generator) -> bytes:
    """Return the flatbuffer of whole cartoons: uint8 [1, h, w, 3] of any size to the same, the card in its metadata."""
    graph = Additions(generator)
    photo = graph.picture("photo", np.uint8)
    network = photo.cast(np.float32) / np.float32(HALF_RANGE) - np.float32(1)
    drawn = graph.draw(_padded(graph, network, generator.field.alignment))
    colors = _cut(graph, _channels(graph, drawn, 0, 3) if generator.inks else drawn, _shape(graph, network))
    picture = _to_image(_guided(network, colors, generator.card))
    if generator.inks:
        size = _shape(graph, _channels(graph, network, 0, 1))
        picture = _inked(graph, picture, _cut(graph, _channels(graph, drawn, 3, 4), size))
    return graph.finished(photo, picture, generator.card)


def _padded(graph: Additions, picture: Tensor, alignment: int) -> Tensor:
    """Repeat the last row and column as `pad_to_multiple` does.

    LiteRT cannot repeat them, but mirrors with the edge: that once, what is then twice there once more, and so on;
    what is too much is cut off.
    """
    if alignment == 1:
        return picture
    steps = [1, alignment, alignment, 1]
    count = _shape(graph, _strided(graph, picture, [0, 0, 0, 0], [0, 0, 0, 0], steps, ends=_ALL))
    size = graph.add("MUL", count, np.array(steps, np.int32), options=schema.MulOptionsT(), like=count)
    more = 1
    while more < alignment:
        pads = np.array([[0, 0], [0, more], [0, more], [0, 0]], np.int32)
        options = schema.MirrorPadOptionsT()
        options.mode = schema.MirrorPadMode.SYMMETRIC
        picture = graph.add("MIRROR_PAD", picture, pads, options=options, like=picture)
        more *= 2
    return _cut(graph, picture, size)


def _cut(graph: Additions, picture: Tensor, size: Tensor) -> Tensor:
    return graph.add("SLICE", picture, np.zeros(4, np.int32), size, options=schema.SliceOptionsT(), like=picture)


def _channels(graph: Additions, picture: Tensor, first: int, end: int) -> Tensor:
    return _strided(graph, picture, [0, 0, 0, first], [0, 0, 0, end], [1, 1, 1, 1], ends=0b0111)


def _strided(
    graph: Additions, picture: Tensor, begin: list[int], end: list[int], steps: list[int], ends: int
) -> Tensor:
    """Slice; `ends`: axes that are taken to their ends, a bit each."""
    options = schema.StridedSliceOptionsT()
    options.endMask = ends
    bounds = (np.array(numbers, np.int32) for numbers in (begin, end, steps))
    channels = picture.shape[3] if ends == _ALL else end[3] - begin[3]
    return graph.add("STRIDED_SLICE", picture, *bounds, options=options, like=picture.of_channels(channels))


def _shape(graph: Additions, picture: Tensor) -> Tensor:
    options = schema.ShapeOptionsT()
    options.outType = schema.TensorType.INT32
    return graph.add("SHAPE", picture, options=options, like=graph.whole_numbers(4))


def _guided(guide: Tensor, drawn: Tensor, card: Card) -> Tensor:
    """Add the guided filter, by its own formulas."""
    filtered: Any = guided_filter(cast(Any, guide), cast(Any, drawn), card.radius, card.eps, cast(Any, _mean))
    return cast(Tensor, filtered)


def _mean(x: Tensor, radius: int) -> Tensor:
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.SAME  # counts no padding
    options.strideH = options.strideW = 1
    options.filterHeight = options.filterWidth = 2 * radius + 1
    return x.of.add("AVERAGE_POOL_2D", x, options=options, like=x)


def _to_image(picture: Tensor) -> Tensor:
    """Add `pixels.to_image`."""
    levels = (picture + np.float32(1)) * np.float32(HALF_RANGE) + np.float32(TRUNCATION_GUARD)
    return levels.clipped(0, 255).cast(np.uint8)


def _inked(graph: Additions, picture: Tensor, ink: Tensor) -> Tensor:
    """Add `inking.inked` with the look's own lines."""
    level = (ink.clipped(0, 1) * np.float32(255)).rounded().cast(np.int32)
    table = graph.constant(paper(1.0, 1.0).astype(np.float32) / np.float32(255))
    light = graph.add("GATHER", table, level, options=schema.GatherOptionsT(), like=ink)
    return (picture.cast(np.float32) * light).rounded().cast(np.uint8)
