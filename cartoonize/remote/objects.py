"""A picture that is no file: read whole within bounds, written by one request, all or not at all."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError, without_secrets
from cartoonize.media.files import MAX_STREAM, read_bounded
from cartoonize.media.formats import EXTENSIONS
from cartoonize.remote import archives, web
from cartoonize.remote.access import path_in, persistently
from cartoonize.remote.connecting import filesystem
from cartoonize.remote.failures import one_line, status_of
from cartoonize.remote.listing import Existing
from cartoonize.remote.urls import WEB, Url, parse

NO_READING = "not allowed to read it: check the credentials and their rights"
NO_WRITING = "not allowed to write there: check the credentials and their rights"

_NO_RANGE = 416  # the status of answers to requests for bytes that are not there


@dataclass(frozen=True, slots=True)
class Remote:
    """A picture at an address, as source or as sink of a job."""

    url: Url

    def __str__(self) -> str:
        """Return what is shown and kept of it: without the password or the signature that may be in an address."""
        return without_secrets(str(self.url))

    @property
    def format(self) -> str | None:
        """As of `media.stores.Source` and `Sink`."""
        return EXTENSIONS.get(self.url.suffix.lower())

    def content(self) -> bytes:
        """Return what is stored there, at most MAX_STREAM; raises DecodeError."""
        with one_line(DecodeError, self.url, "no such object", NO_READING):
            data = persistently(self.url, lambda: _read(self.url))
        if len(data) > MAX_STREAM:
            raise DecodeError(f"larger than a picture may be: expected at most {MAX_STREAM:,} bytes")
        return data

    def exists(self) -> bool:
        """Never asked for one by one: planning has listed what there is, and `write` refuses what came since."""
        return False

    def is_listed(self) -> bool:
        """Whether there is such an object, asked for now; raises StoreError."""
        return self.url.key in Existing(self.url.at(self.url.key[: self.url.key.rfind("/") + 1]))

    def write(self, data: bytes, *, overwrite: bool) -> None:
        """Put the object there by one request: it is seen complete or not at all; raises as every sink does."""
        with one_line(EncodeError, self.url, "no such bucket", NO_WRITING):
            system = filesystem(self.url.scheme)
            mode = "overwrite" if overwrite else "create"
            try:
                persistently(self.url, lambda: system.pipe_file(path_in(self.url), data, mode=mode))
            except FileExistsError as error:
                raise AlreadyThereError from error


def read(address: str) -> bytes:
    """Return what an address, or a `file://` address, stands for; raises UrlError, DecodeError."""
    place = parse(address)
    if isinstance(place, Url):
        return Remote(place).content()
    try:
        with open(place, "rb") as file:
            return read_bounded(file)
    except OSError as error:
        raise DecodeError(error.strerror or str(error)) from error


def _read(url: Url) -> bytes:
    """Read one byte more than is allowed at most, so that too much is noticed."""
    if url.scheme in WEB:
        return web.read(str(url), MAX_STREAM + 1)
    if url.scheme == "zip":
        return archives.read(url, MAX_STREAM + 1)
    system = filesystem(url.scheme)
    try:
        data: bytes = system.cat_file(path_in(url), start=0, end=MAX_STREAM + 1)
    except Exception as error:  # each library's own
        no_range = status_of(error) == _NO_RANGE or getattr(error, "errno", None) == errno.EINVAL
        if no_range and system.size(path_in(url)) == 0:  # of nothing there is no first byte
            return b""
        raise
    return data
