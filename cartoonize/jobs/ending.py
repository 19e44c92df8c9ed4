"""When a run begins nothing more, though there is more to do."""

from __future__ import annotations

from typing import Any

from cartoonize.jobs.running import Outcome


class Ending:
    """Tells from how items end whether the run ends: at a failure if asked for, or where all that follows would fail.

    The latter is a store that refuses or is gone: two million photos are not to fail one by one. `why` says so then.
    """

    def __init__(self, *, fail_fast: bool = False) -> None:
        self._fail_fast = fail_fast
        self._in_a_row = 0
        self.is_reached = False
        self.why = ""

    def __call__(self, outcome: Outcome[Any, Any]) -> bool:
        """Take in how an item ended; return whether the run ends."""
        if outcome.status == "done":
            self._in_a_row = 0
        if outcome.status == "failed":
            self.is_reached |= self._fail_fast
            self._in_a_row += outcome.ends_after > 0
            if 0 < outcome.ends_after <= self._in_a_row and not self.why:
                self.is_reached = True
                times = f" ({self._in_a_row} times in a row)" if self._in_a_row > 1 else ""
                self.why = f"nothing more was begun, since the rest would fail alike{times}: {outcome.error}"
        return self.is_reached
