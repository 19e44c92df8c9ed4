"""Verified downloads: to a partial file, which a later try continues, then checked, then moved into place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import Request, urlopen

from cartoonize.errors import WeightsError
from cartoonize.generators.remote_files import RemoteFile, problem

_CHUNK = 64 * 1024
_TIMEOUT = 30  # seconds without a byte


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
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:  # http://[x
        return False


def _add(progress: Callable[[int], None], before: int, done: int) -> None:
    progress(before + done)


def _fetch(url: str, file: RemoteFile, target: Path, progress: Callable[[int], None]) -> None:
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _transfer(url, part, file.size, progress)
    except (OSError, HTTPException) as error:
        raise WeightsError(f"{url}: the download failed ({error}); run the command again to go on") from error
    if reason := problem(part, file):
        part.unlink()  # complete and wrong: nothing to continue from
        raise WeightsError(f"{url}: not the authors' file ({reason}); try again, or another --url")
    part.replace(target)


def _transfer(url: str, part: Path, size: int, progress: Callable[[int], None]) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if have >= size:
        have = 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with urlopen(Request(url, headers=headers), timeout=_TIMEOUT) as response:  # noqa: S310  the scheme is checked
        _append(response, part, have if response.status == 206 else 0, size, progress)


def _append(response: HTTPResponse, part: Path, have: int, size: int, progress: Callable[[int], None]) -> None:
    with part.open("ab" if have else "wb") as file:
        # One byte beyond the expected size is enough to know that the file is another.
        while have <= size and (chunk := response.read(min(_CHUNK, size + 1 - have))):
            file.write(chunk)
            have += len(chunk)
            progress(have)
    if have < size:
        raise OSError(f"the connection ended after {have:,} of {size:,} bytes")
