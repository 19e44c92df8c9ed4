"""ONNX's Resize, of its many kinds those that the flatbuffer's operators are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from cartoonize.generators.readers.draft import Draft
from cartoonize.generators.readers.onnx_node import NCHW, Node, Picture

_SAME_PLACES = "half_pixel", "pytorch_half_pixel"


def _resize(draft: Draft, node: Node) -> Picture:
    picture = node.picture(0, NCHW)
    name, options = _manner(node)
    tensor = picture.tensor
    factors = _factors(draft, node, tensor)
    whole = factors[0] if factors[0] >= 1 else 1 / factors[0]
    if whole.denominator != 1 or factors[1] != factors[0] or node.attributes.get("antialias"):
        raise node.refused(f"by {float(factors[0]):.3g} x {float(factors[1]):.3g}")
    size = draft.add("SLICE", draft.shape_of(tensor), draft.constant([1]), draft.constant([2]))
    by = draft.constant([int(whole)] * 2)
    size = draft.add("MUL" if factors[0] >= 1 else "FLOOR_DIV", size, by)
    return Picture(draft.add(name, tensor, size, **options))


def _factors(draft: Draft, node: Node, tensor: int) -> tuple[Fraction, Fraction]:
    """Return by what height and width grow."""
    place = 1 if node.kind == "Upsample" or len(node.inputs) == 2 else 2  # as of before version 11, with no region
    scales, sizes = node.option("scales", place), node.option("sizes", 3)
    if sizes:
        _, height, width, _ = draft.shape(tensor)
        return Fraction(int(sizes[-2]), height), Fraction(int(sizes[-1]), width)
    if not scales or len(scales) != 4 or scales[:2] != [1, 1]:
        raise node.refused("of other axes than height and width")
    rows, columns = (Fraction(float(scale)).limit_denominator(64) for scale in scales[2:])
    if min(rows, columns) <= 0:
        raise node.refused("to nothing")
    return rows, columns


def _manner(node: Node) -> tuple[str, dict[str, float]]:
    mode = node.text("mode", "nearest")
    early = node.kind == "Upsample" or len(node.inputs) == 2
    places = node.text("coordinate_transformation_mode", "asymmetric" if early else "half_pixel")
    rounding = node.text("nearest_mode", "floor" if early else "round_prefer_floor")
    if mode == "nearest" and (
        (places == "asymmetric" and rounding == "floor") or (places in _SAME_PLACES and rounding.startswith("round"))
    ):
        return "RESIZE_NEAREST_NEIGHBOR", {}
    if mode in ("linear", "bilinear") and places in ("asymmetric", "align_corners", *_SAME_PLACES):
        return "RESIZE_BILINEAR", {
            "AlignCorners": places == "align_corners",
            "HalfPixelCenters": places in _SAME_PLACES,
        }
    raise node.refused(f"of mode {mode} at {places} positions")


RESIZES: dict[str, Callable[[Draft, Node], Picture]] = {"Resize": _resize, "Upsample": _resize}
