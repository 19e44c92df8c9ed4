"""Films on the command line, as real processes with the real generator on small pictures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import click
import pytest
from PIL import Image

from cartoonize.cli.film_progress import clock, film_progress, in_words
from cartoonize.cli.numbers import Time
from cartoonize.films.filming import Progress
from tests.clips import Clip, packets, pan, times


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CARTOONIZE_")]:
        monkeypatch.delenv(name)
    return tmp_path


def shown_in(folder: str) -> list[str]:
    """The names in a folder that are not hidden."""
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))


def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    result = subprocess.run([sys.executable, "-m", "cartoonize", *arguments], capture_output=True, text=True)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def photo(name: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Image.fromarray(pan(1)[0]).save(name)


def test_a_film_as_typed() -> None:
    Clip(sounds=("aac",)).write(Path("clip.mp4"))
    assert "clip.mp4 -> clip_cartoon.mp4" in run("clip.mp4").stderr
    assert times(Path("clip_cartoon.mp4")) == times(Path("clip.mp4"))
    assert list(packets(Path("clip_cartoon.mp4"), "audio")) == list(packets(Path("clip.mp4"), "audio"))
    assert "skipped, clip_cartoon.mp4 exists" in run("clip.mp4", "clip_cartoon.mp4").stderr
    assert shown_in(".") == ["clip.mp4", "clip_cartoon.mp4"]


def test_films_know_what_made_them() -> None:
    Path("in").mkdir()
    Clip(pictures=pan(4)).write(Path("in/clip.mp4"))
    asked = ("in/clip.mp4", "--out", "out/")
    run(*asked)
    os.utime("in/clip.mp4", (0, 0))
    assert "0 done, 1 skipped in" in run(*asked, "--update").stderr
    assert "(1 made with other settings: --update makes it anew)" in run(*asked, "--steady", "0").stderr
    assert "(1 made with other settings: --update makes it anew)" in run(*asked, "--crf", "40").stderr
    assert "1 done" in run(*asked, "--crf", "40", "--update").stderr
    assert "0 done, 1 skipped in" in run(*asked, "--crf", "40", "--quality", "3").stderr
    Clip(pictures=pan(5)).write(Path("in/clip.mp4"))
    assert "skipped, out/clip.mp4 is older than its film" in run(*asked, "--crf", "40").stderr
    assert "1 done" in run(*asked, "--crf", "40", "--update").stderr
    assert len(times(Path("out/clip.mp4"))) == 5


def test_photos_and_films_together_and_json() -> None:
    Clip(codec="libvpx-vp9").write(Path("clip.webm"))
    photo("a.png")
    Path("bad.mkv").write_bytes(b"no film")
    result = run("clip.webm", "a.png", "bad.mkv", "--out", "out", "--json", code=1)
    objects = {o.get("source"): o for o in map(json.loads, result.stdout.splitlines())}
    assert objects["clip.webm"]["frames"] == 20
    assert objects["clip.webm"]["duration"] == pytest.approx(20 / 30, abs=0.02)
    assert objects["a.png"]["status"] == "done"
    assert "frames" not in objects["a.png"]
    assert objects["bad.mkv"]["error"].startswith("not a film")
    assert objects[None]["summary"]["done"] == 2
    assert shown_in("out") == ["a.png", "clip.webm"]


def test_films_of_folders_are_named_and_left_alone() -> None:
    photo("in/a.png")
    Clip().write(Path("in/b.mp4"))
    result = run("in", "--out", "out")
    assert "left alone: 1 film (--videos takes films: in/b.mp4)" in result.stderr
    assert shown_in("out") == ["a.png"]
    run("in", "--out", "out", "--videos")
    assert shown_in("out") == ["a.png", "b.mp4"]
    assert "b.mp4" not in run("in/*", "--dry-run").stdout
    assert "in/b.mp4 -> " in run("in/*.mp4", "--dry-run").stdout


def test_a_container_that_is_only_read_becomes_one_that_holds_all() -> None:
    Clip(codec="mpeg2video", clock=Fraction(1, 30), ticks=(1,), sounds=("mp2",)).write(Path("a.mpg"))
    assert "a.mpg -> a_cartoon.mkv" in run("a.mpg").stderr


def test_the_options_of_films() -> None:
    Clip(pictures=pan(40)).write(Path("a.mkv"))
    run(
        "a.mkv",
        "--out",
        "b.mp4",
        "--codec",
        "hevc",
        "--crf",
        "30",
        "--preset",
        "ultrafast",
        "--from",
        "0.5",
        "--to",
        "0:01",
        "--steady",
        "0",
    )
    with av.open("b.mp4") as container:
        assert container.streams.video[0].codec_context.name == "hevc"
    assert len(times(Path("b.mp4"))) == 15


def test_the_review_page_shows_a_film_with_where_its_stretch_begins() -> None:
    Clip(pictures=pan(40), aspect=Fraction(2)).write(Path("a.mkv"))
    run("a.mkv", "--from", "0.5", "--review", "page.html")
    page = Path("page.html").read_text()
    assert 'href="a_cartoon.mkv" data-source="a.mkv" data-width="192" data-height="64" data-film="0.5"' in page
    run("a.mkv", "--review", "page.html")
    assert 'data-film="0.0"' in Path("page.html").read_text(), "of an earlier result nobody knows"


def test_a_dry_run_tells_frames_size_and_time_by_a_trial() -> None:
    Clip(pictures=pan(40)).write(Path("a.mkv"))
    words = run("a.mkv", "--dry-run").stdout
    assert "40 frames of 96x64, 0:01 long, takes about" in words
    told = json.loads(run("a.mkv", "--dry-run", "--json", "--to", "0.5").stdout.splitlines()[0])
    assert (told["frames"], told["width"], told["height"]) == (15, 96, 64)
    assert told["takes"] > 0
    assert os.listdir() == ["a.mkv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.mkv", "--out", "b.webm", "--codec", "h264"], "a.mkv: .webm is not written with h264"),
        (["a.mkv", "--out", "b.mp4", "--crf", "99"], "--crf 99: h264 knows 0 to 51"),
        (["a.mkv", "--from", "5"], "--from 5: the film ends at 0.67 s"),
        (["a.mkv", "--from", "1:75"], "is no time"),
        (["a.mkv", "--out", "b.jpg"], "expected an extension out of .mp4"),
        (["a.mkv", "--out", "-"], "a film is not written to standard output"),
        (["a.png", "--out", "b.mp4"], "expected an extension out of .jpg"),
        (["a.png", "--crf", "3"], "--crf is for films, and there is none here"),
        (["a.mkv", "--codec", "h265"], "is not one of"),
        (["a.mkv", "--format", "MP4"], "'MP4' is of films: give --out a name that ends in it"),
        (["a.mkv", "--steady", "2"], "is not in the range"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(arguments: list[str], words: str) -> None:
    Clip().write(Path("a.mkv"))
    photo("a.png")
    assert words in run(*arguments, code=2).stderr
    assert sorted(os.listdir()) == ["a.mkv", "a.png"]


def test_what_cannot_be_made_of_one_film_fails_with_it_alone() -> None:
    Clip().write(Path("a.mp4"))
    Clip(codec="vp9").write(Path("b.webm"))
    photo("c.png")
    told = run("a.mp4", "b.webm", "c.png", "--preset", "ultrafast", code=1).stderr
    assert "b.webm: --preset ultrafast: of vp9 expected 0, 1, 2" in told
    assert sorted(path.name for path in Path().glob("*_cartoon.*")) == ["a_cartoon.mp4", "c_cartoon.png"]


def test_ctrl_c_and_the_same_command_again() -> None:
    Clip(pictures=pan(400)).write(Path("a.mp4"))
    process = subprocess.Popen([sys.executable, "-m", "cartoonize", "a.mp4"], stderr=subprocess.PIPE, text=True)
    wait_for(
        lambda: any(len(j.read_text().splitlines()) > 1 for j in Path().glob(".cartoonize-*/journal.jsonl")), process
    )
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in told
    assert not Path("a_cartoon.mp4").exists()
    assert "went on after frame" in run("a.mp4").stderr
    assert times(Path("a_cartoon.mp4")) == times(Path("a.mp4"))
    assert not list(Path().glob(".cartoonize-*"))


def wait_for(condition: object, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():  # type: ignore[operator]
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("text", "seconds"), [("12", 12), ("12.5", Fraction(25, 2)), ("1:02", 62), ("1:02:03.25", Fraction(14893, 4))]
)
def test_times(text: str, seconds: object) -> None:
    assert Time().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "x", "1:60", "1:61:00", "-1", "1:2:3:4", "1."])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time"):
        Time().convert(text, None, None)


def test_words_for_times() -> None:
    assert [clock(s) for s in (0, 8.9, 61, 3723)] == ["0:00", "0:08", "1:01", "1:02:03"]
    assert [in_words(s) for s in (0.2, 59, 61, 12000)] == ["1 s", "59 s", "1 min", "3 h 20 min"]


def test_progress_without_a_terminal_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    from cartoonize.cli import film_progress as module

    now = 0.0
    monkeypatch.setattr(module, "perf_counter", lambda: now)
    lines: list[str] = []
    with film_progress("a.mp4", lines.append, quiet=False) as tell:
        for frame in range(1, 101):
            now += 1
            tell(Progress(frame, 200, frame / 25))
    assert len(lines) == 3
    assert lines[-1] == "a.mp4: frame 90 of 200, at 0:03, 1.0 frames/s, 2 min left"
