"""A generator as everything that runs, cuts or exports it sees it: the flatbuffer and what is known from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cartoonize.errors import EngineError, WeightsError
from cartoonize.generators.card import Card, read_card
from cartoonize.generators.graph.reading import Graph, read_graph
from cartoonize.generators.graph.trace import trace
from cartoonize.generators.receptive_field import ReceptiveField, receptive_field
from cartoonize.generators.weights import locate

MAX_BYTES_WHOLE = 4 * 1024**3  # of tensors, for a picture that cannot be cut

MAX_WORK_WHOLE = 10**14  # multiplications, about ten minutes of two cores


@dataclass(frozen=True)
class Generator:
    """A flatbuffer, and what is read from it.

    content: takes float32 RGB [1, h, w, 3] in nominal [-1, 1] and gives the same, or [1, h, w, 4] with ink in [0, 1].
    """

    content: bytes = field(repr=False)
    graph: Graph = field(repr=False)
    field: ReceptiveField
    card: Card

    @property
    def inks(self) -> bool:
        """Whether it draws ink, a fourth channel."""
        return self.graph.tensors[self.graph.target].shape[3] == 4

    def check_fits(self, height: int, width: int) -> None:
        """Raise EngineError when a picture of this size has to be taken whole and is too large for that."""
        if self.field.halo is not None:
            return
        height, width = (side + -side % self.field.alignment for side in (height, width))
        traced = trace(self.graph, height, width)
        if traced.peak > MAX_BYTES_WHOLE or traced.work > MAX_WORK_WHOLE:
            raise EngineError(
                f"this generator sees the whole picture ({self.field.whole_because}), so {width}x{height} cannot be cut"
                f" into tiles: it takes {traced.peak / 1e9:.0f} GB and {traced.work:.0e} multiplications;"
                " choose a smaller --size"
            )


def load(weights: str | Path) -> Generator:
    """Find and read a generator by name or path, converted to a flatbuffer first if it is none.

    Raises WeightsError, with the file's path, when there is none, or it is damaged or nothing that can be run.
    """
    located = locate(weights)
    if located.kind == "flatbuffer":
        path = located.path
    else:
        from cartoonize.generators.converted import cached_flatbuffer

        path = cached_flatbuffer(located)
    try:
        return described(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror or error}") from error
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error


@lru_cache(maxsize=4)  # the machine is shared by what a generator is, before it is loaded to draw
def described(content: bytes) -> Generator:
    """Describe a flatbuffer; raises WeightsError when it is no generator."""
    graph = read_graph(content)
    return Generator(content, graph, receptive_field(graph), read_card(graph.metadata))
