"""Lists of paths, as other programs write them -> lines."""

from __future__ import annotations

import os
from typing import IO

from cartoonize.errors import CartoonizeError, DecodeError
from cartoonize.jobs.sources import Line
from cartoonize.media.files import read_bounded

MAX_BYTES = 64 * 2**20  # half a million long paths

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


class ListError(CartoonizeError):
    """A list that cannot be read: a usage error."""


def read_list(file: IO[bytes]) -> list[Line]:
    """Return the lines of a list: one path a line, or a NUL after each; text where a byte order mark says so.

    Without a mark names are the bytes they are. Raises ListError when it is longer than MAX_BYTES or no such list.
    """
    try:
        content = read_bounded(file, MAX_BYTES)
    except DecodeError as error:
        raise ListError(f"the list is no list of paths: {error}") from error
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _split(_decoded(content[len(mark) :], encoding))
    if b"\0\n" in content or b"\n\0" in content or b"\0\r" in content:
        raise ListError("the list is UTF-16 without a byte order mark: save it as UTF-8")
    return _split(os.fsdecode(content))


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ListError(f"the list is damaged: its mark says {encoding}, it is not: save it as UTF-8") from error


def _split(text: str) -> list[Line]:
    names = text.split("\0") if "\0" in text else text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [Line(name) for name in names if name]
