"""Files too large to be held in memory, from a store to a disk and back."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError
from cartoonize.media.files import open_atomically
from cartoonize.remote.access import path_in, persistently
from cartoonize.remote.connecting import filesystem
from cartoonize.remote.failures import one_line
from cartoonize.remote.listing import keys_below
from cartoonize.remote.objects import NO_READING, NO_WRITING, Remote
from cartoonize.remote.urls import BUCKETS, Url

if TYPE_CHECKING:
    from pathlib import Path


def fetch(url: Url, path: Path) -> None:
    """Bring an object to a file, all or nothing; raises DecodeError, EncodeError where the disk cannot hold it.

    What is not in a bucket is bounded like a picture.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if url.scheme not in BUCKETS:
        data = Remote(url).content()
        with open_atomically(path, overwrite=True) as file:
            file.write(data)
        return
    with one_line(DecodeError, url, "no such object", NO_READING):
        system = filesystem(url.scheme)
        size = persistently(url, lambda: system.size(path_in(url))) or 0
        if size > (free := shutil.disk_usage(path.parent).free):
            raise EncodeError(f"its {size / 1e6:.1f} MB do not fit into {path.parent}: {free / 1e6:.1f} MB are free")
        with open_atomically(path, overwrite=True) as file:
            persistently(url, lambda: system.get_file(path_in(url), file.name))


def send(path: Path, url: Url, *, overwrite: bool) -> None:
    """Put a file into a store: it is seen there complete or not at all; raises EncodeError, AlreadyThereError."""
    with one_line(EncodeError, url, "no such bucket", NO_WRITING):
        system = filesystem(url.scheme)
        mode = "overwrite" if overwrite else "create"
        try:
            persistently(url, lambda: system.put_file(os.fspath(path), path_in(url), mode=mode))
        except FileExistsError as error:
            raise AlreadyThereError from error


def remove(url: Url) -> None:
    """Remove an object of ours; raises EncodeError."""
    with one_line(EncodeError, url, "no such object", NO_WRITING):
        system = filesystem(url.scheme)
        persistently(url, lambda: system.rm_file(path_in(url)))


def remove_below(folder: Url) -> None:
    """Remove all objects of a folder of ours; raises EncodeError, StoreError."""
    for key in list(keys_below(folder)):
        remove(folder.at(key))
