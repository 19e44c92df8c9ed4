"""A generator's model card: what its graph cannot tell, kept as JSON in the flatbuffer's metadata."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from cartoonize.errors import WeightsError
from cartoonize.method import guided_filter
from cartoonize.method.pixels import DEFAULT_SHORT_SIDE

METADATA_NAME = "cartoonize"
MAX_CARD_BYTES = 16 * 1024
_BUFFER_ALIGNMENT = 16  # bytes; of constants in LiteRT's schema, which Python's writer does not know


@dataclass(frozen=True)
class Card:
    """Who made a generator, under which licence, and how its output is meant to be used.

    short_side: the working size in pixels. radius, eps: of the guided filter after it.
    """

    title: str = ""
    licence: str = ""
    source: str = ""
    short_side: int = DEFAULT_SHORT_SIDE
    radius: int = guided_filter.RADIUS
    eps: float = guided_filter.EPS

    def __post_init__(self) -> None:
        for name in ("title", "licence", "source"):
            text = getattr(self, name)
            if not isinstance(text, str) or len(text) > 1000 or not all(c.isprintable() for c in text):
                raise ValueError(f"{name} is not one line of text")
        for name, lowest, highest in (("short_side", 16, 8192), ("radius", 1, 64)):
            number = getattr(self, name)
            if type(number) is not int or not lowest <= number <= highest:
                raise ValueError(f"{name} is not a whole number from {lowest} to {highest}")
        if type(self.eps) not in (int, float) or not math.isfinite(self.eps) or not 1e-9 <= self.eps <= 100:
            raise ValueError("eps is not a number from 1e-9 to 100")


UNKNOWN = Card()


def read_card(metadata: dict[str, bytes]) -> Card:
    """Read the card among a flatbuffer's metadata; defaults where there is none. Raises WeightsError."""
    text = metadata.get(METADATA_NAME)
    if text is None:
        return UNKNOWN
    try:
        if len(text) > MAX_CARD_BYTES:
            raise ValueError(f"{len(text):,} bytes")
        entries: dict[str, Any] = json.loads(text)
        known = {field.name for field in fields(Card)}
        return Card(**{name: value for name, value in entries.items() if name in known})
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise WeightsError(f"its model card is damaged ({error})") from error


def with_card(flatbuffer: bytes, card: Card) -> bytes:
    """Return a flatbuffer of ours with this card in its metadata; what it computes stays the same."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    data = list(json.dumps(asdict(card)).encode())
    model.metadata = model.metadata or []
    places = [entry.buffer for entry in model.metadata if entry.name == METADATA_NAME.encode()]
    if places:
        model.buffers[places[0]].data = data
    else:
        entry, buffer = schema.MetadataT(), schema.BufferT()
        entry.name, entry.buffer, buffer.data = METADATA_NAME, len(model.buffers), data
        model.buffers.append(buffer)
        model.metadata.append(entry)
    builder = _Builder(len(flatbuffer))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _Builder(flatbuffers.Builder):  # type: ignore[misc]  # ships no types
    """Aligns long vectors, so that constants lie where an engine can use them in place."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:  # noqa: N802  the base's names
        """Begin a vector."""
        long = elemSize * numElems >= _BUFFER_ALIGNMENT
        start: int = super().StartVector(elemSize, numElems, _BUFFER_ALIGNMENT if long else alignment)
        return start
