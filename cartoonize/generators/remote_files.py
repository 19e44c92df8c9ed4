"""What a downloaded file must be, and whether the one that is here is it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RemoteFile:
    """A file of the release: its name, its size in bytes and its git blob id."""

    name: str
    size: int
    blob_id: str


def problem(path: Path, file: RemoteFile) -> str | None:
    r"""Return what is wrong with a downloaded file, or None.

    The git blob id is SHA-1 over "blob <size>\0" + content.
    """
    if not os.path.isfile(path):  # unlike Path.is_file, no error where a folder cannot be searched
        return "missing"
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if len(content) != file.size:
        return f"expected {file.size:,} bytes, found {len(content):,}"
    blob_id = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
    return None if blob_id == file.blob_id else f"expected git blob {file.blob_id}, found {blob_id}"
