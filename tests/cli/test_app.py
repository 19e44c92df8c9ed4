"""The command line, in process (fast) and as real processes (signals, pipes, terminals)."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result
from PIL import Image

import cartoonize
from cartoonize import cartoonizer
from cartoonize.cli import app
from cartoonize.errors import EngineError, WeightsError
from cartoonize.generators import authors_release
from cartoonize.jobs import sharing
from cartoonize.jobs.manifest import MANIFEST
from cartoonize.method.retouch import Retouch

SUBCOMMANDS = list(app.cartoonize.others)

FAKE = """
import sys, time
from dataclasses import replace
from cartoonize import cartoonizer

class Fake:
    def __init__(self, weights, **settings):
        pass

    def check(self, *about, **more):
        pass

    def photo(self, photo):
        time.sleep({12: 0.15, 17: 60}.get(photo.frames[0].pixels.shape[1], 0))  # some widths take their time
        return replace(photo, frames=tuple(replace(f, pixels=255 - f.pixels) for f in photo.frames))

cartoonizer.Cartoonizer = Fake
from cartoonize.cli.app import main
main()
"""


class FakeCartoonizer:
    """Inverts photos; remembers how it was made."""

    made: list[dict[str, Any]] = []  # noqa: RUF012  one list for all, emptied for each test

    def __init__(self, weights: str, **settings: Any) -> None:
        self.made.append({"weights": weights, **settings})

    def check(self, *about: Any, **more: Any) -> None:
        """Whatever it is: it can be done."""

    def photo(self, photo: Any) -> Any:
        if photo.frames[0].pixels.shape[0] == 13:
            raise EngineError("the result is not finite")
        return replace(photo, frames=tuple(replace(f, pixels=255 - f.pixels) for f in photo.frames))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder and no settings from the environment the tests run in."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CARTOONIZE_", "NO_COLOR"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(cartoonizer, "Cartoonizer", FakeCartoonizer)
    FakeCartoonizer.made.clear()
    return tmp_path


def save(*names: str, width: int = 8, height: int = 8) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((height, width, 3), 250, np.uint8)).save(name)


def run(*args: str, code: int = 0, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(app.cartoonize, args, prog_name="cartoonize", input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def inverted(path: str) -> bool:
    return int(np.asarray(Image.open(path).convert("RGB")).max()) < 20


def files(root: str = ".") -> set[str]:
    """Names of all files but manifests."""
    paths = (path for path in Path(root).rglob("*") if path.is_file() and path.name != MANIFEST)
    return {str(path.relative_to(root)) for path in paths}


# What runs, and what the first word means


def test_a_photo_that_is_cut_short_fails_and_is_salvaged_when_asked() -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save("a.jpg", quality=95)
    whole = Path("a.jpg").read_bytes()
    Path("a.jpg").write_bytes(whole[: len(whole) // 2])
    assert "a.jpg: cut short: " in run("a.jpg", code=1).stderr
    assert files() == {"a.jpg"}
    assert "rows are missing" in run("a.jpg", "--salvage", "-v").stderr
    assert files() == {"a.jpg", "a_cartoon.jpg"}


def test_one_photo() -> None:
    save("photo.jpg")
    result = run("photo.jpg")
    assert inverted("photo_cartoon.jpg")
    assert result.stdout == ""
    assert re.fullmatch(r"photo\.jpg -> photo_cartoon\.jpg \(\d\.\d s\)\n1 done in \d\.\d s\n", result.stderr)


@pytest.mark.parametrize("word", SUBCOMMANDS)
def test_file_called_like_a_command(word: str) -> None:
    save("photo.png")
    Path("photo.png").rename(word)
    assert "Usage: cartoonize " + word in run(word, "--help").output
    run(f"./{word}")
    assert inverted(f"{word}_cartoon.png")
    run("--overwrite", "--", word)
    run("-q", "--overwrite", word)
    assert len(FakeCartoonizer.made) == 3


def test_first_word_that_is_no_command_is_an_input() -> None:
    assert "cartoonize: holiday: no such file or folder" in run("holiday", "list", code=1).stderr


def test_help_shows_examples_then_the_main_command_then_the_others() -> None:
    text = run("--help").stdout
    order = [
        "Examples:",
        "cartoonize photo.jpg",
        "Usage: cartoonize [OPTIONS] INPUTS...",
        "--fail-fast",
        "Other commands:",
    ]
    places = [text.index(each) for each in [*order, *(f"cartoonize {word}" for word in SUBCOMMANDS)]]
    assert places == sorted(places)


def test_version() -> None:
    assert run("--version").stdout == f"cartoonize, version {cartoonize.__version__}\n"


def test_options_reach_the_cartoonizer_and_the_encoder() -> None:
    save("photo.jpg")
    args = ["--size", "full", "--output-size", "work", "--smooth", "0.5", "--style", "fast"]
    args += ["--device", "gpu", "--precision", "float32"]
    args += ["--lines", "1.5", "--keep-colors", "0.25", "--strength", "0.75"]
    run("photo.jpg", *args, "--format", "jpeg", "--quality", "30", "-o", "small.jpg")
    run("photo.jpg", "--size", "300", "--quality", "95", "-o", "large.jpg")
    first, second = FakeCartoonizer.made
    threads = first.pop("threads")
    assert threads >= 1
    assert first.pop("retouch") == Retouch(lines=1.5, keep_colors=0.25, strength=0.75)
    plain = {"weights": "fast", "size": "full", "output_size": "work", "smooth": 0.5}
    assert first == plain | {"device": "gpu", "precision": "float32"}
    assert second["size"] == 300
    assert second["retouch"] == Retouch()
    assert Path("small.jpg").stat().st_size < Path("large.jpg").stat().st_size


def test_detail_is_an_earlier_name_of_smooth_that_the_help_keeps_quiet_about(monkeypatch: pytest.MonkeyPatch) -> None:
    save("a.jpg", "b.jpg", "c.jpg")
    run("a.jpg", "--detail", "0.25")
    monkeypatch.setenv("CARTOONIZE_DETAIL", "0.5")
    assert "sets nothing" not in run("b.jpg").stderr
    run("c.jpg", "--smooth", "0.75")
    assert [made["smooth"] for made in FakeCartoonizer.made] == [0.25, 0.5, 0.75]
    for command in ([], ["compare"]):
        assert "--smooth" in run(*command, "--help").stdout
        assert "--detail" not in run(*command, "--help").stdout


def test_background_is_laid_under_transparency() -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save("clear.png")
    result = run("clear.png", "--format", "jpg", "--background", "#00ff00")
    assert np.allclose(np.asarray(Image.open("clear_cartoon.jpg"))[4, 4], (0, 255, 0), atol=4)
    assert re.search(r"clear\.png: .*flatten", result.stderr)


def test_environment_sets_options_and_flags_win(monkeypatch: pytest.MonkeyPatch) -> None:
    save("a.jpg", "b.jpg")
    monkeypatch.setenv("CARTOONIZE_SIZE", "full")
    monkeypatch.setenv("CARTOONIZE_FORMAT", "png")
    monkeypatch.setenv("CARTOONIZE_VERSION", "1.2")  # as container images set it
    run("a.jpg")
    run("b.jpg", "--format", "webp", "--size", "9")
    assert [made["size"] for made in FakeCartoonizer.made] == ["full", 9]
    assert {"a_cartoon.png", "b_cartoon.webp"} <= files()


# Exit codes


@pytest.mark.parametrize(
    "args",
    [
        ["a.jpg", "--nonsense"],
        ["a.jpg", "--size", "0"],
        ["a.jpg", "--size", "big"],
        ["a.jpg", "--smooth", "1.5"],
        ["a.jpg", "--quality", "0"],
        ["a.jpg", "--format", "mp4"],
        ["a.jpg", "--background", "#12345678"],
        ["a.jpg", "--background", "no such colour"],
        ["a.jpg", "--weights", "fats"],
        ["a.jpg", "--weights", "a.jpg"],
        ["a.jpg", "-o", "x.mp4"],
        ["a.jpg", "a.png", "-o", "x.jpg"],
        ["a.jpg", "-o", "a.jpg"],
        ["a.jpg", "-q", "-v"],
        ["-", "--files-from", "-"],
        ["-", "--json"],
        ["-", "-o", "."],
        ["--quiet"],
        ["--files-from", "nope.txt"],
    ],
)
def test_wrong_usage_exits_2_before_anything_is_done(args: list[str]) -> None:
    save("a.jpg", "a.png")
    result = run(*args, code=2)
    assert result.stdout == ""
    assert re.search(r"^Error: ", result.stderr, re.MULTILINE)
    assert FakeCartoonizer.made == []
    assert files() == {"a.jpg", "a.png"}


def test_generator_that_cannot_be_loaded_exits_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise EngineError("there is no GPU")

    monkeypatch.setattr(cartoonizer, "Cartoonizer", broken)
    save("a.jpg")
    assert run("a.jpg", code=2).stderr == "Error: there is no GPU\n"


def test_failures_exit_1_and_the_others_are_done() -> None:
    save("in/a.jpg", "in/z.png")
    save("in/nan.png", height=13)
    Path("in/text.jpg").write_text("no picture")
    Path("in/empty.png").touch()
    result = run("in", "gone.jpg", "--out", "out", code=1)
    assert files("out") == {"a.jpg", "z.png"}
    lines = [line for line in result.stderr.splitlines() if line.startswith("cartoonize: ")]
    assert [line.split(": ")[1] for line in sorted(lines)] == ["gone.jpg", "in/empty.png", "in/nan.png", "in/text.jpg"]
    assert "cartoonize: in/nan.png: the result is not finite" in lines
    assert re.search(r"^2 done, 4 failed in \d+\.\d s$", result.stderr, re.MULTILINE)
    assert "Traceback" not in result.stderr


def test_no_image_exits_3() -> None:
    Path("in").mkdir()
    Path("in/notes.txt").touch()
    Path("list").touch()
    assert "no image found" in run("in", code=3).stderr
    run("in", "--dry-run", code=3)
    run("--files-from", "list", code=3)
    assert json.loads(run("in", "--json", code=3).stdout)["summary"]["done"] == 0


def test_fail_fast() -> None:
    save(*(f"in/{n}.jpg" for n in range(40)))
    Path("in/0.jpg").write_bytes(b"")
    result = run("in", "--fail-fast", "--out", "out", code=1)
    assert re.search(r"\d done, 1 failed, \d+ left in", result.stderr)
    assert "1 failed, 1 left" in run("gone", "in/1.jpg", "--fail-fast", code=1).stderr
    assert not Path("in/1_cartoon.jpg").exists()


def test_output_folder_that_cannot_be_made() -> None:
    save("a.jpg")
    Path("file").touch()
    assert re.search(r"^cartoonize: a\.jpg: .*folder", run("a.jpg", "-o", "file/sub/", code=1).stderr)


def test_long_paths_work_and_a_name_with_no_room_for_the_suffix_fails_alone() -> None:
    deep = "/".join(["d" * 100] * 12)
    save(f"in/{deep}/photo.jpg", "in/" + "x" * 250 + ".jpg")
    result = run("in", code=1)
    assert inverted(f"in/{deep}/photo_cartoon.jpg")
    line = r"^cartoonize: in/x+\.jpg: the file name or path is too long for this disk: choose a shorter one$"
    assert re.search(line, result.stderr, re.MULTILINE)
    assert re.search(r"^in/x+\.jpg  fail \(the file name", run("in", "--dry-run", code=1).stdout, re.MULTILINE)
    run("in", "--out", "out")
    assert inverted("out/" + "x" * 250 + ".jpg")


def test_unexpected_error_is_one_line_and_a_trace_when_verbose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeCartoonizer, "photo", lambda *_: 1 / 0)
    save("a.jpg")
    line = "cartoonize: a.jpg: unexpected error: ZeroDivisionError: division by zero (please report)\n"
    assert run("a.jpg", code=1).stderr.startswith(line)
    assert "Traceback" in run("a.jpg", "--verbose", code=1).stderr


# Many files


def test_tree_collisions_and_second_run() -> None:
    save("in/photo.jpg", "in/photo.png", "in/sub/deep/c.webp", "in/.hidden/d.jpg")
    first = run("in", "--out", "in/out", "--format", "png")
    assert files("in/out") == {"photo.png", "photo_jpg.png", "sub/deep/c.png"}
    assert "in/photo.jpg -> in/out/photo_jpg.png: photo.png is taken by in/photo.png" in first.stderr
    assert "0 done, 3 skipped in" in run("in", "--out", "in/out", "--format", "png").stderr
    assert len(FakeCartoonizer.made) == 1, "nothing to do: no generator"
    assert "3 done in" in run("in", "--out", "in/out", "--format", "png", "--overwrite").stderr


def test_second_run_with_the_names_the_shell_expands() -> None:
    save("a.jpg", "b.jpg")
    run("a.jpg", "b.jpg")
    result = run("a.jpg", "a_cartoon.jpg", "b.jpg", "b_cartoon.jpg")
    assert "0 done, 2 skipped" in result.stderr
    assert "results of earlier runs (*_cartoon) and sheets, not taken as photos: 2" in result.stderr
    assert len(files()) == 4


@pytest.mark.parametrize("content", [b"a b.jpg\n\n[c].jpg\r\n", b"a b.jpg\0[c].jpg\0", b"a b.jpg\0[c].jpg"])
def test_files_from(content: bytes) -> None:
    save("a b.jpg", "[c].jpg", "c.jpg")
    Path("list").write_bytes(content)
    run("--files-from", "list")
    assert files() - {"list"} == {"a b.jpg", "[c].jpg", "c.jpg", "a b_cartoon.jpg", "[c]_cartoon.jpg"}
    assert "2 skipped" in run("--files-from", "-", stdin=content).stderr


def test_a_photo_that_was_touched_is_read_again_once() -> None:
    save("in/a.jpg")
    run("in", "--out", "out")
    told = Path("out", MANIFEST)
    os.utime("in/a.jpg", (1, 1))
    sizes = [told.stat().st_size]
    for arguments in (("--dry-run",), (), ()):
        run("in", "--out", "out", *arguments)
        sizes.append(told.stat().st_size)
    assert sizes[0] == sizes[1] < sizes[2] == sizes[3]


@pytest.mark.parametrize("part", [("--shard", "1/1"), ()], ids=["shard", "plain"])
def test_update_goes_with_shards_of_files_and_not_with_objects(part: tuple[str, ...]) -> None:
    save("in/a.jpg", "in/b.jpg")
    run("in", "--out", "out", *part)
    save("in/a.jpg", height=9)
    assert "0 done, 2 skipped (1 older than its photo" in run("in", "--out", "out", *part).stderr
    assert "1 done, 1 skipped in" in run("in", "--out", "out", "--update", *part).stderr
    refused = run("in", "--out", "memory://out", "--update", *part, code=2)
    assert "--update goes with files" in refused.stderr


def test_results_that_are_no_longer_right_are_counted_and_made_anew_when_asked() -> None:
    save("in/a.jpg", "in/b.jpg", "in/c.jpg")
    run("in", "--out", "out")
    assert "0 done, 3 skipped in" in run("in", "--out", "out").stderr
    save("in/a.jpg", height=9)
    older = run("in", "--out", "out", "--json")
    assert "0 done, 3 skipped (1 older than its photo: --update makes it anew) in" in older.stderr
    assert "in/a.jpg: skipped, out/a.jpg is older than its photo\n" in older.stderr
    *told, last = (json.loads(line) for line in older.stdout.splitlines())
    assert {each["source"]: each["reason"] for each in told} == {
        "in/a.jpg": "is older than its photo",
        "in/b.jpg": "exists",
        "in/c.jpg": "exists",
    }
    assert (last["summary"]["older"], last["summary"]["other_settings"]) == (1, 0)
    other = run("in", "--out", "out", "-w", "quality")
    assert "(2 made with other settings, 1 older than its photo: --update makes them anew)" in other.stderr
    dry = run("in", "--out", "out", "--update", "--dry-run").stdout.splitlines()
    assert dry == [
        "in/a.jpg -> out/a.jpg  replace (is older than its photo)",
        "in/b.jpg -> out/b.jpg  skip (exists)",
        "in/c.jpg -> out/c.jpg  skip (exists)",
    ]
    assert "1 done, 2 skipped in" in run("in", "--out", "out", "--update").stderr
    with Image.open("out/a.jpg") as image:
        assert image.height == 9
    assert "0 done, 3 skipped in" in run("in", "--out", "out", "--update").stderr
    Path("out", MANIFEST).unlink()
    assert "0 done, 3 skipped in" in run("in", "--out", "out", "-w", "quality").stderr


def test_an_original_below_the_output_folder_survives_overwrite() -> None:
    save("o/b.jpg", "o/sub/b.jpg")
    before = Path("o/sub/b.jpg").read_bytes()
    told = run("o", "-o", "o/sub", "--overwrite", code=1).stderr
    assert re.search(r"o/b\.jpg: o/sub/b\.jpg exists, and this program did not make it: delete it, or", told)
    assert Path("o/sub/b.jpg").read_bytes() == before


def test_list_of_windows(tmp_path: Path) -> None:
    save("a b.jpg", "é.jpg", "in/c.jpg")
    Path("list").write_bytes("a b.jpg\r\né.jpg\r\n.\r\n".encode("utf-16"))
    result = run("--files-from", "list", code=1)
    assert re.search(r"^cartoonize: \.: is a folder: end the line with a / ", result.stderr, re.MULTILINE)
    assert files() - {"list"} == {"a b.jpg", "é.jpg", "in/c.jpg", "a b_cartoon.jpg", "é_cartoon.jpg"}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_list_without_end() -> None:
    assert "expected a file that ends" in run("--files-from", "/dev/zero", code=2).stderr


def test_what_is_left_alone_is_counted_and_named_when_verbose() -> None:
    save("in/a.jpg", "in/@eaDir/b.jpg", "in/.c.jpg")
    Path("in/film.mp4").touch()
    Path("in/notes.txt").touch()
    told = run("in").stderr
    assert "cartoonize: left alone: 1 document, 1 film (--videos takes films: in/film.mp4)\n" in told
    assert "not looked into (--include-hidden does): 1\n" in told
    assert "in/notes.txt" not in told
    assert "in/film.mp4: left alone, film" in run("in", "-v").stderr
    assert "3 done" in run("in", "--include-hidden", "--overwrite", "--out", "out").stderr


def test_list_and_photo_cannot_both_be_standard_input() -> None:
    assert "either a photo (-) or a list" in run("-", "--files-from", "-", code=2, stdin=b"").stderr


def test_json_tells_every_file_and_a_summary() -> None:
    save("a.jpg", "b.jpg", "b_cartoon.jpg")
    Path("c.jpg").write_text("no picture")
    objects = [json.loads(line) for line in run("a.jpg", "b.jpg", "c.jpg", "--json", "-q", code=1).stdout.splitlines()]
    *told, last = objects
    by_source = {each["source"]: each for each in told}
    assert {name: each["status"] for name, each in by_source.items()} == {
        "a.jpg": "done",
        "b.jpg": "skipped",
        "c.jpg": "failed",
    }
    assert set(told[0]) == {"source", "target", "status", "seconds", "error", "notes", "reason"}
    assert by_source["a.jpg"]["target"] == "a_cartoon.jpg"
    assert by_source["a.jpg"]["error"] is None
    assert by_source["c.jpg"]["error"]
    counts = {key: last["summary"][key] for key in ("done", "skipped", "failed", "left", "interrupted")}
    assert counts == {"done": 1, "skipped": 1, "failed": 1, "left": 0, "interrupted": False}


def test_dry_run_shows_what_a_run_does() -> None:
    save("in/a.jpg", "in/a_cartoon.jpg", "in/b.jpg")
    lines = run("in", "gone.jpg", "--dry-run", code=1).stdout.splitlines()
    assert lines == [
        "in/a_cartoon.jpg  ignore (result of an earlier run)",
        "gone.jpg  fail (no such file or folder)",
        "in/a.jpg -> in/a_cartoon.jpg  skip (exists)",
        "in/b.jpg -> in/b_cartoon.jpg  write",
    ]
    *told, last = [json.loads(line) for line in run("in", "--dry-run", "--json").stdout.splitlines()]
    assert told[2] == {"source": "in/b.jpg", "target": "in/b_cartoon.jpg", "action": "write", "reason": ""}
    assert last == {"summary": {"write": 1, "replace": 0, "skip": 1, "fail": 0}}
    assert FakeCartoonizer.made == []


def test_what_takes_very_long_is_said_before_the_work() -> None:
    save("in/a.jpg", "in/b.jpg")
    save("in/c.jpg", width=720, height=720)
    words = "enlarged to 4000x4000 to be drawn, 250,000 times the work of the default --size"
    lines = run("in", "--size", "4000", "--dry-run").stdout.splitlines()
    assert lines[0] == f"in/a.jpg -> in/a_cartoon.jpg  write ({words})"
    told = run("in", "--size", "4000").stderr.splitlines()
    assert told[0] == f"cartoonize: in/a.jpg: {words} (one of 3 such photos)"
    assert "enlarged" not in run("in", "--size", "3000", "--overwrite").stderr
    assert run("in", "--size", "4000", "--overwrite", "-q").stderr == ""


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "1e300"])
def test_a_limit_that_no_clock_knows_is_refused(seconds: str) -> None:
    save("a.jpg")
    assert "Invalid value for '--timeout'" in run("a.jpg", "--timeout", seconds, code=2).stderr
    assert files() == {"a.jpg"}


def test_what_no_result_can_hold_is_found_out_when_planning() -> None:
    save("in/a.jpg")
    Image.new("RGB", (16_400, 2)).save("in/wide.jpg")
    Path("in/paper.jpg").write_bytes(b"%PDF-1.7" * 200)
    limit = "WEBP holds at most 16383 pixels a side, this is 16400x2: choose png or tiff"
    for more in ([], ["--shard", "1/1"]):
        lines = run("in", "--format", "webp", "--dry-run", *more, code=1).stdout.splitlines()
        assert sorted(lines) == [
            "in/a.jpg -> in/a_cartoon.webp  write",
            "in/paper.jpg  fail (is a PDF document: export its pages as pictures first)",
            f"in/wide.jpg  fail ({limit})",
        ]
    told = [json.loads(line) for line in run("in", "--format", "webp", "--json", code=1).stdout.splitlines()]
    assert [one.get("source") for one in told] == ["in/paper.jpg", "in/wide.jpg", "in/a.jpg", None], "before any work"
    assert (told[1]["status"], told[1]["error"], told[1]["target"]) == ("failed", limit, None)
    assert run("in/wide.jpg", "--out", "x.webp", code=1).stderr.startswith(f"cartoonize: in/wide.jpg: {limit}\n")
    assert run("in/wide.jpg", "-o", "x.webp", "--size", "99999", code=1).stderr.startswith(
        "cartoonize: in/wide.jpg: too many pixels to work at"
    )
    assert run("in/wide.jpg", "--dry-run").exit_code == 0
    assert not Path("x.webp").exists()


def test_quiet_prints_errors_only() -> None:
    save("a.jpg")
    assert run("a.jpg", "-q").output == ""
    assert run("a.jpg", "gone.jpg", "-q", code=1).stderr == "cartoonize: gone.jpg: no such file or folder\n"


def test_what_is_typed_silences_what_contradicts_it_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    save("a.jpg")
    monkeypatch.setenv("CARTOONIZE_QUIET", "1")
    assert "weights fast" in run("a.jpg", "-v").stderr
    monkeypatch.setenv("CARTOONIZE_QUIET", "0")
    monkeypatch.setenv("CARTOONIZE_VERBOSE", "1")
    assert run("a.jpg", "-q", "--overwrite").output == ""
    monkeypatch.setenv("CARTOONIZE_FORMAT", "png")
    run("a.jpg", "--out", "x.webp")
    run("a.jpg", "--out", "folder")
    assert {"x.webp", "folder/a.png"} <= files()


def test_heic_without_the_extra_is_found_out_before_work(monkeypatch: pytest.MonkeyPatch) -> None:
    save("a.jpg")
    monkeypatch.setattr("cartoonize.media.formats.find_spec", lambda name: None)
    for args in (
        ["a.jpg", "--format", "heic"],
        ["a.jpg", "--out", "x.heic", "--dry-run"],
        ["inspect", "a.jpg", "--out", "x.heic"],
    ):
        assert "pip install pillow-heif" in run(*args, code=2).stderr
    Path("photo.heic").touch()
    shown = run("a.jpg", "photo.heic", "--dry-run", code=1).stdout
    assert "a.jpg -> a_cartoon.jpg  write" in shown, "a HEIC photo fails alone"


def test_weights_of_nobody_are_one_line() -> None:
    save("a.jpg")
    assert run("a.jpg", "-w", "~nobody-of-that-name/w.tflite", code=2).stderr.count("\n") == 1


def test_an_empty_folder_is_said_to_be_empty_by_a_dry_run_too() -> None:
    Path("empty").mkdir()
    assert run("empty", "--dry-run", code=3).stderr == "cartoonize: no image found\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell's way to close a stream")
@pytest.mark.parametrize(
    ("words", "code"), [("a.jpg 2>&-", 0), ("- --out b.jpg <&-", 1)], ids=["standard error", "standard input"]
)
def test_closed_streams(words: str, code: int) -> None:
    save("a.jpg")
    ended = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m cartoonize {words}"], env=os.environ, capture_output=True, check=False
    )
    assert ended.returncode == code
    assert b"Traceback" not in ended.stderr
    assert Path("a_cartoon.jpg").exists() == (code == 0)


def test_verbose_prints_settings() -> None:
    save("a.jpg")
    assert re.search(
        r"weights fast, size default, cpu, photos at a time: 1, threads each: \d+", run("a.jpg", "-v").stderr
    )


def test_long_run_lists_failures_again() -> None:
    save(*(f"in/{n}.jpg" for n in range(11)))
    Path("in/3.jpg").write_bytes(b"")
    lines = run("in", code=1).stderr.splitlines()
    again = lines.index("failed:") + 1
    assert lines[again].startswith("cartoonize: in/3.jpg: ")
    assert lines.count(lines[again]) == 2


def test_names_are_escaped_for_the_terminal() -> None:
    name = "evil\x1b[31m\n.jpg"
    save(name)
    result = run(name, "gone\r.jpg", code=1)
    assert "\x1b" not in result.output
    assert r"evil\x1b[31m\n.jpg -> evil\x1b[31m\n_cartoon.jpg" in result.stderr
    assert r"cartoonize: gone\r.jpg: no such" in result.stderr
    assert json.loads(run(name, "--json").stdout.splitlines()[0])["source"] == name


# weights


def test_weights_list() -> None:
    text = run("weights", "list").stdout
    assert re.search(r"^NAME +SIZE +LICENCE +WHERE +NOTE$", text, re.MULTILINE)
    assert re.search(r"^fast +\d+\.\d MB +\S+", text, re.MULTILINE)


def test_weights_show(tmp_path: Path) -> None:
    text = run("weights", "show", "comic").stdout
    assert re.search(r"^licence +MIT$", text, re.MULTILINE)
    assert re.search(r"^draws +colours and ink$", text, re.MULTILINE)
    (tmp_path / "x.tflite").write_bytes(b"GIF89a")
    assert "not weights" in run("weights", "show", str(tmp_path / "x.tflite"), code=1).stderr


def test_weights_fetch_tells_licence_and_citation(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def fetch(url: str | None, progress: Callable[[int], None]) -> Path:
        asked.append(url)
        progress(5)
        return Path("there")

    monkeypatch.setattr(authors_release, "fetch", fetch)
    text = run("weights", "fetch", "whitebox", "--url", "http://mirror/").stdout
    assert authors_release.LICENCE_NOTICE in text
    assert authors_release.CITATION in text
    assert "there" in text
    assert asked == ["http://mirror/"]
    run("weights", "fetch", "nonsense", code=2)


def test_weights_fetch_that_fails_exits_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object) -> None:
        raise WeightsError("the download failed")

    monkeypatch.setattr(authors_release, "fetch", fetch)
    assert "Error: the download failed\n" in run("weights", "fetch", "whitebox", code=1).stderr


def test_weights_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    def verify(name: str) -> None:
        if name == "whitebox":
            raise WeightsError("expected x, found y")

    monkeypatch.setattr("cartoonize.generators.weights.verify", verify)
    assert run("weights", "verify", "fast").stdout == "fast: OK\n"
    assert "cartoonize: whitebox: expected x, found y" in run("weights", "verify", "whitebox", code=1).stderr
    assert "fast: OK" in run("weights", "verify").stdout
    run("weights", "verify", "nonsense", code=2)


# Shell completion


def complete(*args: str) -> list[tuple[str, str]]:
    completion = ShellComplete(app.cartoonize, {}, "cartoonize", "_CARTOONIZE_COMPLETE")
    return [(item.type, item.value) for item in completion.get_completions(list(args[:-1]), args[-1])]


def test_completion_of_the_main_command_and_of_the_others() -> None:
    assert complete("ph") == [("file", "ph")]
    assert complete("we") == [("file", "we"), ("plain", "weights")]
    assert complete("photo.jpg", "we") == [("file", "we")]
    for words in (["photo.jpg"], ["inspect", "photo.jpg"], ["compare", "photo.jpg"]):
        assert complete(*words, "--weights", "q") == [("file", "q"), ("plain", "quality")]
    assert complete("photo.jpg", "--out", "o") == [("file", "o")]
    assert complete("photo.jpg", "--over") == [("plain", "--overwrite")]
    assert complete("--device", "g") == [("plain", "gpu")]
    assert complete("weights", "v") == [("plain", "verify")]
    assert complete("weights", "fetch", "w") == [("plain", "whitebox")]


# Real processes


def start(*args: str, driver: str = FAKE, **settings: Any) -> subprocess.Popen[bytes]:
    """Start the command line with a fake generator; the package is imported from where the tests import it."""
    environment = {**os.environ, "PYTHONPATH": str(Path(cartoonize.__file__).parents[1]), **settings.pop("env", {})}
    pipes = {name: settings.pop(name, subprocess.PIPE) for name in ("stdin", "stdout", "stderr")}
    command = [sys.executable, "-c", driver, *args]
    return subprocess.Popen(command, env=environment, **pipes, **settings)


def process(*args: str, stdin: bytes = b"", **settings: Any) -> subprocess.CompletedProcess[bytes]:
    started = start(*args, **settings)
    stdout, stderr = started.communicate(stdin, timeout=600)
    return subprocess.CompletedProcess(args, started.returncode, stdout, stderr)


def test_process_exit_codes() -> None:
    save("in/a.jpg")
    Path("empty").mkdir()
    assert process("in").returncode == 0
    assert process("in", "gone.jpg").returncode == 1
    assert process("in", "--size", "big").returncode == 2
    assert process("empty").returncode == 3


def test_two_runs_at_once_share_the_work() -> None:
    save(*(f"in/{n}.jpg" for n in range(60)))
    both = [start("in", "--out", "out", "--json") for _ in range(2)]
    told = [json.loads(line) for run in both for line in run.communicate(timeout=600)[0].splitlines()]
    assert [run.returncode for run in both] == [0, 0]
    ends = [(line["source"], line["status"]) for line in told if "source" in line]
    assert sorted(source for source, status in ends if status == "done") == sorted(f"in/{n}.jpg" for n in range(60))
    assert {status for _, status in ends} <= {"done", "skipped"}
    assert len(files("out")) == 60


def test_module_calls_itself_cartoonize() -> None:
    command = [sys.executable, "-m", "cartoonize", "--size", "x"]
    environment = {**os.environ, "PYTHONPATH": str(Path(cartoonize.__file__).parents[1])}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Usage: cartoonize [OPTIONS] INPUTS...")


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["in", "--dry-run", "--review", "r.html"], ["weights", "--help"]]
)
def test_light_commands_import_nothing_heavy(args: list[str]) -> None:
    save("in/a.jpg")
    driver = """
import atexit, sys
heavy = {"tensorflow", "keras", "ai_edge_litert", "numpy", "cv2", "PIL", "skimage", "tqdm", "jinja2"}
atexit.register(lambda: print("heavy:", sorted(heavy & set(sys.modules)), file=sys.stderr))
from cartoonize.cli.app import main
main()
"""
    ended = process(*args, driver=driver)
    assert ended.returncode == 0
    assert ended.stderr.decode().endswith("heavy: []\n")


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_word() -> None:
    driver = """
import signal, sys
class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == "cartoonize.cli.app":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, signal.default_int_handler)
from cartoonize.__main__ import main
main()
"""
    ended = process("--version", driver=driver)
    assert ended.returncode == -signal.SIGINT
    assert not ended.stderr


def test_completion_by_the_shell() -> None:
    asked = {"_CARTOONIZE_COMPLETE": "bash_complete", "COMP_WORDS": "cartoonize photo.jpg --overw", "COMP_CWORD": "2"}
    ended = process(env=asked)
    assert ended.stdout == b"plain,--overwrite\n"
    assert b"_CARTOONIZE_COMPLETE=bash_complete" in process(env={"_CARTOONIZE_COMPLETE": "bash_source"}).stdout


def test_bytes_from_stdin_to_stdout() -> None:
    save("photo.png")
    data = Path("photo.png").read_bytes()
    ended = process("-", stdin=data)
    assert ended.returncode == 0
    assert ended.stdout.startswith(b"\x89PNG")
    Path("result.png").write_bytes(ended.stdout)
    assert inverted("result.png")
    assert process("-", "--format", "jpg", stdin=data).stdout.startswith(b"\xff\xd8\xff")
    assert process("photo.png", "-o", "-").stdout == ended.stdout
    assert process("-", "-o", "new/x.jpg", stdin=data).stdout == b""
    assert inverted("new/x.jpg")
    broken = process("-", stdin=b"no picture")
    assert (broken.returncode, broken.stdout) == (1, b"")
    assert broken.stderr.startswith(b"cartoonize: -: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_behind_stdout() -> None:
    save("photo.png")
    with open("/dev/full", "wb") as full:
        ended = process("photo.png", "-o", "-", stdout=full)
    assert ended.returncode == 1
    assert b"cartoonize: photo.png: cannot be written to standard output: No space left on device" in ended.stderr
    assert b"Exception ignored" not in ended.stderr


@pytest.mark.parametrize("args", [["in", "--json"], ["in/0.jpg", "-o", "-"], ["in", "--dry-run"]])
def test_reader_that_goes_away_ends_the_run_quietly(args: list[str]) -> None:
    save(*(f"in/{n}.jpg" for n in range(20)))
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = process(*args, "-q", stdout=writer)
    finally:
        os.close(writer)
    assert ended.stderr == b""
    assert ended.returncode == app.PIPE_CLOSED


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interruption_in_the_middle_of_a_photo(signum: signal.Signals, code: int) -> None:
    save("in/a.jpg")
    save("in/b.jpg", "in/c.jpg", "in/d.jpg", width=17)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job, where it would be inherited
        signal.signal(signal.SIGINT, signal.default_int_handler)
    running = start("in", "--out", "out", "--json")
    assert running.stdout
    first = json.loads(running.stdout.readline())
    time.sleep(0.2)
    begun = time.perf_counter()
    running.send_signal(signum)
    stdout, stderr = running.communicate(timeout=600)
    assert time.perf_counter() - begun < 50, "the photos at work take 60"
    assert running.returncode == code
    assert first["source"] == "in/a.jpg"
    assert files("out") == {"a.jpg"}, "nothing half-written"
    assert re.search(r"^interrupted: 1 done, 3 left in", stderr.decode(), re.MULTILINE)
    assert b"Traceback" not in stderr
    assert json.loads(stdout.splitlines()[-1])["summary"]["interrupted"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_names_that_are_no_text(locale: str) -> None:
    save("photo.jpg", "naïve ☕.jpg")
    os.rename("photo.jpg", b"caf\xe9.jpg")
    environment = {"LC_ALL": locale, "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    dry = process(".", "--dry-run", env=environment)
    ended = process(".", "--json", env=environment)
    again = process(".", "gone \udce9", env=environment)
    assert (dry.returncode, ended.returncode, again.returncode) == (0, 0, 1), ended.stderr
    assert os.path.exists(b"caf\xe9_cartoon.jpg")
    assert os.path.exists("naïve ☕_cartoon.jpg")
    sources = [json.loads(line).get("source") for line in ended.stdout.splitlines()]
    assert len(sources) == 3
    assert rb"caf\udce9.jpg -> caf\udce9_cartoon.jpg" in dry.stdout


def test_output_folder_inside_and_symlink_loop() -> None:
    save("in/a.jpg", "in/sub/b.jpg")
    os.symlink("..", "in/sub/loop")
    for expected in (b"2 done in", b"0 done, 2 skipped in"):
        ended = process("in", "--out", "in/out")
        assert expected in ended.stderr
    assert files("in/out") == {"a.jpg", "sub/b.jpg"}


def on_terminal(stream: str, *args: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run with one of its streams a terminal; return the exit code and what the terminal got."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    running = start(*args, **{stream: slave}, env={"TERM": "xterm", **(env or {})})
    os.close(slave)
    received = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # Linux says so when the other side is closed
            break
        if not chunk:
            break
        received += chunk
    running.communicate(timeout=600)
    os.close(master)
    return running.returncode, received.decode()


def test_picture_is_not_written_to_a_terminal() -> None:
    save("photo.png")
    code, received = on_terminal("stdout", "photo.png", "-o", "-")
    assert (code, received) == (2, "")


def test_bar_with_name_rate_and_time_left_on_a_terminal_only() -> None:
    save(*(f"in/{n}.jpg" for n in range(12)), width=12)
    code, received = on_terminal("stderr", "in", "--out", "out")
    assert code == 0
    assert re.search(r"\d+/12 \[\d+:\d+<.*photo.*in/\d+\.jpg", received)
    assert "12 done in" in received
    assert b"/12 [" not in process("in", "--out", "out2").stderr
    assert on_terminal("stderr", "in", "--out", "out3", "--quiet") == (0, "")


def test_the_summary_of_many_photos_says_how_fast_and_where(folder: Path) -> None:
    save(*(f"in/{n}/a.jpg" for n in range(11)))
    lines = run("in", "--out", "out").stderr.splitlines()
    assert "in/0/a.jpg -> out/0/a.jpg" in lines, "no seconds: those of photos at the same time overlap"
    assert re.fullmatch(r"11 done in \d+\.\d s, \d+\.\d photos a second: out/", lines[-1])
    assert run("in").stderr.endswith(": in/\n")
    assert run("in", "--out", "..").stderr.endswith(f": {folder.parent}/\n")


def test_colour_on_a_terminal_unless_told_not_to() -> None:
    assert "\x1b[31m" in on_terminal("stderr", "gone.jpg")[1]
    assert "\x1b[31m" not in on_terminal("stderr", "gone.jpg", env={"NO_COLOR": "1"})[1]


def test_threads_are_shared_among_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "available_cores", lambda: 4)
    save("a.jpg", "b.jpg")
    run("a.jpg", "b.jpg")
    run("a.jpg", "--overwrite")
    run("a.jpg", "b.jpg", "--overwrite", "--jobs", "1")
    assert [made["threads"] for made in FakeCartoonizer.made] == [2, 4, 4]
