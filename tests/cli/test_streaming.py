"""The command line over a bucket, an archive and the web, as real processes with the built-in weights."""

from __future__ import annotations

import io
import json
import random
import signal
import subprocess
import sys
import time
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ..servers import Bucket, key_without_rights, page, proxy_to, serving
from ..stores import use


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def jpeg(coffee: NDArray[np.uint8], number: int = 0) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(coffee[number : number + 64, :96]).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cartoonize", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )


def run(*arguments: str | Path, code: int = 0) -> tuple[str, str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=200)
    assert process.returncode == code, err
    return out, err


def objects(text: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    *lines, last = map(json.loads, text.splitlines())
    return {line["source"]: line for line in lines}, last["summary"]


def test_a_bucket_is_converted_as_a_folder_is(bucket: Bucket, coffee: NDArray[np.uint8]) -> None:
    names = [f"{n % 3}/{n:02}.jpg" for n in range(12)]
    for n, name in enumerate(names):
        bucket.put(**{f"in/{name}": jpeg(coffee, n)})
        Path("in", name).parent.mkdir(parents=True, exist_ok=True)
        Path("in", name).write_bytes(jpeg(coffee, n))
    bucket.put(**{"in/bad.jpg": b"no picture", "in/notes.txt": b"x"})
    b = f"s3://{bucket.name}"
    text, err = run(f"{b}/in/", "--out", f"{b}/out/", "--json", code=1)
    ends, summary = objects(text)
    assert {source: end["target"] for source, end in ends.items() if end["status"] == "done"} == {
        f"{b}/in/{name}": f"{b}/out/{name}" for name in names
    }
    assert ends[f"{b}/in/bad.jpg"]["status"] == "failed"
    assert err.count("bad.jpg: not a picture") == 2, "as it ends, and again after the run"
    assert summary | {"seconds": 0} == {
        "done": 12, "skipped": 0, "failed": 1, "other_settings": 0, "older": 0, "left": 0, "seconds": 0,
        "interrupted": False,
    }  # fmt: skip
    run("in", "--out", "out", "--quiet")
    for name in names:
        assert bucket.get(f"out/{name}") == Path("out", name).read_bytes(), "bit for bit the local result"
    text, _ = run(f"{b}/in/", "--out", f"{b}/out/", "--json", code=1)
    assert objects(text)[1]["skipped"] == 12


def test_one_photo_says_what_it_said_on_the_disk(bucket: Bucket, coffee: NDArray[np.uint8]) -> None:
    bucket.put(**{"a.jpg": jpeg(coffee)})
    b = f"s3://{bucket.name}"
    assert f"{b}/a.jpg -> {b}/a_cartoon.jpg (" in run(f"{b}/a.jpg")[1]
    assert f"{b}/a.jpg: skipped, {b}/a_cartoon.jpg exists" in run(f"{b}/a.jpg")[1]
    assert run(f"{b}/a.jpg", "--dry-run")[0] == f"{b}/a.jpg -> {b}/a_cartoon.jpg  skip (exists)\n"
    assert sorted(bucket.names()) == ["a.jpg", "a_cartoon.jpg"]


def test_archives_the_web_and_lists_that_lie_elsewhere(bucket: Bucket, coffee: NDArray[np.uint8]) -> None:
    with zipfile.ZipFile("x.zip", "w") as file:
        file.writestr("s/a.jpg", jpeg(coffee))
    bucket.put(**{"x.zip": Path("x.zip").read_bytes(), "in/[1].jpg": jpeg(coffee, 1)})
    b = f"s3://{bucket.name}"
    with serving(page(lambda request: request.answer(200, jpeg(coffee, 2)))) as host:
        web = f"http://{host}/w%20w.jpg?size=1"
        bucket.put(**{"list.txt": f"{b}/in/[1].jpg\n{web}\n{b}/none.jpg\nftp://x/a.jpg\n".encode()})
        run(f"zip://**/*.jpg::{b}/x.zip", "--files-from", f"{b}/list.txt", "--out", "out", code=1)
    assert sorted(str(path) for path in Path("out").rglob("*.jpg")) == ["out/[1].jpg", "out/s/a.jpg", "out/w w.jpg"]
    err = run("--files-from", f"{b}/none.txt", "--out", "out", code=2)[1]
    assert "none.txt: no such object" in err


def test_what_cannot_work_is_said_in_one_line(
    bucket: Bucket, coffee: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("a.jpg").write_bytes(jpeg(coffee))
    assert "no such bucket" in run("a.jpg", "--out", "s3://no-such-bucket/x/", code=2)[1]
    assert "s4:// is not supported" in run("a.jpg", "--out", "s4://x/", code=2)[1]
    assert "nothing can be written beside it: give --out" in run("https://127.0.0.1:1/a.jpg", code=2)[1]
    with zipfile.ZipFile("empty.zip", "w"):
        pass
    assert "no such folder, or an empty one" in run("zip://::empty.zip", "--out", "out", code=1)[1]
    bucket.put(**{"in/notes.txt": b"x"})
    assert "no image found" in run(f"s3://{bucket.name}/in/", code=3)[1]
    with key_without_rights(bucket.endpoint) as key:
        use(bucket.endpoint, monkeypatch, tmp_path, key)
        err = run("a.jpg", "--out", f"s3://{bucket.name}/x.jpg", code=1)[1]
        assert err.count("not allowed to list it: check the credentials") == 1
        assert "Traceback" not in err


def test_a_bucket_that_fails_one_request_in_ten_loses_nothing(
    s3: str, bucket: Bucket, coffee: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for n in range(30):
        bucket.put(**{f"in/{n:02}.jpg": jpeg(coffee, n)})
    some = random.Random(3)
    proxy = proxy_to(s3, lambda number, method: some.choice([500, 503, "drop"]) if some.random() < 0.1 else None)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        text, _ = run(f"s3://{bucket.name}/in/", "--out", f"s3://{bucket.name}/out/", "--json")
    assert objects(text)[1]["done"] == 30
    assert len([key for key in bucket.names() if key.startswith("out/")]) == 30


@pytest.mark.parametrize(
    ("code", "most"), [("AccessDenied", 20), ("ExpiredToken", 1)], ids=["refused", "a session that ends"]
)
def test_a_store_that_refuses_everything_ends_the_run(
    s3: str,
    bucket: Bucket,
    coffee: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    code: str,
    most: int,
) -> None:
    for n in range(60):
        bucket.put(**{f"in/{n:02}.jpg": jpeg(coffee, n)})
    body = f"<Error><Code>{code}</Code><Message>in words of the store</Message></Error>".encode()
    written = []

    def refuse(number: int, method: str) -> bytes | None:
        written.extend([number] if method == "PUT" else [])
        return body if len(written) > 3 and method == "PUT" else None

    with serving(proxy_to(s3, refuse)) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        text, err = run(f"s3://{bucket.name}/in/", "--out", f"s3://{bucket.name}/out/", "--json", "--jobs", "2", code=1)
    ends, summary = objects(text)
    assert summary["done"] == 3
    assert most <= summary["failed"] <= most + 4, "what was begun is finished"
    assert len(ends) == summary["failed"] + 3
    assert err.count("nothing more was begun, since the rest would fail alike") == 1
    assert "an unknown number left" in err
    assert "Traceback" not in err


def test_results_that_cannot_be_known_end_the_run(
    s3: str, bucket: Bucket, coffee: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for n in range(30):
        bucket.put(**{f"in/{n:02}.jpg": b"x"})
    body = b"<Error><Code>AccessDenied</Code><Message>in words of the store</Message></Error>"
    with serving(proxy_to(s3, lambda number, method: body if number > 2 else None)) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        err = run(f"s3://{bucket.name}/in/", "--out", f"s3://{bucket.name}/out/", code=1)[1]
    assert err.count("not allowed to list it") <= 3, "as it ends, why nothing more is begun, and after the run"


def test_secrets_in_addresses_are_kept_nowhere(coffee: NDArray[np.uint8]) -> None:
    secrets = ["f00d", "hunter2"]
    with serving(
        page(lambda request: request.answer(200, jpeg(coffee)) if "a.jpg" in request.path else request.answer(400))
    ) as host:
        there = f"http://me:hunter2@{host}/a.jpg?X-Amz-Signature=f00d"
        Path("list.txt").write_text(f"{there}\r\n\r\n{there.replace('a.jpg', 'none.jpg')}\r\nftp://me:hunter2@h/x\r\n")
        both = run("--files-from", "list.txt", "--out", "out", "--json", "--review", "page.html", "--verbose", code=1)
        said = [
            *both,
            run(there, code=2)[1],
            run(there, "--out", there, code=2)[1],
            run("x", "--files-from", there.replace("a.jpg", "n"), code=2)[1],
        ]
        said += run(there, there.replace("http", "s3"), "--out", "out", "--dry-run", code=1)
    ends, summary = objects(both[0])
    assert summary["done"] == 1
    assert summary["failed"] == 2
    assert f"http://***@{host}/a.jpg?X-Amz-Signature=***" in ends
    files = [path for path in Path().rglob("*") if path.is_file() and path.name != "list.txt"]
    assert sorted(path.name for path in files if not path.name.startswith(".")) == ["a.jpg", "page.html"]
    said += [path.read_bytes().decode(errors="replace") for path in files]
    for secret in secrets:
        assert not [text for text in said if secret in text], secret


@pytest.mark.slow
def test_the_page_goes_to_a_bucket_and_shows_what_browsers_do_not_reach(
    bucket: Bucket, coffee: NDArray[np.uint8]
) -> None:
    bucket.put(**{"in/a b.jpg": jpeg(coffee), "in/bad.jpg": b"x", "foreign.html": b"<title>mine</title>"})
    b = f"s3://{bucket.name}"
    assert (
        "exists and is no review page"
        in run(f"{b}/in/", "--out", f"{b}/o/", "--review", f"{b}/foreign.html", code=2)[1]
    )
    for _ in range(2):
        run(f"{b}/in/", "--out", f"{b}/o/", "--review", f"{b}/o/review.html", "--overwrite", code=1)
    html = bucket.get("o/review.html").decode()
    assert 'href="a%20b.jpg"' in html
    assert 'data-source="../in/a%20b.jpg"' in html
    assert html.count("data:image/webp") == 2, "the photo too, since no browser reads a bucket"
    run(f"{b}/in/", "--out", f"{b}/o2/", "--review", "here.html", code=1)
    assert f'href="{b}/o2/a%20b.jpg"' in Path("here.html").read_text()


@pytest.mark.parametrize("where", ["disk", "bucket"])
def test_shards_together_are_the_whole(bucket: Bucket, coffee: NDArray[np.uint8], where: str) -> None:
    for n in range(7):
        bucket.put(**{f"in/{n}.jpg": jpeg(coffee, n)})
        Path("in").mkdir(exist_ok=True)
        Path(f"in/{n}.jpg").write_bytes(jpeg(coffee, n))
    root = f"s3://{bucket.name}/" if where == "bucket" else ""
    parts = [list(objects(run(f"{root}in/", "--shard", f"{i}/3", "--json")[0])[0]) for i in (1, 2, 3)]
    assert sorted(map(len, parts)) == [2, 2, 3]
    assert sorted(chain(*parts)) == [f"{root}in/{n}.jpg" for n in range(7)]
    assert "expected I/N" in run("in", "--shard", "4/3", code=2)[1]


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_runs_leave_whole_results_and_say_so(
    s3: str,
    bucket: Bucket,
    coffee: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    signum: int,
    code: int,
) -> None:
    for n in range(20):
        bucket.put(**{f"in/{n:02}.jpg": jpeg(coffee, n)})

    def slow(number: int, method: str) -> None:
        if method == "GET" and number > 12:
            time.sleep(1)

    with serving(proxy_to(s3, slow)) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        process = start(f"s3://{bucket.name}/in/", "--out", f"s3://{bucket.name}/out/", "--json")
        assert process.stdout
        first = process.stdout.readline()
        process.send_signal(signum)
        out, err = process.communicate(timeout=600)
    assert process.returncode == code, err
    summary = json.loads((first + out).splitlines()[-1])["summary"]
    assert summary["interrupted"]
    assert "interrupted: " in err
    for key in bucket.names():
        if key.startswith("out/"):
            Image.open(io.BytesIO(bucket.get(key))).load()


def test_addresses_cost_nothing_where_there_are_none() -> None:
    code = (
        "import sys; from cartoonize.cli.app import cartoonize;"
        "cartoonize.main(['in', '--dry-run'], standalone_mode=False);"
        "print(sorted({'fsspec', 'aiohttp', 'ray', 'asyncio', 's3fs', 'zipfile'} & set(sys.modules)))"
    )
    Path("in").mkdir()
    Path("in/a.jpg").touch()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
