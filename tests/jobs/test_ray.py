"""Ray clusters on this machine: one node, three nodes, nodes and workers that die, workers of another version."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image

from ..servers import Bucket, proxy_to, serving
from ..stores import use

ray_cluster = pytest.importorskip("ray.cluster_utils", reason="needs the extra: pip install 'cartoonize[ray]'")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(570)]

# A worker dies of these photos, hangs at those: by their widths, before anything reads them.
TRAPS = """
import os, time
from cartoonize import cartoonizer
inner = cartoonizer.Cartoonizer.photo
def photo(self, photo):
    width = photo.frames[0].pixels.shape[1]
    if width == 61:
        os._exit(9)
    if width == 67:
        time.sleep(3600)
    if width == 71:
        time.sleep(0.5)
    return inner(self, photo)
cartoonizer.Cartoonizer.photo = photo
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    # Started in a shell's background, this process ignores Ctrl-C, and so would every one that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield tmp_path
    signal.signal(signal.SIGINT, before)


def save(coffee: NDArray[np.uint8], names: list[str], width: int = 64) -> None:
    for number, name in enumerate(names):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coffee[number % 300 : number % 300 + 48, :width]).save(name, quality=95)


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cartoonize", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )


def run(*arguments: str | Path, code: int = 0, **environment: str) -> tuple[str, str]:
    process = start(*arguments, **environment)
    out, err = process.communicate(timeout=200)
    assert process.returncode == code, err
    return out, err


def ends(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    *lines, last = map(json.loads, text.splitlines())
    return lines, last["summary"]


def same_pictures(one: str, other: str) -> bool:
    """Compare all but the hidden manifests, whose lines stand in the order in which photos ended."""
    names = sorted(str(path.relative_to(one)) for path in Path(one).rglob("[!.]*") if path.is_file())
    theirs = sorted(str(path.relative_to(other)) for path in Path(other).rglob("[!.]*") if path.is_file())
    return names == theirs and all(Path(one, n).read_bytes() == Path(other, n).read_bytes() for n in names)


@contextmanager
def trapped(folder: Path) -> Iterator[str]:
    """A folder for PYTHONPATH with which every Python of ours has the traps."""
    (folder / "traps").mkdir()
    (folder / "traps" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Later:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'cartoonize.jobs.ray_cluster' and sys.argv[0].endswith('default_worker.py'):\n"
        f"            sys.meta_path.remove(self); exec({TRAPS!r}, {{}})\n"
        "sys.meta_path.insert(0, Later())\n"
    )
    yield str(folder / "traps")


def patiently(start: Callable[[], Any]) -> Any:
    """Start a node; Ray gives one half a minute, which a busy machine may need more than once."""
    for _ in range(3):
        try:
            return start()
        except Exception as error:
            if "timed out during startup" not in str(error):
                raise
    return start()


@contextmanager
def a_cluster(**environment: str) -> Iterator[Any]:
    """A cluster on this machine whose only node so far has one core."""
    head = {"num_cpus": 1, "include_dashboard": False, "env_vars": environment}
    cluster = patiently(lambda: ray_cluster.Cluster(initialize_head=True, head_node_args=head))
    try:
        yield cluster
    finally:
        cluster.shutdown()


def test_local_ray_says_and_makes_what_the_local_run_does(coffee: NDArray[np.uint8]) -> None:
    save(coffee, [f"in/{n % 3}/{n}.jpg" for n in range(9)])
    save(coffee, ["out/0/0.jpg"])
    Path("in/bad.jpg").write_bytes(b"no picture")
    text, err = run("in", "none.jpg", "--out", "out", "--json", code=1)
    Path("out").rename("local")
    save(coffee, ["out/0/0.jpg"])
    ray_text, ray_err = run("in", "none.jpg", "--out", "out", "--json", "--ray", "local", "--jobs", "2", code=1)
    (lines, summary), (ray_lines, ray_summary) = ends(text), ends(ray_text)

    def by_name(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(({**line, "seconds": 0} for line in lines), key=lambda line: str(line["source"]))

    assert by_name(ray_lines) == by_name(lines)
    assert {**ray_summary, "seconds": 0} == {**summary, "seconds": 0}
    assert sorted(ray_err.splitlines()[:-1]) == sorted(err.splitlines()[:-1])
    assert same_pictures("out", "local")


def test_gpus_that_ray_does_not_know_of(has_gpu: None, coffee: NDArray[np.uint8]) -> None:
    save(coffee, [f"in/{n}.jpg" for n in range(3)])
    for out, more in (("local", ()), ("out", ("--ray", "local"))):
        run("in", "--out", out, "--device", "gpu", *more)
    assert same_pictures("out", "local")
    with a_cluster() as cluster:
        err = run("in", "--out", "out2", "--device", "gpu", "--ray", cluster.address, code=2)[1]
        assert "no machine of the cluster has a GPU that Ray knows of" in err
        patiently(lambda: cluster.add_node(num_cpus=1, num_gpus=1))
        cluster.wait_for_nodes()
        run("in", "--out", "out2", "--device", "gpu", "--ray", cluster.address)
    assert same_pictures("out2", "local")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_leaves_no_process_behind(coffee: NDArray[np.uint8], tmp_path: Path, signum: int, code: int) -> None:
    save(coffee, [f"in/{n}.jpg" for n in range(60)], width=71)
    with trapped(tmp_path) as path:
        process = start("in", "--out", "out", "--json", "--ray", "local", PYTHONPATH=path)
        assert process.stdout
        first = process.stdout.readline()
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) > 3, "Ray's own and the workers"
        process.send_signal(signum)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    summary = json.loads((first + out).splitlines()[-1])["summary"]
    assert summary["interrupted"]
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    for path in Path("out").glob("[!.]*"):
        Image.open(path).load()


def test_three_nodes_a_node_killed_and_ten_poisonous_photos(
    coffee: NDArray[np.uint8], bucket: Bucket, tmp_path: Path
) -> None:
    good = [f"in/{n:03}.jpg" for n in range(40)]
    poison = [f"in/{n:03}x.jpg" for n in range(0, 40, 4)]
    save(coffee, good, width=71)
    save(coffee, poison, width=61)
    for name in good + poison:
        bucket.put(**{name: Path(name).read_bytes()})
    with trapped(tmp_path) as path, a_cluster(PYTHONPATH=path) as cluster:
        nodes = [patiently(lambda: cluster.add_node(num_cpus=2, env_vars={"PYTHONPATH": path})) for _ in range(2)]
        cluster.wait_for_nodes()
        process = start(
            f"s3://{bucket.name}/in/", "--out", f"s3://{bucket.name}/out/", "--json", "--ray", cluster.address,
            PYTHONPATH=path,
        )  # fmt: skip
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(12)]
        cluster.remove_node(nodes[0], allow_graceful=False)
        out, err = process.communicate(timeout=200)
    assert process.returncode == 1, err
    found, summary = ends("".join(lines) + out)
    assert Counter(line["source"] for line in found) == Counter(f"s3://{bucket.name}/{n}" for n in good + poison)
    failed = {line["source"]: line["error"] for line in found if line["status"] == "failed"}
    assert set(failed) == {f"s3://{bucket.name}/{name}" for name in poison}
    assert all("its worker died" in error and error.endswith(", 3 times") for error in failed.values()), failed
    assert summary["done"] + summary["skipped"] == len(good)
    run("in", "--out", "local", "--quiet", "--jobs", "1")
    for name in good:
        result = name.replace("in/", "")
        assert bucket.get(f"out/{result}") == Path("local", result).read_bytes(), "bit for bit the local result"


def test_a_session_that_expires_ends_the_run_of_the_cluster_too(
    coffee: NDArray[np.uint8], s3: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    save(coffee, [f"in/{n:02}.jpg" for n in range(40)])
    for n in range(40):
        bucket.put(**{f"in/{n:02}.jpg": Path(f"in/{n:02}.jpg").read_bytes()})
    body = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
    with serving(proxy_to(s3, lambda number, method: body if method == "PUT" else None)) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        out, err = run(
            f"s3://{bucket.name}/in/", "--out", f"s3://{bucket.name}/out/", "--json", "--ray", "local", code=1
        )
    found, summary = ends(out)
    assert summary["done"] == 0
    assert 1 <= summary["failed"] == len(found) < 20
    assert err.count("nothing more was begun, since the rest would fail alike") == 1
    assert err.count("The provided token has expired") <= 2 * len(found) + 1


def test_workers_of_another_version_are_refused_in_words(coffee: NDArray[np.uint8], tmp_path: Path) -> None:
    save(coffee, [f"in/{n}.jpg" for n in range(4)])
    other = tmp_path / "other"
    (other / "cartoonize").mkdir(parents=True)
    (other / "cartoonize" / "__init__.py").write_text("__version__ = '0.0.9'\n")
    (other / "cartoonize" / "errors.py").write_text("class CartoonizeError(Exception):\n    pass\n")
    with a_cluster(PYTHONPATH=str(other)) as cluster:
        err = run("in", "--out", "out", "--ray", cluster.address, code=2)[1]
        assert "no worker of the cluster can be used: cartoonize 0.0.9 is there" in err
        patiently(lambda: cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": ""}))
        cluster.wait_for_nodes()
        save(coffee, [f"in/{n}.jpg" for n in range(300)])  # as long as the other worker needs to say its version
        err = run("in", "--out", "out", "--ray", "auto", RAY_ADDRESS=cluster.address)[1]
    assert "its workers are not used: cartoonize 0.0.9 is there" in err
    assert len(list(Path("out").glob("*.jpg"))) == 300


def test_a_photo_at_which_workers_hang_fails_after_its_deadline(coffee: NDArray[np.uint8], tmp_path: Path) -> None:
    save(coffee, [f"in/{n}.jpg" for n in range(8)])
    save(coffee, ["in/hangs.jpg"], width=67)
    code = (
        "from cartoonize.jobs import ray_running; ray_running.DEADLINE = 2.0;"
        "from cartoonize.__main__ import main; main()"
    )
    with trapped(tmp_path) as path:
        done = subprocess.run(
            [sys.executable, "-c", code, "in", "--out", "out", "--json", "--ray", "local"],
            capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    found, summary = ends(done.stdout)
    assert [line["error"] for line in found if line["status"] == "failed"] == ["no end within 2 s, 3 times"]
    assert summary["done"] == 8


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:1", "no cluster there"),
        ("ray://127.0.0.1:1", "no cluster there"),
        ("http://127.0.0.1:8265", "expected local, auto, HOST:PORT or ray://HOST:PORT"),
    ],
)
def test_a_cluster_that_is_not_there(address: str, why: str) -> None:
    Path("in").mkdir()
    Image.new("RGB", (8, 8)).save("in/a.jpg")
    err = run("in", "--ray", address, code=2)[1]
    assert f"--ray {address}: {why}" in err
    assert "Traceback" not in err
