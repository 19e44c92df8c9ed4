"""Folders of pictures to learn from."""

from __future__ import annotations

from pathlib import Path

from cartoonize.errors import DatasetError, DecodeError
from cartoonize.media.codec import decode
from cartoonize.media.color import on_white
from cartoonize.media.formats import is_readable
from cartoonize.method.pixels import Image


def photo_files(folder: Path) -> list[Path]:
    """Return the pictures in a folder and all below it, sorted by path; raises DatasetError when there is no folder."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder of pictures")
    return sorted(path for path in folder.rglob("*") if is_readable(path) and path.is_file())


def read_picture(path: Path) -> Image:
    """Read a picture (the first frame of an animation) as uint8 (H, W, 3): RGB, upright, sRGB, transparency on white.

    Raises DecodeError.
    """
    frame = decode(path).frames[0]
    return on_white(frame.pixels, frame.alpha)


def read_photo(path: Path) -> Image:
    """Do what `read_picture` does; raises DatasetError with the file's name and what to do."""
    try:
        return read_picture(path)
    except DecodeError as error:
        raise DatasetError(f"{path}: {error}; remove it from the training photos") from error
