"""--review on the command line, in process and as real processes."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from cartoonize.errors import EncodeError
from cartoonize.media import thumbnails

from ..cli.test_app import FakeCartoonizer, files, folder, process, run, save, start  # noqa: F401  `folder` is a fixture


def statuses(page: str) -> list[str]:
    return re.findall(r'<li data-status="(\w+)"', Path(page).read_text(encoding="utf-8"))


def pictures(page: str) -> int:
    return Path(page).read_text(encoding="utf-8").count('<img src="data:image/webp;base64,')


def test_page_of_a_run_and_of_the_next() -> None:
    save("in/a.jpg", "in/sub/b.png")
    Path("in/c.jpg").write_text("no picture")
    first = run("in", "--out", "out", "--review", "out/review.html", code=1)
    assert "cartoonize: review page: out/review.html\n" in first.stderr
    assert files("out") == {"a.jpg", "sub/b.png", "review.html"}
    assert statuses("out/review.html") == ["done", "failed", "done"]
    second = run("in", "--out", "out", "--review", "out/review.html", code=1)
    assert "0 done, 2 skipped, 1 failed in" in second.stderr
    assert statuses("out/review.html") == ["skipped", "failed", "skipped"]
    assert pictures("out/review.html") == 2
    assert len(FakeCartoonizer.made) == 2, "one for each run: the broken photo is tried again"


def test_page_is_not_taken_for_a_photo() -> None:
    save("in/a.jpg")
    run("in", "--review", "in/review.html")
    assert "0 done, 1 skipped" in run("in", "--review", "in/review.html").stderr
    assert files() == {"in/a.jpg", "in/a_cartoon.jpg", "in/review.html"}


def test_folder_of_the_page_is_made() -> None:
    save("a.jpg")
    run("a.jpg", "--review", "new/folder/review.html")
    assert statuses("new/folder/review.html") == ["done"]
    assert 'data-source="../../a.jpg"' in Path("new/folder/review.html").read_text()


@pytest.mark.parametrize(
    "args",
    [
        ["-", "-o", "x.jpg", "--review", "r.html"],
        ["a.jpg", "-o", "-", "--review", "r.html"],
        ["a.jpg", "--review", "r.png"],
        ["a.jpg", "--review", "-"],
        ["a.jpg", "--review", "a.jpg/r.html"],
        ["a.jpg", "--review", "mine.html"],
        ["a.jpg", "--review", "mine.html", "--dry-run"],
    ],
)
def test_page_that_cannot_be_is_wrong_usage_before_anything_is_done(args: list[str]) -> None:
    save("a.jpg")
    Path("mine.html").write_text("<p>Mine")
    result = run(*args, code=2)
    assert re.search(r"^Error: .*--review", result.stderr, re.MULTILINE)
    assert FakeCartoonizer.made == []
    assert files() == {"a.jpg", "mine.html"}
    assert Path("mine.html").read_text() == "<p>Mine"


def test_page_of_somebody_else_is_replaced_when_told_to() -> None:
    save("a.jpg")
    Path("mine.html").write_text("<p>Mine")
    run("a.jpg", "--review", "mine.html", "--overwrite")
    assert statuses("mine.html") == ["done"]


def test_dry_run_and_nothing_found_write_no_page() -> None:
    save("a.jpg")
    Path("empty").mkdir()
    run("a.jpg", "--review", "new/r.html", "--dry-run")
    run("empty", "--review", "new/r.html", code=3)
    assert files() == {"a.jpg"}
    assert not Path("new").exists()


def test_json_and_quiet_go_with_it() -> None:
    save("a.jpg")
    lines = run("a.jpg", "--json", "--review", "r.html").stdout.splitlines()
    assert json.loads(lines[-1])["summary"]["done"] == 1
    assert run("a.jpg", "-q", "--review", "r.html").output == ""
    assert statuses("r.html") == ["skipped"]


def test_result_that_cannot_be_shown_is_still_skipped_and_noted() -> None:
    save("a.jpg")
    Path("a_cartoon.jpg").write_text("damaged")
    assert "0 done, 1 skipped" in run("a.jpg", "--review", "r.html").stderr
    assert "no thumbnail: not a picture" in Path("r.html").read_text()


def test_page_that_cannot_be_written_in_the_end_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    save("a.jpg")

    def full(*_: object, **__: object) -> None:
        raise EncodeError("no space left on the disk")

    monkeypatch.setattr("cartoonize.pages.review.open_atomically", full)
    result = run("a.jpg", "-q", "--review", "r.html", code=1)
    assert result.stderr == "cartoonize: r.html: no space left on the disk\n"
    assert Path("a_cartoon.jpg").exists()


def test_without_it_no_thumbnail_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    for name in ("of_photo", "of_result", "of_files"):
        monkeypatch.setattr(thumbnails, name, never)
    save("a.jpg", "b.jpg", "b_cartoon.jpg")
    assert "1 done, 1 skipped" in run("a.jpg", "b.jpg").stderr


def test_fail_fast_page_says_what_is_left() -> None:
    save(*(f"in/{n}.jpg" for n in range(40)))
    Path("in/0.jpg").write_bytes(b"")
    run("in", "--fail-fast", "--out", "out", "--review", "r.html", code=1)
    assert "stopped after a failure" in Path("r.html").read_text()


def test_stopped_run_leaves_a_page_of_what_there_is() -> None:
    save("in/a.jpg")
    save("in/b.jpg", "in/c.jpg", "in/d.jpg", width=17)  # of a width that takes a minute
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    running = start("in", "--out", "out", "--json", "--review", "out/r.html")
    assert running.stdout
    assert json.loads(running.stdout.readline())["source"] == "in/a.jpg"
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=600)
    assert running.returncode == 130
    assert files("out") == {"a.jpg", "r.html"}, "nothing half-written, no spool"
    assert statuses("out/r.html") == ["done"]
    assert "interrupted: 3 left" in Path("out/r.html").read_text()
    assert b"review page: out/r.html" in stderr


@pytest.mark.skipif(os.name == "nt", reason="the system refuses such names")
def test_names_that_are_no_text_nor_harmless() -> None:
    save("photo.jpg")
    Path("in").mkdir()
    os.rename("photo.jpg", b"in/caf\xe9.jpg")
    save('in/"><script>alert(1)<.jpg')
    ended = process("in", "--out", "out", "--review", "r.html", env={"LC_ALL": "C", "PYTHONUTF8": "0"})
    assert ended.returncode == 0, ended.stderr
    page = Path("r.html").read_text(encoding="utf-8")
    assert 'href="out/caf%E9.jpg"' in page
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;.jpg" in page
    assert page.count("<script") == 1
