"""Writing a file all or not at all; reading no more than there can be."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError

MAX_STREAM = 2**30
"""Most bytes that are read of a stream, whose end nobody knows."""

_CHUNK = 2**20
_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.part")
_HERE, _NO_REPLACE = -100, 1  # AT_FDCWD and RENAME_NOREPLACE of Linux
_OLD = 3600  # seconds since the last change: nobody writes to it any more

_NO_HARD_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES)
_REASONS = {
    errno.ENOSPC: "no space left on the disk: free some or choose another output folder",
    errno.EDQUOT: "the disk quota is used up: free some or choose another output folder",
    errno.EACCES: "not allowed to write there: choose another output folder",
    errno.EPERM: "not allowed to write there: choose another output folder",
    errno.EROFS: "the disk is read-only: choose another output folder",
    errno.ENAMETOOLONG: "the file name or path is too long for this disk: choose a shorter one",
    errno.EISDIR: "a folder has this name: choose another output",
    errno.ENOTDIR: "a part of the path is a file, expected a folder: choose another output",
}


def read_bounded(stream: IO[bytes], limit: int = MAX_STREAM) -> bytes:
    """Read a stream to its end; raises DecodeError when it has more than `limit` bytes, as /dev/zero has."""
    content = BytesIO()
    while chunk := stream.read(_CHUNK):
        content.write(chunk)
        if content.tell() > limit:
            raise DecodeError(f"more than {limit // 2**20} MiB came in: expected a file that ends")
    return content.getvalue()


def write_problem(target: Path) -> str | None:
    """Return why a file cannot be written under a name, as far as can be told without writing; None if it can.

    Missing folders are no problem.
    """
    try:
        if stat.S_ISDIR(os.stat(target).st_mode):
            return _REASONS[errno.EISDIR]
    except FileNotFoundError:
        pass
    except OSError as error:  # too long a name, a folder that may not be searched, a file where a folder should be
        return _reason(error)
    there = next(folder for folder in target.absolute().parents if os.path.lexists(folder))
    if not there.is_dir():  # a link to nothing
        return _REASONS[errno.ENOTDIR]
    return None if os.access(there, os.W_OK | os.X_OK) else _REASONS[errno.EACCES]


def write_atomically(target: Path, data: bytes, *, overwrite: bool) -> None:
    """Write `data` to `target` so that nobody ever sees a part of it, creating missing folders.

    Raises EncodeError when it cannot be written, AlreadyThereError when it exists and `overwrite` is off.
    """
    with open_atomically(target, overwrite=overwrite) as file:
        file.write(data)


@contextmanager
def open_atomically(target: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a file that becomes `target` when the block ends, and leaves no trace when it raises.

    Raises EncodeError as `write_atomically` does.
    """
    # Hidden, and short so that it fits where the longest allowed name fits.
    temporary = target.with_name(f".{secrets.token_hex(6)}.part")
    with write_errors():
        make_folder(target.parent)
        try:
            with open(temporary, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # or a power cut could leave the name with nothing behind it
            publish(temporary, target, overwrite=overwrite)
        finally:
            temporary.unlink(missing_ok=True)


def publish(temporary: Path, target: Path, *, overwrite: bool) -> None:
    """Give a complete file its name; FileExistsError when that is taken and `overwrite` is off."""
    if overwrite:
        os.replace(temporary, target)
    else:
        _move_to_free_name(temporary, target)


def remove_leftovers(folder: Path, names: re.Pattern[str] = _TEMPORARY) -> None:
    """Remove temporary files of a killed run: old ones of this user. Raises OSError.

    names: what such files are called, all of the name; by default as `open_atomically` calls them.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if names.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                about = entry.stat(follow_symlinks=False)
                ours = not hasattr(os, "getuid") or about.st_uid == os.getuid()
                if ours and time.time() - about.st_mtime > _OLD:
                    os.unlink(entry.path)


def make_folder(folder: Path) -> None:
    """Make a folder and those around it; raises OSError."""
    missing = []
    while not folder.is_dir():  # one by one: pathlib's own way recurses, and folders can be deeper than that may go
        if os.path.lexists(folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)


def _move_to_free_name(temporary: Path, target: Path) -> None:
    """Give the file its name unless that is taken; FileExistsError when it is, even if by another process just now."""
    try:
        os.link(temporary, target)
        return
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
    # A disk without hard links (FAT, some network disks).
    if not _renamed(temporary, target):
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        os.rename(temporary, target)


def _renamed(temporary: Path, target: Path) -> bool:
    """Rename unless the name is taken, in one step; False where the system or the disk has no such step."""
    if os.name == "nt":
        os.rename(temporary, target)  # refuses a taken name
        return True
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(temporary), _HERE, os.fsencode(target), _NO_REPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number == errno.EEXIST:
        raise FileExistsError(number, os.strerror(number), str(target))
    return False


@contextmanager
def write_errors() -> Iterator[None]:
    """Turn what the disk refuses into one line: EncodeError, AlreadyThereError."""
    try:
        yield
    except FileExistsError as error:
        raise AlreadyThereError from error
    except OSError as error:
        raise EncodeError(_reason(error)) from error


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0, f"cannot be written: {error.strerror or error}")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path that becomes `target` when the block ends and is removed when it raises.

    For writers that insist on a path of their own, whose extension they read.
    """
    partial = target.with_name(f"partial-{target.name}")
    try:
        yield partial
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
