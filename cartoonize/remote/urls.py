"""Addresses: what is one, what its parts are, what names lie below it. Text only, nothing is asked of any store."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from cartoonize.errors import CartoonizeError

BUCKETS: Mapping[str, str] = MappingProxyType(
    {"s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure"}
)
"""Scheme of an object store -> the extra that brings what talks to it."""
WEB = ("https", "http")
KNOWN = "s3://, gs://, az://, https://, file:// or zip://NAMES::ARCHIVE"

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://", re.ASCII)
_SIGNS = "*?["
_NONE_ON_WINDOWS = re.compile(
    r"\A(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|\Z)|[<>:\"|?*\x00-\x1f]|[ .]\Z",
    re.IGNORECASE,
)


class UrlError(CartoonizeError):
    """What looks like an address is none of those that can be used."""


@dataclass(frozen=True, slots=True)
class Url:
    """An address: `root` up to the bucket and its slash, `key` in it as it is stored, `tail` what follows the key.

    In `zip://a/*.jpg::s3://b/x.zip` the key is `a/*.jpg` and the tail `::s3://b/x.zip`; of a web address the tail is
    the query. As of a path: name, stem, suffix.
    """

    root: str
    key: str
    tail: str = ""

    def __str__(self) -> str:
        return f"{self.root}{self.key}{self.tail}"

    @property
    def scheme(self) -> str:
        """The scheme in lower case."""
        return self.root.partition("://")[0]

    @property
    def archive(self) -> str:
        """The address or path of the archive a `zip://` address is in."""
        return self.tail[2:]

    @property
    def name(self) -> str:
        """The last part of the key; of a web address with its escapes undone."""
        name = self.key.rpartition("/")[2]
        return unquote(name).rpartition("/")[2] if self.scheme in WEB else name

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return posixpath.splitext(self.name)[0]

    @property
    def suffix(self) -> str:
        """The last part of the name from its dot on, or nothing; as of pathlib, ".jpg" alone has none."""
        return posixpath.splitext(self.name)[1]

    @property
    def writable(self) -> bool:
        """Whether results can be put there."""
        return self.scheme in BUCKETS

    @property
    def is_pattern(self) -> bool:
        """Whether it could stand for several objects; in a web address the signs mean something else."""
        return self.scheme not in WEB and any(sign in self.key for sign in _SIGNS)

    def at(self, key: str) -> Url:
        """Return the address of another key in the same place."""
        return replace(self, key=key)

    def folder(self) -> Url:
        """Return the address as that of a folder: its key ends with a slash, or is empty."""
        return self if not self.key or self.key.endswith("/") else self.at(f"{self.key}/")


def is_url(text: str) -> bool:
    """Whether a text is an address and not the path of a file."""
    return _ADDRESS.match(text) is not None


def parse(text: str) -> Url | str:
    """Return the address in a text, or of a `file://` address the path; raises UrlError."""
    match = _ADDRESS.match(text)
    scheme = match["scheme"].lower() if match else ""
    if match is None or (scheme != "zip" and "::" in text):
        raise UrlError(f"expected {KNOWN}")
    rest = text[match.end() :]
    if scheme == "file":
        return _local_path(rest)
    if scheme == "zip":
        return _in_archive(rest)
    if scheme not in BUCKETS and scheme not in WEB:
        raise UrlError(f"{scheme}:// is not supported: expected {KNOWN}")
    place, _, key = rest.partition("/")
    if scheme in WEB:
        return _web(text, scheme)
    if not place or "@" in place:
        raise UrlError(f"expected {scheme}://BUCKET/NAME (the account is told by the environment)")
    return Url(f"{scheme}://{place}/", key)


def unsafe_place(place: str) -> bool:
    """Whether a name from a store would lead out of a folder, or nowhere, if it was taken as a path below it."""
    parts = re.split(r"[/\\]", place)
    if os.name == "nt" and any(map(no_name_on_windows, parts)):
        return True
    return not parts[0] or "\0" in place or bool(os.path.splitdrive(place)[0]) or not {".", ".."}.isdisjoint(parts)


def no_name_on_windows(part: str) -> bool:
    """Whether Windows would make another file of a name, or none: a device, a stream, a sign, a dot at the end."""
    return _NONE_ON_WINDOWS.search(part) is not None


def _local_path(rest: str) -> str:
    host, _, path = rest.partition("/")
    if host not in ("", "localhost"):
        raise UrlError("file:// with a host: expected file:///PATH")
    return url2pathname(f"/{path}")


def _in_archive(rest: str) -> Url:
    inner, separator, archive = rest.partition("::")
    if not separator or not archive or (is_url(archive) and _ADDRESS.sub("", archive) == ""):
        raise UrlError("expected zip://NAMES::ARCHIVE, as in 'zip://*.jpg::s3://bucket/photos.zip'")
    if is_url(archive):
        outer = parse(archive)
        if isinstance(outer, Url) and outer.scheme == "zip":
            raise UrlError("a zip inside a zip is not read")
        archive = str(outer)
    return Url("zip://", inner.lstrip("/"), f"::{archive}")


def _web(text: str, scheme: str) -> Url:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as error:
        raise UrlError(str(error)) from error
    if not host:
        raise UrlError(f"names no host: expected {scheme}://HOST/NAME")
    return Url(f"{scheme}://{parts.netloc}/", parts.path.removeprefix("/"), f"?{parts.query}" if parts.query else "")
