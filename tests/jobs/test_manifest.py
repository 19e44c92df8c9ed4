from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartoonize.jobs import manifest
from cartoonize.jobs.manifest import MANIFEST, Fingerprint, Manifest, Manifests, Origin, note, renew


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A photo in `in`, and an empty folder `out` for results."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"photo")
    return tmp_path


def make(folder: Path, name: str = "a.jpg", content: bytes = b"result", **settings: object) -> None:
    """Write a result and tell the manifest."""
    photo = folder / "in/a.jpg"
    note(folder / "out" / name, len(content), photo, Origin(Fingerprint.of(photo), settings))
    (folder / "out" / name).write_bytes(content)


def test_what_was_told_is_known(folder: Path) -> None:
    make(folder, size=360)
    known = Manifest(folder / "out")
    record = known.of("a.jpg")
    assert record
    assert (record.size, record.source, record.settings) == (6, os.path.join("..", "in", "a.jpg"), {"size": 360})
    assert record.program.startswith("cartoonize ")
    assert known.results_of(os.path.realpath(folder / "in/a.jpg")) == ["a.jpg"]
    assert known.of("b.jpg") is None
    assert known.results_of("/elsewhere/a.jpg") == []


def test_folders_that_move_together_take_it_along(folder: Path) -> None:
    make(folder)
    shutil.move(folder, moved := folder.with_name("moved"))
    assert Manifest(moved / "out").results_of(os.path.realpath(moved / "in/a.jpg")) == ["a.jpg"]


def test_it_counts_while_the_result_is_as_it_was_left(folder: Path) -> None:
    make(folder)
    (folder / "out/a.jpg").write_bytes(b"edited by somebody")
    assert Manifest(folder / "out").of("a.jpg") is None
    (folder / "out/a.jpg").unlink()
    assert Manifest(folder / "out").of("a.jpg") is None


def test_killed_between_telling_and_replacing_the_result_the_earlier_line_counts(folder: Path) -> None:
    make(folder, size=360)
    photo = folder / "in/a.jpg"
    note(folder / "out/a.jpg", 99, photo, Origin(Fingerprint.of(photo), {"size": 720}))
    record = Manifest(folder / "out").of("a.jpg")
    assert record
    assert record.settings == {"size": 360}


def test_a_photo_that_moved_or_was_touched_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(folder, size=360)
    photo = (folder / "in/a.jpg").rename(folder / "in/b.jpg")
    os.utime(photo, (1, 1))
    before = Manifest(folder / "out").of("a.jpg")
    assert before
    assert before.photo.fits(photo)

    renew(folder / "out/a.jpg", photo, before)

    monkeypatch.setattr(manifest, "_digest", lambda _: pytest.fail("reads it again"))
    known = Manifest(folder / "out")
    after = known.of("a.jpg")
    assert after
    assert after.photo.fits(photo)
    assert (after.settings, after.program) == (before.settings, before.program)
    assert known.results_of(os.path.realpath(photo)) == ["a.jpg"]
    size = (folder / "out" / MANIFEST).stat().st_size
    renew(folder / "out/a.jpg", photo, after)
    assert (folder / "out" / MANIFEST).stat().st_size == size, "nothing new to tell"


def test_photo_is_known_again_by_size_and_time_or_by_content(folder: Path) -> None:
    photo = folder / "in/a.jpg"
    fingerprint = Fingerprint.of(photo)
    os.utime(photo, (1, 1))
    assert fingerprint.fits(photo), "touched"
    shutil.copy(photo, folder / "copy.jpg")
    assert fingerprint.fits(folder / "copy.jpg")
    photo.write_bytes(b"other")
    assert not fingerprint.fits(photo), "as large, of another content"
    assert not fingerprint.fits(folder / "gone.jpg")


def line(**changed: object) -> bytes:
    """A line as it is not written."""
    photo = {"size": 1, "modified": 1, "digest": ""}
    told = {"result": "a.jpg", "size": 6, "source": "x", "photo": photo, "settings": {}, "program": ""}
    return json.dumps({**told, **changed}).encode()


@pytest.mark.parametrize(
    "foreign",
    [
        b'{"result": "a.jpg", "size": 6, "sour',
        b"[1, 2]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b"[" * 5000,
        line(size="6"),
        line(result="../a.jpg"),
        line(source="x\0"),
        line(settings=[]),
        line(photo={"size": 1, "modified": 1.5, "digest": ""}),
        line(photo={"size": 1}),
        line(photo=[]),
        line(surplus=1),
    ],
)
def test_torn_and_foreign_lines_cost_themselves(folder: Path, foreign: bytes) -> None:
    make(folder, size=360)
    with open(folder / "out" / MANIFEST, "ab") as file:
        file.write(foreign)
    make(folder, "b.jpg")
    known = Manifest(folder / "out")
    assert known.of("b.jpg")
    assert (known.of("a.jpg") or pytest.fail("lost")).settings == {"size": 360}


@given(content=st.binary(max_size=300))
def test_whatever_lies_there_is_read_without_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("out")
    (folder / MANIFEST).write_bytes(content)
    assert not Manifest(folder)


def test_folder_or_pipe_in_its_place(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).mkdir()
    assert not Manifest(tmp_path)
    (tmp_path / "other").mkdir()
    os.mkfifo(tmp_path / "other" / MANIFEST)
    assert not Manifest(tmp_path / "other")
    assert not Manifest(tmp_path / "not there")


def test_runs_side_by_side_lose_no_line(folder: Path) -> None:
    writer = """
import sys
from pathlib import Path
from cartoonize.jobs.manifest import Fingerprint, Origin, note, renew
folder, run = Path(sys.argv[1]), sys.argv[2]
photo = folder / "in/a.jpg"
for n in range(200):
    note(folder / f"out/{run}-{n}.jpg", 0, photo, Origin(Fingerprint.of(photo), {"text": "x" * 300}))
"""
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    writers = [subprocess.Popen([sys.executable, "-c", writer, str(folder), str(run)], env=path) for run in range(3)]
    assert [process.wait(60) for process in writers] == [0, 0, 0]
    names = [f"{run}-{n}.jpg" for run in range(3) for n in range(200)]
    for name in names:
        (folder / "out" / name).touch()
    known = Manifest(folder / "out")
    assert all(known.of(name) for name in names)


def test_manifest_that_has_grown_is_written_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "_TIDY_FROM", 1000)
    for size in range(20):
        make(folder, content=b"r" * size, size=size)
    make(folder, "b.jpg", size="b")
    before = (folder / "out" / MANIFEST).stat().st_size
    Manifest(folder / "out").tidy()
    assert (folder / "out" / MANIFEST).stat().st_size < before / 4
    known = Manifest(folder / "out")
    assert [(known.of(name) or pytest.fail("lost")).settings["size"] for name in ("a.jpg", "b.jpg")] == [19, "b"]


def test_names_that_are_no_text(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    make(folder, name)
    assert Manifest(folder / "out").of(name)
    assert all(json.loads(line) for line in (folder / "out" / MANIFEST).read_text("ascii").splitlines() if line)


def test_each_is_read_once(folder: Path) -> None:
    known = Manifests()
    assert known.of(folder / "out") is known.of(folder / "out")
