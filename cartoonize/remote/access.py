"""How stores are reached: one connection a store and process, tries again with back-off, one line for what failed."""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from cartoonize.errors import CartoonizeError, first_line
from cartoonize.remote.urls import BUCKETS, Url

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_Result = TypeVar("_Result")

TRIES = 6
FIRST_WAIT = 0.2  # seconds before the second try; twice that before each further one
PATIENCE = 120.0  # seconds after which nothing is tried again
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 30  # seconds without an answer, without a byte

_FOR_GOOD = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)
_PASSING = frozenset(  # names of errors that are no OSErrors: their libraries may be absent
    {
        "ClientConnectionError",
        "ClientPayloadError",
        "ConnectionError",
        "HTTPClientError",
        "IncompleteRead",
        "ResponseParserError",
    }
)
_PASSING_STATUS = (408, 429)
_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "UnauthorizedSSOTokenError")
_HOW_TO_SIGN_IN: Mapping[str, str] = MappingProxyType(
    {
        "s3": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "gcs": "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS",
        "azure": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_CONNECTION_STRING",
    }
)


class StoreError(CartoonizeError):
    """A store cannot be used, or an address in it not be listed."""


@cache
def filesystem(scheme: str) -> AbstractFileSystem:
    """Return fsspec's file system of a bucket's scheme, the same for every call; raises StoreError.

    Credentials and endpoints are found as each store's own tools find them (environment, profiles, machine roles).
    """
    import fsspec

    extra = BUCKETS[scheme]
    # No instance of the user's own settings is shared, so that its tries and timeouts are those of this module.
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if extra == "s3":
        options["config_kwargs"] = {
            "connect_timeout": CONNECT_TIMEOUT,
            "read_timeout": READ_TIMEOUT,
            "retries": {"total_max_attempts": 1},
            "max_pool_connections": 32,
        }
    try:
        system = fsspec.filesystem(scheme, **options)
    except ImportError as error:
        raise StoreError(f"{scheme}:// needs the extra: pip install 'cartoonize[{extra}]'") from error
    except Exception as error:  # the stores' libraries look for credentials here, and each has its own errors
        raise StoreError(f"{scheme}:// cannot be used: {_reason(error, extra)}") from error
    if extra == "s3":
        system.retries = 1
    return system


def path_in(url: Url) -> str:
    """Return what a store's file system calls an address: bucket and key, nothing taken as a sign; raises StoreError.

    s3fs cuts a name off at its word for versions, and would read and write another object.
    """
    if "?versionId=" in url.key:
        raise StoreError("a name with ?versionId= in it cannot be used: rename the object")
    return f"{url.root.partition('://')[2]}{url.key}"


def persistently(action: Callable[[], _Result]) -> _Result:
    """Do something with a store, again with growing waits while what goes wrong may pass."""
    start = time.monotonic()
    for number in range(1, TRIES):
        try:
            return action()
        except Exception as error:
            if not may_pass(error) or time.monotonic() - start > PATIENCE:
                raise
        time.sleep(FIRST_WAIT * 2 ** (number - 1) * random.uniform(0.5, 1))  # noqa: S311  spreads workers in time
    return action()


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed a little later: lost connections, timeouts, a server in trouble."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status >= 500 or status in _PASSING_STATUS
    if isinstance(error, OSError):
        return not isinstance(error, _FOR_GOOD) and error.errno != errno.EINVAL
    return not _PASSING.isdisjoint(kind.__name__ for kind in type(error).__mro__)


@contextmanager
def one_line(kind: type[CartoonizeError], url: Url, missing: str, refused: str) -> Iterator[None]:
    """Turn whatever a store raises into one line of `kind`; `missing` and `refused` say those two cases."""
    try:
        yield
    except CartoonizeError:
        raise
    except FileNotFoundError as error:
        raise kind(missing) from error
    except PermissionError as error:
        raise kind(f"{refused} ({first_line(error)})") from error
    except MemoryError:
        raise
    except Exception as error:
        raise kind(_reason(error, BUCKETS.get(url.scheme, ""))) from error


def _reason(error: Exception, extra: str) -> str:
    if type(error).__name__ in _CREDENTIALS and extra:
        return f"no credentials: {_HOW_TO_SIGN_IN[extra]}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return "no answer in time; try again later"
    text = first_line(error)
    return f"tried {TRIES} times: {text}" if may_pass(error) else text
