from __future__ import annotations

from functools import partial

import pytest


def make_compact_small(patch: pytest.MonkeyPatch) -> None:
    """Let the compact generators be a block or two of eight channels: quickly built, trained and exported."""
    from cartoonize.generators.architectures import ARCHITECTURES, build_compact

    small = partial(build_compact, channels=8, blocks=1)
    patch.setitem(ARCHITECTURES, "compact", small)
    patch.setitem(ARCHITECTURES, "compact_deep", partial(small, blocks=2, fine_blocks=1))
    patch.setitem(ARCHITECTURES, "compact_ink", partial(small, ink=True))


@pytest.fixture
def small_compact(monkeypatch: pytest.MonkeyPatch) -> None:
    make_compact_small(monkeypatch)
