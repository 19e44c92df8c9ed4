"""How stores are asked: again with growing waits, while what goes wrong may pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from cartoonize.remote.failures import GivenUpError, StoreError, is_answer, may_pass
from cartoonize.remote.urls import Url

_Result = TypeVar("_Result")

TRIES = 6
FIRST_WAIT = 0.2  # seconds before the second try; twice that before each further one
PATIENCE = 120.0  # seconds after which nothing is tried again
FIRST_PATIENCE = 15.0  # the same of a store that has never answered: it may not be there

_answered: set[str] = set()


def path_in(url: Url) -> str:
    """Return what a store's file system calls an address: bucket and key, nothing taken as a sign; raises StoreError.

    s3fs cuts a name off at its word for versions, and would read and write another object.
    """
    if "?versionId=" in url.key:
        raise StoreError("a name with ?versionId= in it cannot be used: rename the object")
    return f"{url.root.partition('://')[2]}{url.key}"


def persistently(url: Url, action: Callable[[], _Result]) -> _Result:
    """Do something with the store of an address, again with growing waits while what goes wrong may pass.

    Raises what cannot pass, and GivenUpError with the last of several tries as its cause.
    """
    place = f"{url.root}{url.tail}" if url.scheme == "zip" else url.root
    start = time.monotonic()
    for number in range(1, TRIES + 1):
        try:
            result = action()
        except Exception as error:
            if is_answer(error):
                _answered.add(place)
            if not may_pass(error):
                raise
            patience = PATIENCE if place in _answered else FIRST_PATIENCE
            if number == TRIES or time.monotonic() - start > patience:
                raise GivenUpError(number) from error
        else:
            _answered.add(place)
            return result
        time.sleep(FIRST_WAIT * 2 ** (number - 1) * random.uniform(0.5, 1))  # noqa: S311  spreads workers in time
    raise AssertionError("the last try returns or raises")
