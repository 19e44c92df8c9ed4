"""Thousands of damaged files: each is drawn or refused in one line; no crash, no traceback, no gigabytes, no minutes.

The fixed seed gives the same files for ever; the fresh one is printed, and FUZZ_SEED=NUMBER repeats it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from select import select

import pytest

from . import seeds
from .mutations import mutated

ROOT = Path(__file__).parents[2]
FIXED = 2020
PICTURES, FILMS, WEIGHTS, CONFIGURATIONS = 2000, 60, 300, 300
BATCH = 250  # pictures a process
MOST_MEMORY, MOST_SECONDS = 2 << 30, 30
ONLY_A_HANG = 1200  # seconds of a batch

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(params=["fixed", pytest.param("fresh", marks=pytest.mark.fresh)])
def seed(request: pytest.FixtureRequest) -> int:
    return FIXED if request.param == "fixed" else int(os.environ["FUZZ_SEED"])


def mutants(folder: Path, seed: int, count: int, sources: dict[str, bytes]) -> list[Path]:
    """Write `count` mutations of the sources in turn and return their paths; number and seed decide each."""
    paths = []
    for number in range(count):
        name, data = list(sources.items())[number % len(sources)]
        path = folder / f"{number:05}-{name}"
        path.write_bytes(mutated(Random(f"{seed}-{number}"), name, data))
        paths.append(path)
    return paths


def test_mutations_are_the_same_for_the_same_seed_and_change_nearly_every_file() -> None:
    sources = seeds.pictures()
    for name, data in sources.items():
        made = [mutated(Random(f"{n}"), name, data) for n in range(30)]
        assert made == [mutated(Random(f"{n}"), name, data) for n in range(30)]
        assert sum(each != data for each in made) >= 25, name


def test_damaged_pictures(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    paths = mutants(folder, seed, PICTURES, seeds.pictures())
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        bad, done = drawn(batch, tmp_path / "out")
        assert bad == [], f"seed {seed}: {bad}"
        assert done > len(batch) / 10, "most of them are still read"


def drawn(batch: list[Path], out: Path) -> tuple[list[str], int]:
    """Run the program over files, and return what is wrong with how that ended, and how many were done."""
    names = b"\0".join(os.fsencode(path) for path in batch)
    words = ["--files-from", "-", "--out", out, "--json", "--size", "48", "--jobs", "1"]
    command = [sys.executable, "-m", "cartoonize", *map(str, words)]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **streams) as process:  # type: ignore[call-overload]
        stdout, stderr = process.communicate(names, timeout=ONLY_A_HANG)
    *files, last = [json.loads(line) for line in stdout.splitlines()] or [{}]
    bad = [str(file) for file in files if wrong(file["error"]) or file["seconds"] > MOST_SECONDS]
    if process.returncode not in (0, 1) or "summary" not in last:
        told = {file["source"] for file in files}
        first = next((path for path in batch if str(path) not in told), None)
        bad.append(f"ended with {process.returncode} at {first}")
    if b"Traceback" in stderr:
        bad.append(stderr.decode(errors="replace")[-3000:])
    return bad, sum(file["status"] == "done" for file in files)


def wrong(error: str | None) -> bool:
    return error is not None and ("please report" in error or len(error.splitlines()) != 1)


def test_damaged_films(seed: int, tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "in"
    whole.mkdir()
    folder.mkdir()
    mutants(folder, seed, FILMS, seeds.films(whole))
    words = ["--out", tmp_path / "out", "--videos", "--json", "--size", "32", "--jobs", "1"]
    command = [sys.executable, "-m", "cartoonize", *map(str, [whole, folder, *words])]
    with (tmp_path / "said").open("wb") as said, (tmp_path / "errors").open("wb") as errors:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    *files, last = [json.loads(line) for line in (tmp_path / "said").read_bytes().splitlines()] or [{}]
    assert process.returncode in (0, 1), f"seed {seed}: after {len(files)} films"
    assert "summary" in last
    assert [file for file in files if wrong(file["error"]) or file["seconds"] > MOST_SECONDS] == [], f"seed {seed}"
    assert b"Traceback" not in (tmp_path / "errors").read_bytes()
    assert usage.ru_maxrss * 1024 < MOST_MEMORY
    done = {Path(file["source"]) for file in files if file["status"] == "done"}
    assert len(files) == FILMS + 5
    assert len([path for path in done if path.parent == whole]) == 5, "whole ones are drawn"
    assert len(done) > 5 + FILMS / 10


class Worker:
    """The process that reads; begun anew when a file was too much for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, kind: str, path: Path, seconds: float = MOST_SECONDS) -> str:
        """Return how reading a file ended, in words."""
        process = self._process or self._begin()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps([kind, str(path)]) + "\n")
        process.stdin.flush()
        if not select([process.stdout], [], [], seconds)[0]:
            self.end()
            return f"unexpected: not done after {seconds} s"
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self.end()
            return f"unexpected: the process ended with {code}"
        text, memory = json.loads(line)
        return text if memory < MOST_MEMORY else f"unexpected: {memory:,} bytes of memory"

    def _begin(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.fuzz.worker"]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, cwd=ROOT, text=True, **streams)  # type: ignore[call-overload]
        return self._process

    def end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    worker = Worker()
    yield worker
    worker.end()


def test_damaged_weights(seed: int, worker: Worker, tmp_path: Path) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "mutants"
    whole.mkdir()
    folder.mkdir()
    sources = seeds.weights(whole)
    for path in sources.values():
        assert worker("weights", path, ONLY_A_HANG) == "done", path
        assert worker("read weights", path, ONLY_A_HANG) == "done", path  # also imports what the others need
    content = {name: path.read_bytes() for name, path in sources.items()}
    bad, done = [], 0
    for path in mutants(folder, seed, WEIGHTS, content):
        if path.suffix == ".index":
            path.with_name(f"{path.stem}.data-00000-of-00001").write_bytes(
                (whole / "model.data-00000-of-00001").read_bytes()
            )
        text = worker("read weights", path)
        if text.startswith("unexpected: the process ended"):  # a process of its own dies of it as a user runs it
            text = worker("weights", path)
        done += text == "done"
        if text.startswith("unexpected"):
            bad.append(f"{path.name}: {text}")
    assert bad == [], f"seed {seed}"
    assert done > WEIGHTS / 30


def test_damaged_configurations(seed: int, worker: Worker, tmp_path: Path) -> None:
    sources = seeds.configurations(tmp_path)
    content = {name: text.encode() for name, (_, text) in sources.items()}
    bad, done = [], 0
    for path in mutants(tmp_path, seed, CONFIGURATIONS, content):
        command, _ = sources[path.name.partition("-")[2]]
        text = worker(command, path, ONLY_A_HANG if not done else MOST_SECONDS)
        done += text == "done"
        if text.startswith("unexpected"):
            bad.append(f"{path.name}: {text}: {path.read_text(errors='replace')[:200]}")
    assert bad == [], f"seed {seed}"
    assert done > CONFIGURATIONS / 100  # few of a fresh seed are still read: 10 of 300 have been seen
