"""Films at addresses and in shards, as real processes with the built-in weights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cartoonize.jobs.planning import Job
from cartoonize.jobs.staging import staged as brought
from cartoonize.media.stores import File

from ..clips import Clip, packets, pan
from ..servers import Bucket, proxy_to, serving


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cartoonize", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=600)
    assert process.returncode == code, err
    return out, err


def staged(folder: Path) -> list[Path]:
    return [path for path in (folder / "cache").rglob("*") if path.is_file()]


def film(bucket: Bucket, key: str, frames: int = 30) -> Path:
    path = Clip(pictures=pan(frames), sounds=("aac",)).write(Path(Path(key).name))
    bucket.put(**{key: path.read_bytes()})
    return path


def test_a_film_in_a_bucket_becomes_what_it_becomes_on_a_disk(bucket: Bucket, folder: Path) -> None:
    film(bucket, "in/a.mp4")
    bucket.put(**{"in/broken.mp4": b"no film"})
    run("a.mp4", "--out", "there.mp4", "--preset", "ultrafast")
    address = f"s3://{bucket.name}"
    command = [f"{address}/in/", "--out", f"{address}/out/", "--videos", "--json", "--preset", "ultrafast"]
    out, err = run(*command, code=1)
    *lines, summary = map(json.loads, out.splitlines())
    told = {line["source"]: line for line in lines}
    assert told[f"{address}/in/a.mp4"]["frames"] == 30
    assert "not a film" in told[f"{address}/in/broken.mp4"]["error"]
    assert (summary["summary"]["done"], summary["summary"]["failed"]) == (1, 1)
    assert "Traceback" not in err
    assert bucket.get("out/a.mp4") == Path("there.mp4").read_bytes()
    assert staged(folder) == []
    assert "exists" in run(*command, code=1)[0]


@pytest.mark.slow
def test_a_stopped_film_of_a_bucket_goes_on(bucket: Bucket, folder: Path) -> None:
    film(bucket, "in/a.mp4", 500)
    address = f"s3://{bucket.name}"
    command = [f"{address}/in/a.mp4", "--out", f"{address}/out/", "--preset", "ultrafast"]
    process = start(*command)
    while process.poll() is None and not any(path.suffix == ".packets" for path in staged(folder)):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=600)
    assert process.returncode == 143
    assert all("source" not in path.parts for path in staged(folder)), "the copy of the film is not left"
    assert "went on after frame" in run(*command)[1]
    assert staged(folder) == []
    Path("whole.mp4").write_bytes(bucket.get("out/a.mp4"))
    assert len(next(packets(Path("whole.mp4"), "video"))) == 500


@pytest.mark.slow
def test_a_result_that_cannot_be_sent_is_not_made_anew(
    bucket: Bucket, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(bucket, "in/a.mp4", 30)
    address = f"s3://{bucket.name}"
    command = [f"{address}/in/a.mp4", "--out", f"{address}/out/", "--preset", "ultrafast"]
    with serving(proxy_to(bucket.endpoint, lambda _, method: 403 if method == "PUT" else None)) as host:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}")
        assert "not allowed to write there" in run(*command, code=1)[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.endpoint)
    assert "went on after frame 30" in run(*command)[1]
    assert staged(folder) == []


def test_a_shard_takes_whole_films(folder: Path) -> None:
    for name in ("in/a.mp4", "in/b.mp4", "in/c.mp4"):
        Path("in").mkdir(exist_ok=True)
        Clip(pictures=pan(4)).write(Path(name))
    planned = run("in", "--videos", "--out", "out", "--shard", "1/1", "--to", "0.1", "--dry-run")[0]
    assert planned.count("3 frames of 96x64, 0:00 long") == 3
    for index in (1, 2):
        run("in", "--videos", "--out", "out", "--shard", f"{index}/2", "--preset", "ultrafast")
    assert sorted(path.name for path in Path("out").glob("[!.]*")) == ["a.mp4", "b.mp4", "c.mp4"]
    assert "3 skipped" in run("in", "--videos", "--out", "out", "--preset", "ultrafast", "--update")[1], "as noted"


@pytest.mark.skipif(os.name == "nt" or shutil.which("mount") is None, reason="needs mount")
def test_a_disk_that_cannot_hold_the_copy_is_one_line(bucket: Bucket, folder: Path) -> None:
    small = folder / "cache"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True).returncode:
        pytest.skip("only root mounts")
    try:
        film(bucket, "in/a.mp4", 200)
        err = run(f"s3://{bucket.name}/in/a.mp4", "--out", "out/", code=1)[1]
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert "do not fit into" in err


def test_what_killed_runs_had_begun_to_bring_is_removed_once_it_is_old(folder: Path) -> None:
    there = folder / "cache" / "cartoonize" / "films" / "0123456789ab" / "source"
    there.mkdir(parents=True)
    old, young = there / ".0123456789ab.part", there / ".ba9876543210.part"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    with brought(Job(File(Path("a.mp4")), File(Path("b.mp4")), None, "write")):
        assert staged(folder) == [young]
