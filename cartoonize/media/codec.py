"""Files and streams -> pixels (`decode`) and back (`encode`), nothing lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import EncodeError
from cartoonize.media.bands import upright
from cartoonize.media.color import flatten, to_palette
from cartoonize.media.formats import ALPHA, ANIMATION, color_name, save_settings, size_problem, timing
from cartoonize.media.metadata import Metadata, completed, save_options
from cartoonize.media.opening import decode_errors, open_picture, opened

_BAND_PIXELS = 1 << 20

__all__ = ["EncodeOptions", "Encoded", "Frame", "Metadata", "Photo", "decode", "encode"]


@dataclass(frozen=True)
class Frame:
    """One picture: `pixels` uint8 (H, W, 3) sRGB and upright, `alpha` uint8 (H, W) or None when opaque.

    `duration` is the time shown in milliseconds, 0 for a still. The arrays may be read-only.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    duration: int = 0


@dataclass(frozen=True)
class Photo:
    """A decoded file: one frame for a still; `format` is Pillow's name; `notes` say what was changed on the way."""

    frames: tuple[Frame, ...]
    metadata: Metadata
    format: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EncodeOptions:
    """How to write: Pillow's `format`; `quality` 1 to 100, None for the format's default, ignored by lossless formats.

    `quality=100` makes a WebP lossless. `background` is laid under transparency where the format has none.
    """

    format: str
    quality: int | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    strip_metadata: bool = False


@dataclass(frozen=True)
class Encoded:
    """The bytes of a file, and what the user should know about them."""

    data: bytes
    notes: tuple[str, ...] = ()


def decode(source: Path | bytes, *, salvage: bool = False) -> Photo:
    """Read the picture in a file, or in the bytes of one, whatever its name says.

    `salvage` takes what is there of a file that is cut short. Raises DecodeError when it is missing, not readable,
    damaged, too large or of a format that is not supported.
    """
    with decode_errors(), BytesIO(source) if isinstance(source, bytes) else opened(source) as stream:
        picture = open_picture(stream, salvage=salvage)
        icc, recolored = picture.found.icc, False
        frames: list[Frame] = []
        notes: list[str] = []
        for shown in picture.frames():
            pixels, alpha, about = upright(shown, picture.found.icc, picture.found.hdr, picture.orientation)
            frames.append(Frame(pixels, alpha, shown.duration if picture.count > 1 else 0))
            icc, recolored = about.icc, about.recolored
            notes += about.notes
        notes = [*picture.notes, *notes]  # a few are known only when all is decoded
        metadata, further = picture.found.metadata(icc, picture.loop, recolored=recolored)
        return Photo(tuple(frames), metadata, picture.format, tuple(dict.fromkeys((*notes, *further))))


def held(photo: Photo, image_format: str) -> Photo:
    """Return a photo with the frames that a format holds, and a note where those are fewer."""
    if len(photo.frames) == 1 or image_format in ANIMATION:
        return photo
    return replace(photo, frames=photo.frames[:1], notes=(*photo.notes, "animation reduced to its first frame"))


def check_size(photo: Photo, image_format: str) -> None:
    """Raise EncodeError where a picture is larger than a format holds: to be known before any work."""
    height, width = photo.frames[0].pixels.shape[:2]
    if problem := size_problem(image_format, width, height):
        raise EncodeError(problem)


@dataclass(frozen=True)
class Prepared:
    """A picture as its encoder takes it: all there is to it, so that the photo can be let go before it is written."""

    images: list[Image.Image]
    metadata: Metadata
    settings: dict[str, Any]
    format: str
    notes: tuple[str, ...]

    def encoded(self) -> Encoded:
        """Write the file; raises EncodeError when the format cannot hold it."""
        data, dropped = _save_with(self.metadata, self.images, self.format, self.settings)
        return Encoded(data, (*self.notes, *dropped))


def encode(photo: Photo, options: EncodeOptions) -> Encoded:
    """Write a picture in the format of `options`; all its frames where the format is one for animations.

    Raises EncodeError when the format cannot hold it.
    """
    return prepare(photo, options).encoded()


def prepare(photo: Photo, options: EncodeOptions, *, use_up: bool = False) -> Prepared:
    """Do of `encode` what needs the photo; raises EncodeError where it is too large for the format.

    use_up: nobody needs its pixels any more, and their memory is given back while they are taken over.
    """
    kept = held(photo, options.format)
    frames, notes = kept.frames, [*kept.notes[len(photo.notes) :]]
    check_size(photo, options.format)
    with_alpha = any(frame.alpha is not None for frame in frames)
    images = [_to_image(frame, with_alpha, use_up=use_up) for frame in frames]
    if with_alpha and options.format not in ALPHA:
        images = [flatten(images[0], options.background)]
        notes.append(f"transparency flattened on {color_name(options.background)}")
    metadata = Metadata(loop=photo.metadata.loop) if options.strip_metadata else photo.metadata
    settings = save_settings(options.format, options.quality, with_alpha)
    if len(frames) > 1:
        settings |= timing(options.format, [frame.duration for frame in frames], metadata.loop)
    return Prepared(images, metadata, settings, options.format, tuple(notes))


def _save_with(
    metadata: Metadata, images: list[Image.Image], image_format: str, settings: dict[str, Any]
) -> tuple[bytes, tuple[str, ...]]:
    embedded, dropped = save_options(metadata, image_format)
    try:
        data = _save(images, image_format, settings | embedded)
        data = completed(data, metadata, image_format)
    except EncodeError as error:
        if not embedded or isinstance(error.__cause__, MemoryError):  # no fault of the metadata
            raise
        return _save(images, image_format, settings), ("its metadata cannot be written here and was left out",)
    return data, dropped


def _to_image(frame: Frame, with_alpha: bool, *, use_up: bool) -> Image.Image:
    owned = use_up and frame.pixels.flags.owndata and frame.pixels.flags.writeable
    image = _taken_over(frame.pixels) if owned else Image.fromarray(frame.pixels)
    if with_alpha:
        image.putalpha(Image.new("L", image.size, 255) if frame.alpha is None else Image.fromarray(frame.alpha))
    return image


def _taken_over(pixels: NDArray[np.uint8]) -> Image.Image:
    """Return pixels as a picture, from the last rows on, and shrink the array by what has been copied."""
    height, width = pixels.shape[:2]
    image = Image.new("RGB", (width, height), None)
    rows = max(1, _BAND_PIXELS // width)
    for top in range((height - 1) // rows * rows, -1, -rows):
        image.paste(Image.fromarray(pixels[top:]), (0, top))
        pixels.resize((top, width, 3), refcheck=False)
    return image


def _save(images: list[Image.Image], image_format: str, arguments: dict[str, Any]) -> bytes:
    if image_format == "HEIF":
        from cartoonize.media.bmff_reader import register_heif

        register_heif(EncodeError)
    if image_format == "GIF":
        images = [to_palette(image) for image in images]
    further = {"save_all": True, "append_images": images[1:]} if len(images) > 1 else {}
    stream = BytesIO()
    try:
        images[0].save(stream, image_format, **arguments, **further)
    except MemoryError as error:
        raise EncodeError(f"not enough memory to write it as {image_format}: choose a smaller size") from error
    except Exception as error:  # each encoder has its own kinds
        reason = str(error) or type(error).__name__
        raise EncodeError(f"cannot be written as {image_format}, choose png: {reason.splitlines()[0]}") from error
    return stream.getvalue()
