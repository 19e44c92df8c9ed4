"""Runs killed at any moment: nothing half-written, nothing left over, and going on ends as if nothing had happened."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from PIL import Image

from .seeds import PHOTO

ROOT = Path(__file__).parents[2]
RUNS, PHOTOS = 20, 12
WITHOUT_LINKS = """
import errno, os

def refuse(*args, **kwargs):
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))

os.link = refuse
from cartoonize.__main__ import main
main()
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL"),
]


@pytest.fixture(params=["disk", "disk whose links are refused", "exFAT"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    if request.param != "exFAT":
        yield tmp_path
        return
    tools = ("mkfs.exfat", "losetup", "mount.exfat-fuse", "umount")
    if os.geteuid() != 0 or any(shutil.which(tool) is None for tool in tools):
        pytest.skip("an exFAT disk needs root and exfatprogs, exfat-fuse")
    image, mounted = tmp_path / "disk", tmp_path / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    device = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True).stdout.strip()
    if not device or subprocess.run(["mount.exfat-fuse", device, mounted], capture_output=True).returncode:
        pytest.skip("an exFAT disk cannot be mounted here")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", mounted], check=True)
        subprocess.run(["losetup", "-d", device], check=True)


def start(place: Path, out: str, *, links: bool) -> subprocess.Popen[bytes]:
    program = ["-m", "cartoonize"] if links else ["-c", WITHOUT_LINKS]
    words = [str(place / "in"), "--out", str(place / out), "--size", "64", "-q"]
    return subprocess.Popen([sys.executable, *program, *words], cwd=ROOT, stderr=subprocess.PIPE)


def results(folder: Path) -> dict[str, str]:
    """Return the hash of every file that is not hidden, by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob("*"))
        if not path.name.startswith(".")
    }


def wait_for(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Wait until a run has begun its folder and made some results, or has ended."""
    while process.poll() is None and not (folder.is_dir() and len(results(folder)) >= count):
        time.sleep(0.002)


def test_twenty_kills(place: Path, request: pytest.FixtureRequest) -> None:
    links = "refused" not in request.node.name
    (place / "in").mkdir()
    for number in range(PHOTOS):
        PHOTO.rotate(number * 30).resize((400, 300)).save(place / "in" / f"{number}.jpg")
    with start(place, "whole", links=links) as whole:
        assert whole.wait(600) == 0
    expected = results(place / "whole")
    assert len(expected) == PHOTOS
    killed = 0
    for number in range(RUNS):
        out = f"out{number // 5}"  # five kills of one run's goings-on
        with start(place, out, links=links) as process:
            wait_for(process, place / out, number % 5 * PHOTOS // 5)
            time.sleep(Random(number).uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            killed += process.wait(600) == -signal.SIGKILL
        for name, content in results(place / out).items():
            assert expected[name] == content, f"{name} after kill {number}"
            with Image.open(place / out / name) as image:
                image.load()
    assert killed >= RUNS / 2, "most came before the end"
    for out in sorted(path.name for path in place.glob("out*")):
        with start(place, out, links=links) as process:
            assert process.wait(600) == 0, process.stderr and process.stderr.read()
        assert results(place / out) == expected
