"""Opening film files, which may be damaged or hostile, and one line for whatever FFmpeg says of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import av
from av.error import FFmpegError

from cartoonize.errors import CartoonizeError, DecodeError, EncodeError, first_line

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer

    from cartoonize.media.film.containers import Coding

# Metadata may be in any encoding; a film is worth more than its title. From 19 on PyAV needs not be told.
_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
_REASONS: dict[type[Exception], str] = {
    FileNotFoundError: "no such file: expected the path of a film",
    IsADirectoryError: "is a folder: expected a film",
    PermissionError: "permission denied: make the file readable",
    MemoryError: "not enough memory to decode it",
    av.error.InvalidDataError: "not a film, or a damaged one (a cut-off MP4 has lost its index: copy it again)",
    av.error.EOFError: "it ends before its first frame: copy it again",
    av.error.DecoderNotFoundError: "its video is in a codec that cannot be read here: convert it first",
}


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """Open a film for reading; raises DecodeError when it is none. What is raised inside the block passes."""
    with decode_errors():
        if os.path.getsize(path) == 0:
            raise DecodeError("the file is empty: expected a film")
        container = av.open(f"file:{path}", "r", **_LENIENT)
    with container:
        yield container


def check_encoder(coding: Coding) -> None:
    """Raise EncodeError where the FFmpeg that PyAV was built with lacks an encoder."""
    try:
        av.Codec(coding.codec.encoder, "w")
    except ValueError as error:
        lacking = f"{coding.name} cannot be written here, PyAV was built without {coding.codec.encoder}"
        raise EncodeError(f"{lacking}: choose another --codec") from error


@contextmanager
def decode_errors() -> Iterator[None]:
    """Turn what reading raises into one line."""
    try:
        yield
    except CartoonizeError:
        raise
    except (FFmpegError, OSError, MemoryError, ValueError) as error:
        known = (text for kind, text in _REASONS.items() if isinstance(error, kind))
        reason = getattr(error, "strerror", None) or first_line(error)
        raise DecodeError(next(known, f"cannot be read: {reason}")) from error


@contextmanager
def encode_errors(doing: str) -> Iterator[None]:
    """Turn what FFmpeg raises while writing into EncodeError; OSErrors pass, `files` knows their words."""
    try:
        yield
    except CartoonizeError:
        raise
    except (FFmpegError, ValueError) as error:
        if isinstance(error, OSError):
            raise
        raise EncodeError(f"{doing}: {getattr(error, 'strerror', None) or first_line(error)}") from error
