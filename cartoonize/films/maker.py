"""What a Cartoonizer can do with films; PyAV is imported where a film file is opened."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cartoonize.errors import AlreadyThereError, ArgumentError
from cartoonize.films.drawing import draw
from cartoonize.films.options import AS_USUAL, STEADY, FilmOptions
from cartoonize.generators import tiles
from cartoonize.generators.receptive_field import ReceptiveField
from cartoonize.method.pixels import Array, Image
from cartoonize.method.steadiness import Steady

if TYPE_CHECKING:
    from cartoonize.films.filming import Filmed, Progress


class FilmMaker(ABC):
    """Makes a cartoon in two steps: the generator (`engine`, which sees `field`) at working size, then the finish."""

    engine: tiles.Run
    field: ReceptiveField

    @abstractmethod
    def work(self, image: Image) -> Image:
        """Return an image, uint8 (H, W, 3), at working size."""

    @abstractmethod
    def finish(self, image: Image, work: Image, cartoon: Array) -> Image:
        """Return the cartoon of an image, from it at working size and the generator's output for that."""

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What shapes a cartoon besides the photo, as JSON holds it: the same, the same cartoon."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """Frames of a film to draw at a time."""

    def video(
        self,
        source: str | os.PathLike[str],
        target: str | os.PathLike[str],
        options: FilmOptions = AS_USUAL,
        *,
        overwrite: bool = False,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> Filmed:
        """Cartoonize a film into another as the command line does, sound, subtitles and times kept.

        A run that was stopped is gone on with by the same call; see the page on video.

        Args:
            source: the film.
            target: the result; its extension is its container.
            options: codec and quality, a stretch, how steady.
            overwrite: replace the target if it exists.
            tell: called after every frame.

        Returns:
            How many frames there are, how many were computed, and what to know.

        Raises:
            DecodeError: the source cannot be read as a film.
            EncodeError: the target cannot hold it as asked, or cannot be written, or exists (AlreadyThereError).
            EngineError: as for a call.
        """
        from cartoonize.films.commission import commission
        from cartoonize.films.filming import Filming

        here, there = Path(source), Path(target)
        if not overwrite and os.path.lexists(there):
            raise AlreadyThereError
        return Filming(commission(here, there, options), self).run(tell, overwrite=overwrite)

    def frames(self, pictures: Iterable[Image], *, steady: float = STEADY) -> Iterator[Image]:
        """Cartoonize the frames of a film that somebody else reads and writes, in order, several at a time.

        Args:
            pictures: uint8 (H, W, 3) RGB, one after the other.
            steady: 0 (each for itself) to 1, how far a frame's cartoon is blended with the one before.

        Yields:
            Their cartoons, a few behind what was read.
        """
        steadied = Steady(steady)
        for drawn in draw(self, ((_checked(picture), None) for picture in pictures)):
            yield steadied(drawn.photo, drawn.result)


def _checked(picture: Image) -> Image:
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ArgumentError("frames are expected as arrays, uint8 (H, W, 3) RGB")
    return picture
