"""Cartoonizer: photo -> generator -> guided filter -> photo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from cartoonize.errors import EngineError
from cartoonize.generators import tiles
from cartoonize.generators.weights import locate
from cartoonize.machine import available_cores
from cartoonize.method.guided_filter import bring_up, detail_coefficients, filter_image
from cartoonize.method.pixels import MAX_PIXELS, Array, Image, Size, resize, working_shape
from cartoonize.method.retouch import AS_IT_IS, Retouch, colors_and_ink, retouched

if TYPE_CHECKING:
    from cartoonize.media.codec import Frame, Photo


class Cartoonizer:
    """Turns photos into white-box cartoons (Wang & Yu, CVPR 2020).

    weights: a built-in name ("fast", "quality"), "whitebox" (the authors' release, once fetched) or a path.
    size: the short side at which the generator works; None is 720 without enlarging, "full" the photo's own size.
    output_size: "photo" brings the result to the photo's own size, "work" leaves it at the working size.
    smooth: in [0, 1], δ of the paper's equation 9; 1 is the guided-filtered picture, 0 the generator's own output.
    retouch: lines, the photo's colours and strength, on top of the look.
    device: "cpu" (LiteRT) or "gpu" (TensorFlow). threads: cores used by one picture; None is all of them.
    detail: an earlier name of `smooth`.
    Raises WeightsError, and EngineError where there is no GPU. One object may be used from several threads.
    """

    def __init__(
        self,
        weights: str | Path = "fast",
        *,
        size: Size = None,
        output_size: Literal["photo", "work"] = "photo",
        smooth: float = 1.0,
        retouch: Retouch = AS_IT_IS,
        device: Literal["cpu", "gpu"] = "cpu",
        threads: int | None = None,
        detail: float | None = None,
    ) -> None:
        smooth = smooth if detail is None else detail
        if not 0 <= smooth <= 1:
            raise ValueError(f"smooth must be in [0, 1], got {smooth}")
        if isinstance(size, int) and size < 1:
            raise ValueError(f"size must be at least 1 pixel, got {size}")
        self._size = size
        self._output_size = output_size
        self._smooth = smooth
        self._retouch = retouch
        self._halo = tiles.halo_of(weights)
        self._generator = _generator(weights, device, threads or available_cores())

    def __call__(self, image: Image) -> Image:
        """Cartoonize an image: uint8 (H, W, 3) RGB to the same; (h, w, 3) with output_size="work".

        Raises EngineError when the generator's output is not finite or the working size beyond MAX_PIXELS, ValueError
        when it is not such an image.
        """
        return finish(image, *self.generate(image), self._smooth, self._output_size, self._retouch)

    def generate(self, image: Image) -> tuple[Image, Array]:
        """Return an image at working size, uint8 (h, w, 3), and the generator's output, float32 (h, w, 3), not clipped.

        A look that draws ink has it as a fourth channel, in [0, 1].
        `finish` makes the cartoon of them; errors as for `__call__`.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ValueError(f"expected a uint8 image (H, W, 3), got {image.dtype} {image.shape}")
        height, width = working_shape((image.shape[0], image.shape[1]), self._size)
        if height * width > MAX_PIXELS:
            raise EngineError(f"too many pixels to work at, {width}x{height}: choose a smaller --size")
        work = resize(image, (height, width))
        return work, tiles.generate(self._generator, work, self._halo)

    def photo(self, photo: Photo) -> Photo:
        """Cartoonize every frame of a decoded photo; alpha, timing and metadata are carried over."""
        return replace(photo, frames=tuple(self._frame(frame) for frame in photo.frames))

    def _frame(self, frame: Frame) -> Frame:
        pixels = self(frame.pixels)
        alpha = frame.alpha
        if alpha is not None:
            alpha = resize(alpha, (pixels.shape[0], pixels.shape[1]))
        return replace(frame, pixels=pixels, alpha=alpha)


def finish(
    photo: Image,
    work: Image,
    cartoon: Array,
    smooth: float = 1.0,
    output_size: Literal["photo", "work"] = "photo",
    retouch: Retouch = AS_IT_IS,
) -> Image:
    """Guide the generator's output by the photo and retouch it, as `Cartoonizer` does with the same settings.

    photo: uint8 (H, W, 3); work, cartoon: what `Cartoonizer.generate` returned for it. Returns uint8 (H, W, 3), or
    (h, w, 3) with output_size="work".
    """
    colors, ink, lines = colors_and_ink(cartoon, retouch.lines)
    goal = photo if output_size == "photo" else work
    return retouched(_guided(goal, work, colors, smooth), goal, retouch, ink, lines)


def _guided(goal: Image, work: Image, colors: Array, smooth: float) -> Image:
    if work.shape < goal.shape:
        return bring_up(goal, *detail_coefficients(work, colors, smooth))
    return resize(filter_image(work, colors, smooth), (goal.shape[0], goal.shape[1]))


def _generator(weights: str | Path, device: str, threads: int) -> tiles.Generator:
    """Load the generator on its engine; LiteRT and TensorFlow are imported only where they are used."""
    located = locate(weights)
    if device == "gpu":
        from cartoonize.generators.conversion import keras_model
        from cartoonize.generators.engines import TensorFlowEngine, gpu_name

        name = gpu_name()
        return TensorFlowEngine(keras_model(located), name)
    from cartoonize.generators.engines import LiteRTEngine

    if located.kind == "flatbuffer":
        return LiteRTEngine(located.path, threads)
    from cartoonize.generators.conversion import cached_flatbuffer

    return LiteRTEngine(cached_flatbuffer(located), threads)
