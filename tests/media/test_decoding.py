"""Ours beside decoders that have nothing to do with it, in every combination that others write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import pytest

from . import decoders
from .combinations import EXCEPTIONS, LIMIT, combinations

needs_vips = pytest.mark.skipif(not decoders.have_vips(), reason="libvips is not here (pip install 'pyvips[binary]')")


@pytest.fixture(scope="module")
def browser() -> Iterator[decoders.Chromium]:
    with decoders.chromium() as found:
        if found is None:
            pytest.skip("chromium or chromedriver is not here")
        yield found


@lru_cache(maxsize=1)
def everything() -> list[tuple[str, bytes]]:
    return list(combinations())


def reason(decoder: str, name: str) -> str | None:
    """Why a decoder sees something else; None where it has to see the same."""
    return next((why for who, pattern, why in EXCEPTIONS if who == decoder and re.match(pattern, name)), None)


def wrong(decoder: str, decode: decoders.Decoder, step: int = 1) -> tuple[dict[str, float | None], set[str]]:
    """Return where ours differs or refuses what the other shows, and which exceptions were none."""
    found: dict[str, float | None] = {}
    held = {pattern for who, pattern, _ in EXCEPTIONS if who == decoder}
    for name, data in everything()[::step]:
        other, ours = decode(data), decoders.by_us(data)
        if other is None:
            continue
        apart = None if ours is None else decoders.difference(ours, other)
        if apart is not None and apart <= LIMIT:
            continue
        if ours is not None and reason(decoder, name):
            held -= {pattern for who, pattern, _ in EXCEPTIONS if who == decoder and re.match(pattern, name)}
        else:
            found[name] = apart
    return found, held


@needs_vips
def test_a_sample_of_combinations_as_libvips_sees_them() -> None:
    assert wrong("vips", decoders.by_vips, step=7)[0] == {}


@needs_vips
@pytest.mark.slow
def test_every_combination_as_libvips_sees_it_and_no_exception_is_idle() -> None:
    assert wrong("vips", decoders.by_vips) == ({}, set())


@needs_vips
@pytest.mark.slow
def test_every_combination_of_the_web_as_chromium_shows_it_and_no_exception_is_idle(browser: decoders.Chromium) -> None:
    assert wrong("chromium", browser) == ({}, set())


@needs_vips
def test_nothing_that_is_written_here_is_refused() -> None:
    refused = [name for name, data in everything()[::3] if decoders.by_us(data) is None]
    assert refused == []


def test_the_judge_sees_differences() -> None:
    import numpy as np

    a = np.full((4, 4, 4), 200, np.uint8)
    assert decoders.difference(a, a) == 0
    assert decoders.difference(a, a[:3]) == float("inf")
    assert decoders.difference(a, a - np.uint8([9, 0, 0, 0])) == pytest.approx(3)
    assert decoders.difference(a, a - np.uint8([0, 0, 0, 100])) == pytest.approx(100)
