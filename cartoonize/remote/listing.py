"""What a store holds below a prefix: page by page and in order where the store lists so, else at once and sorted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cartoonize.remote import archives
from cartoonize.remote.access import path_in, persistently
from cartoonize.remote.connecting import filesystem
from cartoonize.remote.failures import StoreError, one_line
from cartoonize.remote.urls import BUCKETS, Url

PAGE = 1000  # names; S3 gives no more by one request
_MISSING = "nothing there: no such bucket or archive"
_NO_LISTING = "not allowed to list it: check the credentials and their rights"


@dataclass(frozen=True)
class Page:
    """Sorted keys, up to `last` of which all are known; `complete` when there are none behind it."""

    keys: list[str]
    last: str
    complete: bool


def keys_below(prefix: Url) -> Iterator[str]:
    """Yield every key that begins with the prefix's, in order of code points; raises StoreError.

    A page is asked for when the one before is used up. Objects that stand for folders, called so with a slash at the
    end, are left out.
    """
    page = page_after(prefix, "")
    yield from page.keys
    while not page.complete:
        page = page_after(prefix, page.last)
        yield from page.keys


def page_after(prefix: Url, after: str) -> Page:
    """Return the first keys below a prefix that are greater than `after`; raises StoreError."""
    with one_line(StoreError, prefix, _MISSING, _NO_LISTING):
        if BUCKETS.get(prefix.scheme) == "s3":
            return persistently(prefix, lambda: _s3_page(prefix, after))
        keys = sorted(key for key in persistently(prefix, lambda: _all_keys(prefix)) if key > after)
        return Page(keys, keys[-1] if keys else after, complete=True)


class Existing:
    """Answers which objects there are below a prefix by listings, not by a request for each.

    Asked in order it takes a request a page, and none for names between; out of order, one more a question.
    """

    def __init__(self, prefix: Url) -> None:
        self._prefix = prefix
        self._keys: frozenset[str] = frozenset()
        self._known: tuple[str, str] | None = None  # every key from the first to the second is in _keys if it exists

    def __contains__(self, key: str) -> bool:
        """Whether there is an object with this key, which begins with the prefix's; raises StoreError."""
        if self._known is None or not self._known[0] <= key <= self._known[1]:
            self._look(key)
        return key in self._keys

    def _look(self, key: str) -> None:
        page = page_after(self._prefix, key[:-1])
        while not page.complete and page.last < key:
            page = page_after(self._prefix, page.last)
        self._keys = frozenset(page.keys)
        self._known = (key, _BEYOND if page.complete else page.last)


_BEYOND = "\U0010ffff"  # greater than any key


def _s3_page(prefix: Url, after: str) -> Page:
    bucket = prefix.root.partition("://")[2].rstrip("/")
    request = {"Bucket": bucket, "Prefix": prefix.key, "MaxKeys": PAGE} | ({"StartAfter": after} if after else {})
    answer = filesystem(prefix.scheme).call_s3("list_objects_v2", **request)
    keys = [entry["Key"] for entry in answer.get("Contents", ())]
    last = keys[-1] if keys else after
    return Page([key for key in keys if not key.endswith("/")], last, not answer["IsTruncated"])


def _all_keys(prefix: Url) -> list[str]:
    if prefix.scheme == "zip":
        names = archives.names(prefix)
    else:
        bucket = path_in(prefix.at(""))
        folder = prefix.at(prefix.key.rpartition("/")[0])
        system = filesystem(prefix.scheme)
        found = system.find(path_in(folder))
        if not found and not system.exists(bucket.rstrip("/")):  # adlfs finds nothing in what is not there
            raise FileNotFoundError(bucket)
        names = [path.removeprefix(bucket) for path in found]
    return [name for name in names if name.startswith(prefix.key)]
