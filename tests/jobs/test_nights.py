"""Run after run over folders that change: every photo has its own result, and none has another's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartoonize.jobs.manifest import MANIFEST, Fingerprint, Origin, note
from cartoonize.jobs.planning import Plan, plan
from cartoonize.jobs.remaking import EXISTS, FOREIGN, OLDER, OTHER_SETTINGS, Remake
from cartoonize.media.stores import File

FAST = {"weights": "fast", "size": None}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photos(*names: str, content: str = "") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(f"photo {name} {content}")


def night(*inputs: str, out: str | None = "out", using: dict[str, Any] = FAST, **asked: Any) -> Plan:
    """Plan a run and do it: a result tells its photo's content and the settings."""
    how = Remake(asked.pop("overwrite", False), asked.pop("update", False), using)
    planned = plan(inputs, out=out, remake=how, **asked)
    for job in planned.todo:
        assert isinstance(job.source, File)
        assert isinstance(job.target, File)
        target, data = job.target.path, result(job.source.path, using)
        target.parent.mkdir(parents=True, exist_ok=True)
        note(target, len(data), job.source.path, Origin(Fingerprint.of(job.source.path), using))
        target.write_bytes(data)
    return planned


def result(photo: Path, using: dict[str, Any] = FAST) -> bytes:
    return f"cartoon of {photo.read_text()} with {using}".encode()


def done(planned: Plan) -> dict[str, str]:
    return {str(job.source): str(job.target) for job in planned.todo}


def states(planned: Plan) -> dict[str, str]:
    return {str(job.source): job.reason for job in planned.jobs if job.action != "write"}


def test_photos_of_one_name_from_two_nights() -> None:
    photos("day1/a.jpg", "day2/a.jpg")
    night("day1")
    assert done(night("day2")) == {"day2/a.jpg": "out/a-2.jpg"}
    for inputs in (["day1"], ["day2"], ["day1", "day2"], ["day2", "day1"]):
        assert done(night(*inputs)) == {}, "the same names every night"
    assert Path("out/a.jpg").read_bytes() == result(Path("day1/a.jpg"))
    assert Path("out/a-2.jpg").read_bytes() == result(Path("day2/a.jpg"))


def test_a_folder_that_joins_another() -> None:
    photos("day2/a.jpg")
    assert done(night("day2")) == {"day2/a.jpg": "out/a.jpg"}
    photos("day1/a.jpg")
    assert done(night("day1", "day2")) == {"day1/a.jpg": "out/day1/a.jpg"}
    assert done(night("day1")) == {}
    assert done(night("day2")) == {}


def test_photo_that_is_named_after_its_folder_was_given() -> None:
    photos("d/a.jpg", "e/b.jpg")
    night("d", "e")
    assert done(night("d/a.jpg")) == {}
    assert done(night("d/a.jpg", "d")) == {}
    assert done(night("d")) == {}


def test_photos_named_before_others() -> None:
    photos("x/a.jpg", "y/a.jpg", "w/a.jpg")
    assert done(night("x/a.jpg", "y/a.jpg")) == {"x/a.jpg": "out/a.jpg", "y/a.jpg": "out/a-2.jpg"}
    assert done(night("w/a.jpg", "x/a.jpg", "y/a.jpg")) == {"w/a.jpg": "out/a-3.jpg"}
    assert done(night("w/a.jpg")) == {}


def test_photo_that_would_have_come_first() -> None:
    photos("in/a.png")
    assert done(night("in", extension=".jpg")) == {"in/a.png": "out/a.jpg"}
    photos("in/a.jpg", "in/a.avif")
    assert done(night("in", extension=".jpg")) == {"in/a.jpg": "out/a-2.jpg", "in/a.avif": "out/a_avif.jpg"}
    assert done(night("in", extension=".jpg")) == {}


def test_beside_the_photos_too() -> None:
    photos("a.png")
    assert done(night("a.png", out=None, extension=".jpg")) == {"a.png": "a_cartoon.jpg"}
    photos("a.jpg")
    assert done(night("a.jpg", out=None)) == {"a.jpg": "a-2_cartoon.jpg"}
    again = night(".", out=None, extension=".jpg")
    assert done(again) == {}
    assert {str(path) for path in again.earlier} == {"a_cartoon.jpg", "a-2_cartoon.jpg"}


def test_photo_that_was_edited_is_told_and_made_anew_when_asked() -> None:
    photos("in/a.jpg", "in/b.jpg")
    night("in")
    photos("in/a.jpg", content="edited")
    os.utime("in/b.jpg", (1, 1))
    assert states(night("in")) == {"in/a.jpg": OLDER, "in/b.jpg": EXISTS}, "b was only touched"
    assert done(night("in", update=True)) == {"in/a.jpg": "out/a.jpg"}
    assert Path("out/a.jpg").read_bytes() == result(Path("in/a.jpg"))
    assert states(night("in", update=True)) == {"in/a.jpg": EXISTS, "in/b.jpg": EXISTS}


def test_other_settings_are_told_and_made_anew_when_asked() -> None:
    quality = {**FAST, "weights": "quality"}
    photos("in/a.jpg")
    night("in")
    photos("in/b.jpg")
    planned = night("in", using=quality)
    assert done(planned) == {"in/b.jpg": "out/b.jpg"}
    assert states(planned) == {"in/a.jpg": OTHER_SETTINGS}
    assert done(night("in", using=quality, update=True)) == {"in/a.jpg": "out/a.jpg"}
    assert done(night("in", using=quality, update=True)) == {}
    assert len(done(night("in", using=quality, overwrite=True))) == 2


def test_setting_that_was_not_there_yet_had_its_default() -> None:
    photos("in/a.jpg")
    night("in")
    for lines, state in ((0.5, EXISTS), (1.0, OTHER_SETTINGS)):
        remake = Remake(settings={**FAST, "lines": lines}, defaults={"lines": 0.5})
        assert states(plan(["in"], out="out", remake=remake)) == {"in/a.jpg": state}


@pytest.mark.parametrize("moved", [["in"], ["out"], ["in", "out"]])
def test_folders_that_moved(moved: list[str]) -> None:
    photos("in/a.jpg", "in/sub/b.jpg")
    night("in")
    for name in moved:
        Path("new").mkdir(exist_ok=True)
        shutil.move(name, f"new/{name}")
    places = {name: f"new/{name}" if name in moved else name for name in ("in", "out")}
    planned = night(places["in"], out=places["out"])
    assert set(states(planned).values()) == {EXISTS}
    assert done(planned) == {}


def test_without_manifest_what_exists_is_a_result() -> None:
    photos("in/a.jpg")
    night("in")
    Path("out", MANIFEST).unlink()
    photos("in/a.jpg", content="edited")
    assert states(night("in", using={})) == {"in/a.jpg": EXISTS}
    assert states(night("in", update=True)) == {"in/a.jpg": EXISTS}
    assert done(night("in", overwrite=True)) == {"in/a.jpg": "out/a.jpg"}


def test_an_original_in_the_output_folder_is_never_replaced() -> None:
    photos("o/b.jpg", "o/c.jpg", "o/sub/b.jpg")
    original = Path("o/sub/b.jpg").read_bytes()
    for _ in range(2):  # without a manifest, then with one
        planned = night("o", out="o/sub", overwrite=True)
        assert states(planned).items() >= {("o/b.jpg", f"{Path('o/sub/b.jpg')} {FOREIGN}")}
        assert Path("o/sub/b.jpg").read_bytes() == original
        assert done(planned) == {"o/c.jpg": "o/sub/c.jpg"}


def test_file_of_somebody_else_is_replaced_only_by_its_name() -> None:
    photos("in/a.jpg", "in/b.jpg")
    night("in")
    Path("out/a.jpg").write_text("edited by somebody")
    assert states(night("in")) == {"in/a.jpg": EXISTS, "in/b.jpg": EXISTS}
    planned = night("in", overwrite=True)
    assert states(planned)["in/a.jpg"].endswith(FOREIGN)
    assert done(planned) == {"in/b.jpg": "out/b.jpg"}
    assert done(night("in/a.jpg", out="out/a.jpg", overwrite=True)) == {"in/a.jpg": "out/a.jpg"}


def test_result_of_another_photo_under_a_name_that_was_given() -> None:
    photos("a.jpg", "b.jpg")
    night("a.jpg", out="x.jpg")
    assert states(night("a.jpg", out="x.jpg")) == {"a.jpg": EXISTS}
    assert states(night("b.jpg", out="x.jpg")) == {"b.jpg": "x.jpg is the result of another photo: use --overwrite"}
    assert done(night("a.jpg", out=None)) == {"a.jpg": "a_cartoon.jpg"}, "a name that was given is not kept"
    assert done(night("b.jpg", out="x.jpg", overwrite=True)) == {"b.jpg": "x.jpg"}


NAMES = st.sampled_from(["d/a.jpg", "d/a.png", "e/a.jpg", "e/a-2.jpg", "e/f/a.jpg", "f/a_png.jpg"])
NIGHTS = st.lists(
    st.tuples(
        st.sets(NAMES, min_size=1),  # photos that are there from this night on
        st.lists(st.sampled_from(["d", "e", "f", "d/a.jpg", "e/a.jpg"]), min_size=1, max_size=3),
        st.sampled_from([None, ".jpg"]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=150)
@given(nights=NIGHTS, out=st.sampled_from(["out", None, "d/out"]))
def test_no_photo_ever_has_another_ones_result(
    nights: Sequence[tuple[set[str], list[str], str | None]], out: str | None
) -> None:
    with TemporaryDirectory() as root:
        os.chdir(root)
        for name in "def":
            Path(name).mkdir()
        names: dict[tuple[str, str], str] = {}
        for new, inputs, extension in nights:
            photos(*(name for name in new if not Path(name).exists()))
            for job in night(*inputs, out=out, extension=extension).jobs:
                if job.action == "fail":
                    assert not Path(str(job.source)).exists()
                    continue
                assert Path(str(job.target)).read_bytes() == result(Path(str(job.source)))
                kind = (os.path.realpath(str(job.source)), Path(str(job.target)).suffix)
                assert names.setdefault(kind, str(job.target)) == str(job.target), "one name, every night"
            assert not night(*inputs, out=out, extension=extension).todo
        os.chdir("/")
