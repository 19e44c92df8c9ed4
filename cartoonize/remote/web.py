"""Reading from web servers, which may be slow, endless or hostile: bounded in time and size, no other scheme."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from cartoonize.errors import DecodeError, without_secrets

if TYPE_CHECKING:
    import aiohttp

TOTAL_TIMEOUT = 120.0  # seconds for one request, from the first word to the last byte
CONNECT_TIMEOUT = 10.0  # seconds until there is a connection
SILENCE_TIMEOUT = 30.0  # seconds without a byte
MAX_REDIRECTS = 5


def read(url: str, limit: int) -> bytes:
    """Return what is at a web address, at most `limit` bytes; raises DecodeError, OSError and aiohttp's errors."""
    return asyncio.run(_fetch(url, limit))


def client_options() -> dict[str, Any]:
    """Return what an aiohttp session needs to keep to the bounds, also one that fsspec makes."""
    import aiohttp

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_check_redirect)
    timeout = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT, connect=CONNECT_TIMEOUT, sock_read=SILENCE_TIMEOUT)
    return {"timeout": timeout, "trace_configs": [trace], "trust_env": True}  # the environment names the proxies


async def _fetch(url: str, limit: int) -> bytes:
    import aiohttp
    from yarl import URL

    data = bytearray()
    async with (
        aiohttp.ClientSession(**client_options()) as session,
        session.get(URL(url, encoded=True), max_redirects=MAX_REDIRECTS) as response,
    ):
        _check_status(response)
        async for chunk in response.content.iter_any():
            data += chunk[: limit - len(data)]
            if len(data) >= limit:
                break
    return bytes(data)


def _check_status(response: aiohttp.ClientResponse) -> None:
    if response.status in (404, 410):
        raise FileNotFoundError(response.reason)
    if response.status in (401, 403):
        raise PermissionError(response.reason)
    response.raise_for_status()


async def _check_redirect(_: object, __: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams) -> None:
    """Refuse to go on elsewhere than with the scheme the user gave."""
    there = urljoin(str(params.url), params.response.headers.get("Location", ""))
    if urlsplit(there).scheme != params.url.scheme:
        raise DecodeError(
            f"leads to {without_secrets(there)}, another scheme: give that address itself, if you trust it"
        )
