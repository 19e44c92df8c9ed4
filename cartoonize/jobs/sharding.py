"""One part of a plan for each of several machines that share nothing but what they read and write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Shard:
    """The `index`-th of `count` parts, counted from one."""

    index: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "i/n"; raises ValueError where it is not that with 1 <= i <= n."""
        match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text, re.ASCII)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"{text!r} is no part: expected I/N with I from 1 to N, as 2/8")
        return cls(int(match[1]), int(match[2]))

    def of(self, items: Iterable[_Item]) -> Iterator[_Item]:
        """Yield this part of the items: every count-th, so that parts differ by one item at most."""
        return islice(items, self.index - 1, None, self.count)
