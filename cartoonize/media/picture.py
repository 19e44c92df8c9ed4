"""A file that is opened as a picture: what its header and container say, its pixels when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.metadata import SIDEWAYS, Found
from cartoonize.method.pixels import MAX_PIXELS

TOO_LARGE = f"too many pixels: expected at most {MAX_PIXELS // 1_000_000} million, all frames together"
DEEP = "reduced from 16 to 8 bits per channel"
_MOST_FRAMES = 10_000


class Shown(NamedTuple):
    """One frame: `alpha` is transparency where the mode of `image` holds none, `duration` in milliseconds."""

    image: Image.Image
    alpha: Image.Image | None = None
    duration: int = 0


@dataclass
class Picture:
    """What is known before a pixel is decoded.

    format: Pillow's name. size: width and height as stored, in pixels. orientation: EXIF's, still to be applied to what
    `frames` yields; `turned_on_decoding` has been. `frames` decodes; `draft`, where it is there, decodes a JPEG at
    about the longest side that it is told; `notes` say what was changed. Raises DecodeError where there are too many
    pixels.
    """

    format: str
    size: tuple[int, int]
    frames: Callable[[], Iterator[Shown]]
    found: Found = field(default_factory=Found)
    orientation: int = 1
    turned_on_decoding: int = 1
    count: int = 1
    loop: int | None = None
    notes: list[str] = field(default_factory=list)
    draft: Callable[[int], Image.Image] | None = None

    def __post_init__(self) -> None:
        check_pixels(*self.size, self.count)

    def animate(self, count: int, loop: int) -> None:
        """Take up how many frames there are and, where more than one, how often they are played (0: forever)."""
        if count > _MOST_FRAMES:
            raise DecodeError(f"an animation of {count} frames: expected at most {_MOST_FRAMES}, cut it first")
        check_pixels(*self.size, count)
        self.count, self.loop = count, loop if count > 1 else None

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as the picture is seen."""
        width, height = self.size
        return (height, width) if {self.orientation, self.turned_on_decoding} & set(SIDEWAYS) else (width, height)


def check_pixels(width: int, height: int, count: int = 1) -> None:
    """Raise DecodeError where so many frames of a size are more than this program takes."""
    if width * height * count > MAX_PIXELS:
        raise DecodeError(TOO_LARGE)


def judge_cut(picture: Picture, missing: int, *, salvage: bool) -> None:
    """Note that a file is cut; raise DecodeError where rows of its pixels are missing that nobody wants left out."""
    if not missing:
        picture.notes.append("its end is missing, but none of its pixels")
        return
    picture.notes.append(rows_note(missing, picture.size[1], salvage=salvage))


def rows_note(missing: int, rows: int, *, salvage: bool) -> str:
    """Return in words how many rows of pixels are missing; raise DecodeError where nobody wants what is there."""
    text = f"cut short: {missing} of its {rows} rows are missing or not whole"
    if not salvage:
        raise DecodeError(f"{text} (--salvage does what is there)")
    return text


def judge_frames(picture: Picture, whole: int, *, salvage: bool) -> None:
    """Note that a file of frames is cut behind `whole` ones; raise DecodeError where nobody wants what is there."""
    many = f"only its first {whole} frames are" if whole > 1 else "only its first frame is"
    text = f"cut short: {many} whole" if whole else "cut short: its first frame is not whole"
    if not salvage:
        raise DecodeError(f"{text} (--salvage does what is there)")
    picture.notes.append(text)


def check_bytes(length: int, missing: int) -> None:
    """Raise DecodeError where `missing` bytes behind `length` ones are missing of what nothing can be drawn without."""
    if missing:
        raise DecodeError(f"cut short: {missing} of its {length + missing} bytes are missing: get the whole file again")


def still(image: Image.Image) -> Iterator[Shown]:
    """Decode the one frame of a picture."""
    image.load()
    yield Shown(image)


def all_frames(image: Image.Image) -> Iterator[Shown]:
    """Decode the frames of a picture one by one."""
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        yield Shown(image, None, round(image.info.get("duration") or 0))
