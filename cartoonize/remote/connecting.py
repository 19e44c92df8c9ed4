"""File systems of stores, set up so that tries, timeouts and words are ours and not those of their libraries."""

from __future__ import annotations

import logging
import os
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from cartoonize.errors import first_line
from cartoonize.remote.failures import StoreError, reason_of
from cartoonize.remote.urls import BUCKETS

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

CONNECT_TIMEOUT, READ_TIMEOUT = 10, 30  # seconds without an answer, without a byte
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
_TALKATIVE = ("aiobotocore", "asyncio", "azure", "botocore", "fsspec", "gcsfs", "google", "s3fs")


@cache
def filesystem(scheme: str) -> AbstractFileSystem:
    """Return fsspec's file system of a bucket's scheme, the same for every call; raises StoreError.

    Credentials and endpoints are found as each store's own tools find them (environment, profiles, machine roles).
    """
    import fsspec  # noqa: F401  the first of what an installation may lack

    silence()
    extra = BUCKETS[scheme]
    try:
        return {"s3": _s3, "gcs": _gcs, "azure": _azure}[extra](scheme)
    except ImportError as error:
        raise StoreError(f"{scheme}:// needs the extra: pip install 'cartoonize[{extra}]'") from error
    except StoreError:
        raise
    except Exception as error:  # the stores' libraries look for credentials here, and each has its own errors
        raise StoreError(f"{scheme}:// cannot be used: {reason_of(error, extra)}") from error


def silence() -> None:
    """Keep libraries from writing to standard error what is said in one line; handlers that were set up stay."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=r"(adlfs|gcsfs|google|s3fs)\b")


def _made(scheme: str, **options: Any) -> AbstractFileSystem:
    """Make one that shares no instance of the user's own settings, so that tries and timeouts are of this module."""
    import fsspec

    return fsspec.filesystem(scheme, skip_instance_cache=True, use_listings_cache=False, **options)


def _s3(scheme: str) -> AbstractFileSystem:
    system = _made(
        scheme,
        config_kwargs={
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": READ_TIMEOUT,
            "retries": {"total_max_attempts": 1},
            "max_pool_connections": 32,
        },
    )
    system.retries = 1
    return system


def _gcs(_scheme: str) -> AbstractFileSystem:
    """Return gcsfs' plain file system: the one that fsspec takes asks of every bucket what kind it is, by gRPC."""
    import aiohttp
    from gcsfs.core import GCSFileSystem

    class Once(GCSFileSystem):  # type: ignore[misc]  # it has no types
        _request = GCSFileSystem._request.__wrapped__  # without its own tries: ours come on top of them

    return Once(
        token=_google_token(),
        requests_timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT),
        session_kwargs={"trust_env": True},  # proxies
        skip_instance_cache=True,
        use_listings_cache=False,
    )


def _google_token() -> Any:
    """Return Google's credentials of this machine, or "anon": buckets that all may read need none.

    gcsfs itself would ask the metadata server of Google's machines for minutes where there is none.
    """
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return "anon"
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        return google.auth.default(scopes=[_GOOGLE_SCOPE])[0]
    except DefaultCredentialsError as error:
        if named := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
            raise StoreError(f"GOOGLE_APPLICATION_CREDENTIALS={named} cannot be used: {first_line(error)}") from error
        return "anon"


def _azure(scheme: str) -> AbstractFileSystem:
    system = _made(scheme)
    client = system.service_client  # adlfs passes nothing on to it, and what it makes later shares these parts
    client._config.retry_policy.total_retries = 0
    limits = client._pipeline._transport.connection_config
    limits.timeout, limits.read_timeout = CONNECT_TIMEOUT, READ_TIMEOUT
    return system
