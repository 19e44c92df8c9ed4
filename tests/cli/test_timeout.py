"""Photos whose real decoder never ends or dies: with `--timeout` each is one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc here")


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """A file that whoever reads it waits for, and a photo beside it."""
    Image.new("RGB", (40, 30), "red").save(tmp_path / "b.png")
    os.mkfifo(tmp_path / "a.png")
    return tmp_path / "a.png"


def start(*photos: Path, seconds: float) -> subprocess.Popen[str]:
    words = [*photos, "--out", photos[0].parent / "out", "--size", "32", "--timeout", seconds]
    command = [sys.executable, "-m", "cartoonize", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def is_one_line(process: subprocess.Popen[str], stuck: Path, line: str) -> bool:
    _, err = process.communicate(timeout=600)
    told = [each for each in err.splitlines() if "a.png" in each or "Traceback" in each]
    return (process.returncode, told) == (1, [f"cartoonize: {stuck}: {line}"])


def results(stuck: Path) -> list[str]:
    return [path.name for path in stuck.parent.glob("out/[!.]*")]


def test_a_decoder_that_waits_for_ever_is_stopped(stuck: Path) -> None:
    assert is_one_line(start(stuck, seconds=1), stuck, "takes longer than 1 s: --timeout gives it more")
    assert results(stuck) == []


def test_a_decoder_that_is_killed_is_a_line_and_the_next_photo_is_done(stuck: Path) -> None:
    process = start(stuck, stuck.with_name("b.png"), seconds=500)
    writer = None
    while writer is None and process.poll() is None:
        with suppress(OSError):  # nobody reads it yet
            writer = os.open(stuck, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.02)
    assert writer is not None
    (decoder,) = readers(stuck)
    assert decoder != process.pid
    os.kill(decoder, signal.SIGKILL)
    assert is_one_line(process, stuck, "its decoder died of it: expected a sound picture")
    os.close(writer)
    assert results(stuck) == ["b.png"]


def readers(path: Path) -> list[int]:
    """Return the other processes that have a file open."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.readlink(link) == str(path) and int(link.parts[2]) != os.getpid():
                found.add(int(link.parts[2]))
    return sorted(found)
