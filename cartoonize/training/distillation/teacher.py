"""The teacher's pictures, computed once and kept on disk.

Every photo is cached whole, at the size the teacher saw it, and crops are cut out of it later: the teacher's
context is then the real one and one run feeds any number of crops. Mirroring happens before the teacher, since
its strided convolutions make its picture of a mirrored photo another one than its mirrored picture (30 dB apart).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import DatasetError, DecodeError
from cartoonize.generators.receptive_field import TRAINED
from cartoonize.media.files import remove_leftovers, write_atomically
from cartoonize.media.opening import decode_errors, open_picture
from cartoonize.method.pixels import DEFAULT_SHORT_SIDE, Image, resize, working_shape
from cartoonize.training.distillation.config import PhotoSource, Validation
from cartoonize.training.distillation.variation import varied
from cartoonize.training.photos import photo_files, read_photo


class Example(Protocol):
    """A photo and what the teacher makes of it."""

    @property
    def photo(self) -> Image:
        """The photo, uint8 (H, W, 3)."""

    @property
    def drawn(self) -> NDArray[np.float16]:
        """The teacher's output before the guided filter, float16 (H, W, 3), or 4 with ink as the last channel."""


@dataclass(frozen=True)
class CachedExample:
    """An example on disk, memory-mapped anew by each look: thousands of maps would be too many open files."""

    photo_file: Path
    drawn_file: Path

    @property
    def photo(self) -> Image:
        """The photo, uint8 (H, W, 3)."""
        photo: Image = np.load(self.photo_file, mmap_mode="r")
        return photo

    @property
    def drawn(self) -> NDArray[np.float16]:
        """The teacher's output before the guided filter."""
        drawn: NDArray[np.float16] = np.load(self.drawn_file, mmap_mode="r")
        return drawn


@dataclass(frozen=True)
class Request:
    """A version of a photo to be drawn: short side in pixels (never enlarged), mirrored or not.

    variation: the seed of `variation.varied`, None for the photo's own colours and upright.
    """

    path: Path
    digest: str  # SHA-256 of the file
    short_side: int
    mirrored: bool
    variation: int | None = None


class TeacherCache:
    """Examples on disk in `folder`, drawn by the teacher when they are missing.

    draw: photo, uint8 (H, W, 3), to float32 (H, W, 3 or 4). fingerprint: identifies the teacher, so that two of them
    can share a folder.
    """

    def __init__(self, folder: Path, draw: Callable[[Image], NDArray[np.float32]], fingerprint: str) -> None:
        self._folder = folder
        self._draw = draw
        self._fingerprint = fingerprint
        with suppress(OSError):  # there is no such folder yet
            remove_leftovers(folder)

    def example(self, request: Request) -> Example:
        """Return one example, drawing it first if need be; raises DatasetError when the photo cannot be read."""
        version = f"{request.short_side}{'m' if request.mirrored else ''}"
        if request.variation is not None:
            version += f"v{request.variation}"
        name = f"{self._fingerprint[:8]}-{request.digest[:20]}-{version}"
        photo_file, drawn_file = (self._folder / f"{name}.{part}.npy" for part in ("photo", "drawn"))
        if not drawn_file.is_file():  # written last
            photo = prepared(request)
            _save(photo_file, photo)
            _save(drawn_file, self._draw(photo).astype(np.float16))
        return CachedExample(photo_file, drawn_file)


def prepared(request: Request) -> Image:
    """Return the requested version of a photo, cropped to multiples of 4 at the bottom and right."""
    photo = read_photo(request.path)
    short_side = min(request.short_side, *photo.shape[:2])
    photo = resize(photo, working_shape((photo.shape[0], photo.shape[1]), short_side))
    if request.variation is not None:
        photo = varied(photo, request.variation)
    height, width = (side - side % TRAINED.alignment for side in photo.shape[:2])
    photo = photo[:height, :width]
    return np.ascontiguousarray(photo[:, ::-1] if request.mirrored else photo)


def requests(source: PhotoSource, held_out: frozenset[str], smallest: int) -> list[Request]:
    """List the versions of a source's photos to be drawn, held-out photos (SHA-256) left out.

    A version is drawn at random from the photo's content, so that it stays the same when photos come and go.
    Raises DatasetError when nothing is left, or a photo cannot be read or measures less than `smallest` pixels.
    """
    hashed = [(path, digest(path)) for path in photo_files(source.folder)]
    kept = [(path, digest) for path, digest in hashed if digest not in held_out]
    if not kept:
        raise DatasetError(f"{source.folder}: no photos to learn from (looked for files that cartoonize can read)")
    for path, _ in kept:
        _check_size(path, smallest)
    return [_version(path, digest, copy, source) for copy in range(source.copies) for path, digest in kept]


def _check_size(path: Path, smallest: int) -> None:
    try:
        with decode_errors(), path.open("rb") as stream:
            short_side = min(open_picture(stream).size)
    except DecodeError as error:
        raise DatasetError(f"{path}: {error}; remove it from the training photos") from error
    if short_side < smallest:
        raise DatasetError(f"{path}: its short side is {short_side} pixels: remove it, or set a `crop` up to that")


def digest(path: Path) -> str:
    """Return a file's SHA-256 (hex)."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_held_out(path: Path) -> dict[str, str]:
    """Read a list of held-out photos, lines of `sha256sum`: SHA-256 to file name; raises DatasetError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return dict(line.split(maxsplit=1) for line in lines)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: expected lines of `sha256sum` ({error})") from error


def held_out_photos(validation: Validation, say: Callable[[str], None]) -> dict[str, str]:
    """Return the photos that no training may see: SHA-256 to name in `validation.folder`.

    They are those of the list; where that is missing, or of another folder, some of the folder's own, the same ones
    each time, and `say` is told. Raises DatasetError for a damaged list or an empty folder.
    """
    listed = read_held_out(validation.held_out) if validation.held_out.is_file() else {}
    if any((validation.folder / name).is_file() for name in listed.values()):
        return listed
    files = photo_files(validation.folder)
    if len(files) < 2:
        raise DatasetError(f"{validation.folder}: {len(files)} photos found, at least 2 are needed to hold some out")
    drawn = sorted((digest(path), path) for path in files)[: min(validation.photos, len(files) // 2)]
    say(f"{validation.held_out}: lists no photo of {validation.folder}; held out are {len(drawn)} drawn from there")
    return {found: str(path.relative_to(validation.folder)) for found, path in drawn}


def validation_requests(validation: Validation, held_out: dict[str, str]) -> list[Request]:
    """List the validation photos as the product sees them; raises DatasetError when one is not as listed."""
    wanted = []
    for expected, name in list(held_out.items())[: validation.photos]:
        path = validation.folder / name
        if not path.is_file() or digest(path) != expected:
            raise DatasetError(f"{path}: not the photo listed in {validation.held_out.name}; check `folder`")
        wanted.append(Request(path, expected, DEFAULT_SHORT_SIDE, mirrored=False))
    return wanted


def _version(path: Path, digest: str, copy: int, source: PhotoSource) -> Request:
    rng = np.random.default_rng([int(digest[:16], 16), copy])
    smallest, largest = source.short_side
    short_side, mirrored = int(rng.integers(smallest, largest + 1)), bool(rng.integers(2))
    return Request(path, digest, short_side, mirrored, int(rng.integers(2**32)) if source.varied else None)


def _save(path: Path, array: NDArray[np.generic]) -> None:
    """Write an array so that the file is there whole or not at all."""
    stream = BytesIO()
    np.save(stream, array)
    write_atomically(path, stream.getvalue(), overwrite=True)
