"""Verified downloads: to a partial file, which a later try continues, then checked, then moved into place."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from cartoonize.errors import WeightsError
from cartoonize.generators.remote_files import RemoteFile, problem
from cartoonize.media.files import remove_leftovers

_CHUNK = 64 * 1024
_TIMEOUT = 30  # seconds without a byte
_OWN_PART = re.compile(r".+\.\d+-\d+\.part")  # of a process that was killed, when it is old


def download(base_url: str, files: Sequence[RemoteFile], folder: Path, progress: Callable[[int], None]) -> None:
    """Bring every file below `base_url` into `folder`, checked against its git blob id; right ones are left alone.

    progress is called with the bytes there are so far, of all files together. Raises WeightsError.
    """
    if not _is_web_address(base_url):
        raise WeightsError(f"{base_url}: expected an http or https address")
    before = 0
    for file in files:
        target = folder / file.name
        if problem(target, file):
            url = urljoin(base_url.rstrip("/") + "/", file.name)
            _fetch(url, file, target, partial(_add, progress, before))
        before += file.size
        progress(before)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:  # http://[x
        return False


def _add(progress: Callable[[int], None], before: int, done: int) -> None:
    progress(before + done)


def _fetch(url: str, file: RemoteFile, target: Path, progress: Callable[[int], None]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent, _OWN_PART)
        with _own_part(target) as part:
            _transfer(url, part, file.size, progress)
            if reason := problem(part, file):
                part.unlink()  # complete and wrong: nothing to continue from
                raise WeightsError(f"{url}: not the authors' file ({reason}); try again, or another --url")
            part.replace(target)
    except WeightsError:
        raise
    except (OSError, HTTPException, ValueError, OverflowError) as error:  # the last two: odd addresses
        raise WeightsError(f"{url}: the download failed ({error}); run the command again to go on") from error


@contextmanager
def _own_part(target: Path) -> Iterator[Path]:
    """Take what an earlier try left, under a name of this process alone; leave what there is for the next try.

    Renaming is atomic, so of two processes one goes on with it and the other begins anew.
    """
    left = target.with_name(f"{target.name}.part")
    part = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    with suppress(FileNotFoundError):
        left.replace(part)
    try:
        yield part
    finally:
        with suppress(FileNotFoundError):
            part.replace(left)


def _transfer(url: str, part: Path, size: int, progress: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have >= size:
        have = 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        with _opener().open(Request(url, headers=headers), timeout=_TIMEOUT) as response:  # noqa: S310  web only
            _append(response, part, have if response.status == 206 else 0, size, progress)
    except HTTPError as error:
        if error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        part.unlink()  # this server does not go on with what another has begun
        _transfer(url, part, size, progress)


class _WebRedirects(HTTPRedirectHandler):
    """Follows redirections to web addresses only."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        """Return the request to go on with."""
        if not _is_web_address(newurl):
            raise URLError(f"sent on to {newurl[:80]}, which is no http or https address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    return build_opener(_WebRedirects)


def _append(response: HTTPResponse, part: Path, have: int, size: int, progress: Callable[[int], None]) -> None:
    with part.open("ab" if have else "wb") as file:
        # One byte beyond the expected size is enough to know that the file is another.
        while have <= size and (chunk := response.read(min(_CHUNK, size + 1 - have))):
            file.write(chunk)
            have += len(chunk)
            progress(have)
    if have < size:
        raise OSError(f"the connection ended after {have:,} of {size:,} bytes")
