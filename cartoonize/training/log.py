"""The log of losses: a CSV file that a resumed run carries on."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from cartoonize.errors import ConfigError, first_line
from cartoonize.media.files import write_atomically

NAME = "losses.csv"


class LossesLog:
    """Lines of `step`, speed and every figure in `names`, empty for those that a step has none of."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self._path = folder / NAME
        self._columns = ("step", "steps_per_second", *names)

    def rows(self) -> list[dict[str, float]]:
        """Return the lines so far, oldest first, without what is empty in them; raises ConfigError when damaged."""
        if not self._path.is_file():
            return []
        try:
            with self._path.open(newline="", encoding="utf-8") as file:
                rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
            if foreign := {name for row in rows for name in row} - {*self._columns}:
                raise ValueError(f"unknown column {foreign.pop()}")
            if not all("step" in row for row in rows):
                raise ValueError("a line without its step")
        except (OSError, ValueError, TypeError, csv.Error) as error:
            raise ConfigError(f"{self._path}: damaged ({first_line(error)}); move it away to begin another") from error
        return rows

    def begin(self, step: int) -> None:
        """Start the file, or drop its lines after `step`, where a resumed run takes over."""
        kept = [row for row in self.rows() if row["step"] <= step]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self._columns)
        writer.writeheader()
        writer.writerows({**row, "step": int(row["step"])} for row in kept)
        write_atomically(self._path, text.getvalue().encode(), overwrite=True)

    def append(self, step: int, figures: Mapping[str, float]) -> None:
        """Add a line."""
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow({**figures, "step": step})
