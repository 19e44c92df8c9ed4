"""Procedures as teachers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cartoonize.errors import ConfigError
from cartoonize.method.comic import ComicLook, comic, comic_views
from cartoonize.training.config_file import load
from cartoonize.training.distillation.config import DistillConfig
from cartoonize.training.distillation.measuring import finished
from cartoonize.training.distillation.teachers import teacher_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "distill_comic.yaml"


def config(*overrides: str) -> DistillConfig:
    return load(EXAMPLE, DistillConfig, overrides)


def test_the_comic_teacher_draws_colours_and_ink_as_the_procedure_does(coffee: NDArray[np.uint8]) -> None:
    photo = coffee[:120, :160]
    teacher = teacher_of(config("procedure.tones=6"))
    drawn = teacher.draw(photo)
    views = comic_views(photo, ComicLook(tones=6))
    assert teacher.inks
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(np.rint((drawn[..., :3] + 1) * 127.5), views.toned)
    np.testing.assert_array_equal(drawn[..., 3], views.ink)


def test_what_the_student_is_measured_by_is_the_comic_picture_but_for_the_guided_filter(
    coffee: NDArray[np.uint8],
) -> None:
    goal = finished(coffee, teacher_of(config()).draw(coffee))
    picture, toned = comic(coffee), comic_views(coffee).toned
    bright = toned.max(axis=2) > 60
    darkened = picture.max(axis=2) < 0.5 * toned.max(axis=2)
    assert 0.005 < goal.ink.mean() < 0.2
    assert np.mean(goal.ink[bright] == darkened[bright]) > 0.999
    assert np.mean(np.abs(goal.picture.astype(int) - picture)) < 3


def test_other_settings_are_another_teacher() -> None:
    fingerprints = {teacher_of(config(*given)).fingerprint for given in ((), ("procedure.lines=0.5",))}
    assert len(fingerprints) == 2
    assert teacher_of(config()).fingerprint == teacher_of(config()).fingerprint


def test_weights_that_draw_colours_alone_are_no_inking_teacher() -> None:
    teacher = teacher_of(config("procedure=null", "teacher=fast"))
    assert not teacher.inks
    assert teacher.draw(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("procedure.tones=1", "tones: expected 2 to 64, got 1"),
        ("procedure.tonnes=9", "unknown key procedure.tonnes; did you mean tones?"),
        ("procedure.name=manga", "Input should be 'comic'"),
        ("teacher=fast", "expected either weights here or a `procedure`"),
        ("procedure=null", "expected either weights here or a `procedure`"),
    ],
)
def test_mistakes_are_named(override: str, said: Any) -> None:
    with pytest.raises(ConfigError, match=said):
        config(override)
