"""Cartoonizer: photo -> generator -> guided filter -> photo."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from hashlib import sha256
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from cartoonize import __version__
from cartoonize.errors import ArgumentError, EncodeError, EngineError
from cartoonize.films.maker import FilmMaker
from cartoonize.generators import tiles
from cartoonize.generators.card import Card
from cartoonize.generators.engines.engine import DEVICE_NAME, Precision
from cartoonize.generators.engines.registry import open_engine
from cartoonize.generators.finishing import finish
from cartoonize.generators.generator import load
from cartoonize.machine import available_cores
from cartoonize.media import codec
from cartoonize.media.files import write_atomically
from cartoonize.media.fitting import Wanted, check_file
from cartoonize.media.formats import format_of
from cartoonize.media.measure import measure
from cartoonize.media.pictures import Picture, Pixels, take
from cartoonize.method.pixels import Array, Image, Size, is_count, resize, work_problem, working_shape
from cartoonize.method.retouch import AS_IT_IS, Retouch

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image as PillowImage

    from cartoonize.media.codec import Frame, Photo


class Cartoonizer(FilmMaker):
    """Turns photos into cartoons: white-box cartoonization (Wang & Yu, CVPR 2020), or another look.

    One object may be used from several threads.

    Args:
        weights: a built-in name ("fast", "quality", "comic"), "whitebox" (the authors' release, once fetched), a path.
        size: the short side at which the generator works, in pixels; None is 720 without enlarging, "full" the
            photo's own size.
        output_size: "photo" brings the result to the photo's own size, "work" leaves it at the working size.
        smooth: in [0, 1], δ of the paper's equation 9; 1 is the guided-filtered picture, 0 the generator's own output.
        retouch: lines, the photo's colours and strength, on top of the look.
        device: "cpu" (LiteRT), "gpu" (ncnn on Vulkan; "gpu:1" is another one), or "auto", a GPU if there is one.
        precision: of what a GPU stores: "float16" where it can, or "float32". A CPU has float32.
        threads: cores used by one picture; None is all of them.
        detail: an earlier name of `smooth`.

    Raises:
        ArgumentError: an option is out of range; as all errors here a CartoonizeError, which is a ValueError.
        WeightsError: there are no such weights, or they are damaged.
        EngineError: the device is not there.
    """

    def __init__(
        self,
        weights: str | Path = "fast",
        *,
        size: Size = None,
        output_size: Literal["photo", "work"] = "photo",
        smooth: float = 1.0,
        retouch: Retouch = AS_IT_IS,
        device: str = "cpu",
        precision: Precision = "float16",
        threads: int | None = None,
        detail: float | None = None,
    ) -> None:
        smooth = smooth if detail is None else detail
        _check_options(size, output_size, smooth, device, precision, threads)
        self._size = size
        self._output_size = output_size
        self._smooth = smooth
        self._retouch = retouch
        self._device = device
        self._precision = precision
        self._threads = threads or available_cores()
        self._generator = load(weights)
        self.field = self._generator.field
        self.engine = open_engine(self._generator, device, self._threads, precision)

    @property
    def card(self) -> Card:
        """The generator's model card: title, licence, working size, and the guided filter's radius and eps."""
        return self._generator.card

    @overload
    def __call__(self, picture: Pixels) -> Pixels: ...

    @overload
    def __call__(self, picture: PillowImage.Image | str | os.PathLike[str]) -> PillowImage.Image: ...

    def __call__(self, picture: Picture) -> Pixels | PillowImage.Image:
        """Cartoonize a picture: an array, a Pillow picture or the path of a file.

        Args:
            picture: uint8 (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey in sRGB; or a Pillow picture of any mode and
                profile; or a path, of an animation its first frame.

        Returns:
            The same kind: an array of the same number of channels, (h, w) smaller with output_size="work"; for a
            picture or a path a Pillow picture in sRGB, upright. Grey pictures stay grey, alpha is kept.

        Raises:
            ArgumentError: it is no such picture.
            DecodeError: the file cannot be read as a picture.
            EngineError: the generator's output is not finite, or the working size is beyond 250 million pixels.
        """
        taken = take(picture)
        pixels = self._cartoon(taken.pixels)
        return taken.give_back(pixels, _fitted(taken.alpha, pixels))

    def file(
        self,
        source: str | os.PathLike[str],
        target: str | os.PathLike[str],
        *,
        quality: int | None = None,
        background: tuple[int, int, int] = (255, 255, 255),
        strip_metadata: bool = False,
        overwrite: bool = False,
    ) -> tuple[str, ...]:
        """Cartoonize a file into another as the command line does.

        EXIF, XMP, colour profile, transparency and all frames are carried over where the target's format holds them;
        the target appears when it is complete, in folders that are made.

        Args:
            source: the photo.
            target: the result; its extension is its format.
            quality: 1 to 100, of JPEG, WebP (100 is lossless), AVIF and HEIC; None is the format's default.
            background: laid under transparency in formats without it, RGB.
            strip_metadata: leave EXIF and XMP out.
            overwrite: replace the target if it exists.

        Returns:
            What was changed on the way, in words.

        Raises:
            ArgumentError: the target has no picture's extension or is the photo itself.
            DecodeError: the source cannot be read as a picture.
            EncodeError: the target cannot be written, or exists (AlreadyThereError).
            EngineError: as for a call.
        """
        here, there = Path(source), Path(target)
        check_file(here, there, quality, overwrite=overwrite)
        options = codec.EncodeOptions(str(format_of(there)), quality, background, strip_metadata)
        self.check(here, options.format)
        photo = codec.held(codec.decode(here), options.format)
        encoded = codec.encode(self.photo(photo), options)
        write_atomically(there, encoded.data, overwrite=overwrite)
        return (*photo.notes, *encoded.notes)

    @property
    def identity(self) -> dict[str, Any]:
        """What shapes a cartoon besides the photo, as JSON holds it: the same, the same cartoon."""
        return {
            "program": __version__,
            "generator": sha256(self._generator.content).hexdigest(),
            "size": self._size,
            "output_size": self._output_size,
            "smooth": self._smooth,
            "retouch": asdict(self._retouch),
            "device": self._device,
            "precision": self._precision,
        }

    @property
    def workers(self) -> int:
        """Frames of a film to draw at a time: two at least, so that one is filtered while the other is inferred."""
        return max(2, available_cores() // self._threads) if self._device == "cpu" else 2

    def generate(self, image: Image, progress: Callable[[float], None] | None = None) -> tuple[Image, Array]:
        """Return an image at working size, uint8 (h, w, 3), and the generator's output, float32 (h, w, 3), not clipped.

        A look that draws ink has it as a fourth channel, in [0, 1].
        image: uint8 (H, W, 3) RGB. progress: called with the share of a large picture that is done. `finish` makes the
        cartoon of them. Raises EngineError.
        """
        work = self.work(image)
        return work, tiles.generate(self.engine, work, self.field, progress)

    def work(self, image: Image) -> Image:
        """Return an image, uint8 (H, W, 3), at working size; raises EngineError where that has too many pixels."""
        height, width = working_shape((image.shape[0], image.shape[1]), self._size, self.card.short_side)
        self._check_work(height, width)
        return resize(image, (height, width))

    def check(self, source: Path | bytes, image_format: str, *, salvage: bool = False) -> None:
        """Find out by a photo's header, before any decoding, whether it has a result in a format.

        Raises EncodeError, EngineError where it has none, DecodeError as `codec.decode` does.
        """
        height, width, frames = measure(source, salvage=salvage)
        wanted = Wanted(image_format, self._size, self._output_size)
        if problem := wanted.problem(height, width, frames, lambda: self.card.short_side):
            raise EncodeError(problem)
        self._check_work(*working_shape((height, width), self._size, self.card.short_side))

    def _check_work(self, height: int, width: int) -> None:
        if problem := work_problem(height, width):
            raise EngineError(problem)
        self._generator.check_fits(height, width)

    def finish(self, image: Image, work: Image, cartoon: Array, *, use_up: bool = False) -> Image:
        """Return the cartoon of an image, from what `generate` returned for it.

        use_up: nobody needs the image any more, and the cartoon may be put in its place.
        """
        return finish(image, work, cartoon, self._smooth, self._output_size, self._retouch, self.card, use_up=use_up)

    def photo(self, photo: Photo) -> Photo:
        """Cartoonize every frame of a decoded photo; alpha, timing and metadata are carried over.

        The photo is used up: arrays of it that can be written to may become those of the result.
        """
        return replace(photo, frames=tuple(self._frame(frame) for frame in photo.frames))

    def _frame(self, frame: Frame) -> Frame:
        pixels = self._cartoon(frame.pixels, use_up=True)
        return replace(frame, pixels=pixels, alpha=_fitted(frame.alpha, pixels))

    def _cartoon(self, image: Image, *, use_up: bool = False) -> Image:
        return self.finish(image, *self.generate(image), use_up=use_up)


def _fitted(alpha: Pixels | None, pixels: Image) -> Pixels | None:
    return None if alpha is None else resize(alpha, (pixels.shape[0], pixels.shape[1]))


def _check_options(
    size: object, output_size: object, smooth: float, device: str, precision: object, threads: object
) -> None:
    for name, value, fits, expected in (
        ("size", size, size in (None, "full") or is_count(size), 'a number of pixels, "full" or None'),
        ("output_size", output_size, output_size in ("photo", "work"), '"photo" or "work"'),
        ("smooth", smooth, isinstance(smooth, Real) and 0 <= smooth <= 1, "a number from 0 to 1"),
        ("device", device, DEVICE_NAME.fullmatch(str(device)), '"cpu", "gpu", "gpu:N" or "auto"'),
        ("precision", precision, precision in ("float16", "float32"), '"float16" or "float32"'),
        ("threads", threads, threads is None or is_count(threads), "a number of cores or None"),
    ):
        if not fits:
            raise ArgumentError(f"{name} must be {expected}, got {value!r}")
