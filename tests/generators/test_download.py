"""`weights fetch` against a local HTTP server."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cartoonize.errors import WeightsError
from cartoonize.generators import authors_release
from cartoonize.generators.authors_release import RemoteFile

CONTENTS = {"model.index": b"index" * 40, "model.data": bytes(range(256)) * 2000}


class Server(ThreadingHTTPServer):
    """Serves CONTENTS; can cut the connection after some bytes, and remembers every request's path and range."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents = dict(CONTENTS)
        self.cut_after: int | None = None
        self.no_ranges = False
        self.moved_to: str | None = None
        self.gate: threading.Barrier | None = None
        self.requests: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/files"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.requests.append((self.path, wanted))
        name = self.path.rsplit("/", 1)[1]
        if name not in self.server.contents:
            self.send_error(404)
            return
        if self.server.moved_to:
            self.send_response(302)
            self.send_header("Location", self.server.moved_to)
            self.end_headers()
            return
        if wanted and self.server.no_ranges:
            self.send_error(416)
            return
        content = self.server.contents[name]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = len(content) if self.server.cut_after is None else self.server.cut_after
        if self.server.gate:
            self.wfile.write(content[start : start + 1000])
            self.server.gate.wait()
            start += 1000
        self.wfile.write(content[start:stop])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The release's folder in an empty cache, with small files standing for the release's."""
    files = tuple(
        RemoteFile(name, len(content), hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest())
        for name, content in CONTENTS.items()
    )
    monkeypatch.setattr(authors_release, "RELEASE_FILES", files)
    return own_cache / "whitebox"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_blob_id_is_gits() -> None:
    """`printf 'hello\\n' | git hash-object --stdin`, as in git's own book."""
    assert hashlib.sha1(b"blob 6\0hello\n").hexdigest() == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_problem_names_what_differs(tmp_path: Path) -> None:
    hello = RemoteFile("hello", 6, "ce013625030ba8dba906f756967f9e9ca394464a")
    path = tmp_path / "hello"
    assert authors_release.problem(path, hello) == "missing"
    path.write_bytes(b"hello\n")
    assert authors_release.problem(path, hello) is None
    path.write_bytes(b"hullo\n")
    assert "expected git blob ce0136" in (authors_release.problem(path, hello) or "")
    path.write_bytes(b"hello")
    assert authors_release.problem(path, hello) == "expected 6 bytes, found 5"


def test_fetch_brings_checked_files_and_reports_progress(server: Server, folder: Path) -> None:
    seen: list[int] = []
    assert authors_release.fetch(server.url, seen.append) == folder
    assert contents(folder) == CONTENTS
    assert seen == sorted(seen)
    assert seen[-1] == sum(map(len, CONTENTS.values()))
    authors_release.verify()


def test_files_already_right_are_not_fetched_again(server: Server, folder: Path) -> None:
    authors_release.fetch(server.url)
    (folder / "model.index").write_bytes(b"damaged")
    server.requests.clear()
    authors_release.fetch(server.url)
    assert server.requests == [("/files/model.index", None)]
    assert contents(folder) == CONTENTS


def test_a_cut_connection_is_continued_by_the_next_try(server: Server, folder: Path) -> None:
    server.cut_after = 100_000
    with pytest.raises(WeightsError, match="run the command again to go on"):
        authors_release.fetch(server.url)
    assert "model.data" not in contents(folder)
    server.cut_after = None
    authors_release.fetch(server.url)
    assert server.requests[-1] == ("/files/model.data", "bytes=100000-")
    assert contents(folder) == CONTENTS


@pytest.mark.parametrize("wrong", [b"x" * len(CONTENTS["model.data"]), CONTENTS["model.data"] + b"more"])
def test_another_file_is_refused_and_not_kept(server: Server, folder: Path, wrong: bytes) -> None:
    server.contents["model.data"] = wrong
    with pytest.raises(WeightsError, match=r"not the authors' file \(expected"):
        authors_release.fetch(server.url)
    assert set(contents(folder)) == {"model.index"}


def test_an_address_that_is_not_there(server: Server, folder: Path) -> None:
    server.contents.clear()
    with pytest.raises(WeightsError, match="404"):
        authors_release.fetch(server.url)


@pytest.mark.parametrize("url", ["file:///etc/", "http://[x"])
def test_only_http_addresses(folder: Path, url: str) -> None:
    with pytest.raises(WeightsError, match="expected an http or https address"):
        authors_release.fetch(url)
    assert not folder.exists()


def test_verify_says_which_file_is_wrong(server: Server, folder: Path) -> None:
    authors_release.fetch(server.url)
    (folder / "model.data").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=r"model\.data: expected 512,000 bytes, found 7; run"):
        authors_release.verify()


def test_a_server_that_cannot_go_on_is_asked_for_all_of_it(server: Server, folder: Path) -> None:
    server.cut_after = 100_000
    with pytest.raises(WeightsError):
        authors_release.fetch(server.url)
    server.cut_after, server.no_ranges = None, True
    authors_release.fetch(server.url)
    assert server.requests[-2:] == [("/files/model.data", "bytes=100000-"), ("/files/model.data", None)]
    assert contents(folder) == CONTENTS


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/model.index", "file:///etc/passwd"])
def test_redirections_to_anything_but_the_web_are_not_followed(address: str, server: Server, folder: Path) -> None:
    server.moved_to = address
    with pytest.raises(WeightsError, match="the download failed"):
        authors_release.fetch(server.url)
    assert contents(folder) == {}


@pytest.mark.parametrize(
    "url",
    ["http://", "http://a b/", "http://x:notaport/", "http://x:99999999/", "http://" + "\u0438" * 80 + "/", "http://%"],
)
def test_odd_addresses_get_one_line(url: str, folder: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        authors_release.fetch(url)
    assert "\n" not in str(caught.value)


def test_two_at_once_both_end_well(server: Server, folder: Path) -> None:
    server.contents = {"model.index": CONTENTS["model.index"] * 10, "model.data": CONTENTS["model.data"]}
    (folder / "model.index").parent.mkdir(parents=True)
    (folder / "model.index").write_bytes(CONTENTS["model.index"])
    server.gate = threading.Barrier(2, timeout=600)  # both are in the middle of model.data
    with ThreadPoolExecutor(2) as pool:
        for result in [pool.submit(authors_release.fetch, server.url) for _ in range(2)]:
            assert result.result() == folder
    assert contents(folder) == CONTENTS


def test_what_killed_fetches_left_is_removed_once_it_is_old(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    old, young, other = "model.data.123-456.part", "model.data.7-8.part", "mine.part"
    for name in (old, young, other):
        (folder / name).write_bytes(b"begun")
        if name != young:
            os.utime(folder / name, (0, 0))
    authors_release.fetch(server.url)
    assert {path.name for path in folder.iterdir()} == {*CONTENTS, young, other}
