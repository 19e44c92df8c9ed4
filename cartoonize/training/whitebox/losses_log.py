"""The log of losses: a CSV file that a resumed run carries on, and TensorBoard beside it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

LOSSES = (
    "reconstruction",
    "generator",
    "surface",
    "texture",
    "structure",
    "content",
    "variation",
    "surface_discriminator",
    "texture_discriminator",
)


_COLUMNS = ("step", "steps_per_second", *LOSSES)


class LossesLog:
    """Lines of `step`, speed and every loss, empty for those of the other phase."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> list[dict[str, float]]:
        """Return the lines so far, oldest first, without what is empty in them."""
        if not self._path.is_file():
            return []
        with self._path.open(newline="") as file:
            return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]

    def begin(self, step: int) -> None:
        """Start the file, or drop its lines after `step`, where a resumed run takes over."""
        kept = [row for row in self.rows() if row["step"] <= step]
        with self._path.open("w", newline="") as file:
            csv.DictWriter(file, _COLUMNS).writeheader()
        for row in kept:
            self.append(int(row["step"]), row)

    def append(self, step: int, losses: Mapping[str, float]) -> None:
        """Add a line."""
        with self._path.open("a", newline="") as file:
            csv.DictWriter(file, _COLUMNS).writerow({**losses, "step": step})
