"""Films on a Ray cluster of two nodes: segments made by its workers, one of them killed, joined by the driver."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from ..clips import UNEVEN, Clip, packets, pan
from ..servers import Bucket

pytest.importorskip("ray.cluster_utils", reason="needs the extra: pip install 'cartoonize[ray]'")

from .test_ray import a_cluster, ends, patiently, run, start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(570)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield tmp_path
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def cluster() -> Iterator[Any]:
    with a_cluster() as nodes:
        patiently(lambda: nodes.add_node(num_cpus=2))
        nodes.wait_for_nodes()
        yield nodes


def same_film(one: Path, other: Path) -> bool:
    return all(list(packets(one, kind)) == list(packets(other, kind)) for kind in ("video", "audio"))


def wait_for_a_segment(process: subprocess.Popen[str]) -> None:
    """Wait until the journal names one."""
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and process.poll() is None:
        if any(journal.read_text().count("\n") > 1 for journal in Path("out").glob(".cartoonize-*/journal.jsonl")):
            return
        time.sleep(0.05)


def a_worker() -> psutil.Process | None:
    """One that is at work, by its title, which Ray gives it."""
    for process in psutil.process_iter(["cmdline"]):
        if any("Worker.do" in part for part in process.info["cmdline"] or []):
            return process
    return None


def test_segments_of_films_spread_over_a_cluster_and_a_worker_dies(cluster: Any) -> None:
    Path("in").mkdir()
    Clip(pictures=pan(700, step=1), ticks=UNEVEN, sounds=("aac",)).write(Path("in/long.mp4"))
    Clip(pictures=pan(9)).write(Path("in/short.mkv"))
    Path("in/broken.mp4").write_bytes(b"no film")
    run("in", "--videos", "--out", "local", "--quiet", code=1)
    process = start("in", "--videos", "--out", "out", "--json", "--ray", cluster.address)
    wait_for_a_segment(process)
    killed = a_worker()
    assert killed, "a worker is at work"
    killed.kill()
    out, err = process.communicate(timeout=400)
    assert process.returncode == 1, err
    found, summary = ends(out)
    told = {line["source"]: line for line in found}
    assert told["in/long.mp4"]["frames"] == 700
    assert "not a film" in told["in/broken.mp4"]["error"]
    assert (summary["done"], summary["failed"]) == (2, 1)
    assert same_film(Path("out/long.mp4"), Path("local/long.mp4"))
    assert same_film(Path("out/short.mkv"), Path("local/short.mkv"))
    assert sorted(path.name for path in Path("out").glob("[!.]*")) == ["long.mp4", "short.mkv"]


def test_a_film_in_a_bucket_is_made_by_a_cluster(bucket: Bucket, cluster: Any) -> None:
    source = Clip(pictures=pan(300, step=1), sounds=("aac",)).write(Path("a.mp4"))
    bucket.put(**{"in/a.mp4": source.read_bytes()})
    address = f"s3://{bucket.name}"
    out, _ = run(f"{address}/in/a.mp4", "--out", f"{address}/out/", "--json", "--ray", cluster.address)
    assert ends(out)[0][0]["frames"] == 300
    run("a.mp4", "--out", "local.mp4", "--quiet")
    assert bucket.get("out/a.mp4") == Path("local.mp4").read_bytes()
    assert bucket.names() == ["in/a.mp4", "out/a.mp4"]


def test_a_stopped_run_on_a_cluster_goes_on_without_one() -> None:
    Clip(pictures=pan(700, step=1)).write(Path("a.mp4"))
    process = start("a.mp4", "--out", "out/", "--ray", "local", "--jobs", "2")
    wait_for_a_segment(process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert "went on after frame" in run("a.mp4", "--out", "out/")[1]
    run("a.mp4", "--out", "local.mp4", "--quiet")
    assert Path("out/a.mp4").read_bytes() == Path("local.mp4").read_bytes()


def test_nothing_is_begun_after_a_failure_where_that_is_asked_for() -> None:
    Path("a.mp4").write_bytes(b"no film")
    Clip(pictures=pan(9)).write(Path("b.mp4"))
    err = run("a.mp4", "b.mp4", "--out", "out/", "--ray", "local", "--jobs", "1", "--fail-fast", code=1)[1]
    assert "a.mp4: not a film" in err
    assert not Path("out/b.mp4").exists()
