"""Keeps what native libraries print about damaged files off the user's terminal: the error is told in our line."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cv2
import PIL


def silence() -> None:
    """Silence libtiff, which prints to standard error by itself, and OpenCV, for the whole process."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    for path in _libtiffs():
        with suppress(OSError, AttributeError):  # one that Pillow does not use
            library = ctypes.CDLL(path)
            for handler in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
                handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
                handler(None)


@contextmanager
def opencv_silenced() -> Iterator[None]:
    """Silence OpenCV for a while: of what it cannot read an error tells."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _libtiffs() -> list[str]:
    """Return the libtiff of Pillow's wheel, which is loaded already, or else the system's."""
    packages = Path(PIL.__file__).parent
    found = [*packages.parent.glob("pillow.libs/libtiff*"), *packages.glob(".dylibs/libtiff*")]
    return [str(path) for path in found] or _libtiff_of_the_system()


def _libtiff_of_the_system() -> list[str]:
    from ctypes.util import find_library  # starts programs to find out, and imports what that takes

    found = find_library("tiff")
    return [found] if found else []
