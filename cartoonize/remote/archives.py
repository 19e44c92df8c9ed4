"""Zip archives, on the disk, in a bucket or on the web: their members are read one by one, nothing is unpacked."""

from __future__ import annotations

import threading
import zipfile
from typing import IO, cast

from cartoonize.errors import DecodeError, without_secrets
from cartoonize.remote import web
from cartoonize.remote.access import path_in
from cartoonize.remote.connecting import filesystem
from cartoonize.remote.urls import WEB, Url, is_url, parse

_opening = threading.Lock()
_opened: dict[str, zipfile.ZipFile] = {}


def names(url: Url) -> list[str]:
    """Return the names of all files in the archive of a `zip://` address, sorted; raises what reading it raises."""
    return sorted(info.filename for info in _archive(url.archive).infolist() if not info.is_dir())


def read(url: Url, limit: int) -> bytes:
    """Return a member of an archive, at most `limit` bytes of it; raises DecodeError and what reading it raises."""
    archive = _archive(url.archive)
    try:
        with archive.open(url.key) as member:
            return member.read(limit)
    except KeyError as error:
        raise FileNotFoundError(url.key) from error
    except (RuntimeError, NotImplementedError) as error:  # zipfile's words for a password, for a rare compression
        raise DecodeError(f"cannot be taken out of its archive: {error}") from error


def close() -> None:
    """Close every archive; they stay open otherwise, since their directories may list a million names."""
    with _opening:
        while _opened:
            _opened.popitem()[1].close()


def _archive(place: str) -> zipfile.ZipFile:
    with _opening:
        if place not in _opened:
            try:
                _opened[place] = zipfile.ZipFile(_stream(place) if is_url(place) else place)
            except zipfile.BadZipFile as error:
                raise DecodeError(f"{without_secrets(place)} is no zip archive, or a damaged one") from error
        return _opened[place]


def _stream(place: str) -> IO[bytes]:
    """Open an archive in a store or on a server for reading anywhere in it: only the parts needed are asked for."""
    url = cast("Url", parse(place))  # a file:// address has become a path already
    if url.scheme in WEB:
        import fsspec

        system = fsspec.filesystem(url.scheme, client_kwargs=web.client_options(), skip_instance_cache=True)
        try:
            return cast("IO[bytes]", system.open(place, "rb"))
        except FileNotFoundError as error:  # fsspec's word for whatever went wrong
            raise error.__cause__ or error from None
    return cast("IO[bytes]", filesystem(url.scheme).open(path_in(url), "rb"))
