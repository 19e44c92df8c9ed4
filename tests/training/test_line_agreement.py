from __future__ import annotations

import numpy as np
import pytest

from cartoonize.training.distillation.line_agreement import line_agreement


def lines(*columns: int) -> np.ndarray:
    ink = np.zeros((20, 60), np.bool_)
    ink[:, list(columns)] = True
    return ink


def test_known_answers() -> None:
    assert line_agreement(lines(5, 30), lines(5, 30)) == 1
    assert line_agreement(lines(6, 29), lines(5, 30)) == 1  # a pixel aside
    assert line_agreement(lines(7), lines(5)) == 0
    assert line_agreement(lines(7), lines(5), reach=2) == 1
    assert line_agreement(lines(), lines()) == 1
    assert line_agreement(lines(), lines(5)) == line_agreement(lines(5), lines()) == 0


def test_missing_and_superfluous_lines_count_alike() -> None:
    assert line_agreement(lines(5), lines(5, 30)) == pytest.approx(2 / 3)  # precision 1, recall 1/2
    assert line_agreement(lines(5, 30), lines(5)) == pytest.approx(2 / 3)
