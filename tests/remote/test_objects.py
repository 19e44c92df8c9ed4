"""Reading and writing single objects, against a real S3 server, through a proxy that fails, and refused."""

from __future__ import annotations

import io
import random
import socket
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError
from cartoonize.remote import access, connecting, objects
from cartoonize.remote.connecting import filesystem
from cartoonize.remote.failures import StoreError
from cartoonize.remote.objects import Remote
from cartoonize.remote.urls import Url, parse

from ..servers import Bucket, key_without_rights, proxy_to, serving
from ..stores import use


def at(text: str) -> Remote:
    url = parse(text)
    assert isinstance(url, Url)
    return Remote(url)


NAMES = ["a.jpg", "a b/c#d.jpg", "50%/ü 文.jpg", "a//b.jpg", "x?y=1.jpg", "[1]*.jpg", "a+b&c=d.jpg", "%41.jpg"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_there_under_exactly_its_name(bucket: Bucket, name: str) -> None:
    at(f"s3://{bucket.name}/{name}").write(b"content", overwrite=False)
    assert bucket.names() == [name]
    assert bucket.get(name) == b"content"
    assert at(f"s3://{bucket.name}/{name}").content() == b"content"


def test_a_name_that_s3fs_would_cut_off_is_refused(bucket: Bucket) -> None:
    with pytest.raises(StoreError, match="rename the object"):
        at(f"s3://{bucket.name}/x?versionId=1.jpg").write(b"content", overwrite=False)
    assert bucket.names() == []


def test_nothing_is_replaced_unasked(bucket: Bucket) -> None:
    there = at(f"s3://{bucket.name}/a.jpg")
    there.write(b"first", overwrite=False)
    with pytest.raises(AlreadyThereError):
        there.write(b"second", overwrite=False)
    assert bucket.get("a.jpg") == b"first"
    there.write(b"third", overwrite=True)
    assert bucket.get("a.jpg") == b"third"


def test_of_many_writers_at_once_one_is_first(bucket: Bucket) -> None:
    there = at(f"s3://{bucket.name}/a.jpg")
    ends: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            there.write(str(number).encode(), overwrite=False)
            ends.append(str(number))
        except AlreadyThereError:
            ends.append("skipped")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = [end for end in ends if end != "skipped"]
    assert bucket.get("a.jpg") == winner.encode()
    assert len(ends) == 8


def test_an_object_is_written_by_one_request(
    s3: str, endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket = Bucket(endpoint, "one-request")
    proxy = proxy_to(s3)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        at("s3://one-request/a.jpg").write(b"x" * 20_000_000, overwrite=False)
        at("s3://one-request/a.jpg").content()
    assert [request.split("?")[0] for request in proxy.requests] == ["PUT /one-request/a.jpg", "GET /one-request/a.jpg"]
    assert len(bucket.get("a.jpg")) == 20_000_000


def test_an_empty_object_is_empty(bucket: Bucket) -> None:
    bucket.put(**{"empty.jpg": b""})
    assert at(f"s3://{bucket.name}/empty.jpg").content() == b""


def test_too_much_is_not_read(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_STREAM", 1000)
    bucket.put(**{"fits.jpg": b"x" * 1000, "large.jpg": b"x" * 1001})
    assert len(at(f"s3://{bucket.name}/fits.jpg").content()) == 1000
    with pytest.raises(DecodeError, match="larger than a picture may be"):
        at(f"s3://{bucket.name}/large.jpg").content()


@pytest.mark.parametrize("place", ["s3://BUCKET/none.jpg", "s3://no-such-bucket/a.jpg"])
def test_missing_objects_and_buckets(bucket: Bucket, place: str) -> None:
    with pytest.raises(DecodeError, match=r"^no such object$"):
        at(place.replace("BUCKET", bucket.name)).content()


def test_missing_bucket_to_write_to(endpoint: str) -> None:
    with pytest.raises(EncodeError, match=r"^no such bucket$"):
        at("s3://no-such-bucket/a.jpg").write(b"x", overwrite=False)


def test_a_bucket_without_permission(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bucket.put(**{"a.jpg": b"secret"})
    with key_without_rights(bucket.endpoint) as key:
        use(bucket.endpoint, monkeypatch, tmp_path, key)
        with pytest.raises(DecodeError, match="not allowed to read it: check the credentials") as caught:
            at(f"s3://{bucket.name}/a.jpg").content()
        assert "\n" not in str(caught.value)
        with pytest.raises(EncodeError, match="not allowed to write there: check the credentials"):
            at(f"s3://{bucket.name}/b.jpg").write(b"x", overwrite=False)
    assert bucket.names() == ["a.jpg"]


def test_missing_credentials(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    filesystem.cache_clear()
    with pytest.raises(EncodeError, match=r"^no credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID"):
        at("s3://b/a.jpg").write(b"x", overwrite=False)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    filesystem.cache_clear()
    for name in ("gcsfs", "gcsfs.core"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(StoreError, match=r"pip install 'cartoonize\[gcs\]'"):
        filesystem("gs")


@pytest.mark.parametrize("trouble", [500, 503, 429, "drop"])
def test_one_request_in_ten_may_fail(
    s3: str, endpoint: str, trouble: int | str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at_once: None
) -> None:
    bucket = Bucket(endpoint, f"flaky-{trouble}")
    some = random.Random(7)
    proxy = proxy_to(s3, lambda number, method: trouble if some.random() < 0.1 or number == 1 else None)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        for n in range(40):
            at(f"s3://{bucket.name}/{n:02}.jpg").write(str(n).encode(), overwrite=False)
        read = [at(f"s3://{bucket.name}/{n:02}.jpg").content() for n in range(40)]
    assert read == [str(n).encode() for n in range(40)]
    assert len(bucket.names()) == 40
    assert len(proxy.requests) > 80, "some were tried again"


def test_a_store_that_never_answers_is_given_up(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at_once: None
) -> None:
    monkeypatch.setattr(connecting, "READ_TIMEOUT", 0.2)
    monkeypatch.setattr(access, "TRIES", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch, tmp_path)
        with pytest.raises(DecodeError, match=r"^no answer in time"):
            at("s3://b/a.jpg").content()


def test_a_store_that_is_not_there_is_tried_a_few_times(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at_once: None
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    use(f"http://127.0.0.1:{port}", monkeypatch, tmp_path)
    with pytest.raises(DecodeError, match=r"^tried 6 times: Could not connect"):
        at("s3://b/a.jpg").content()


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return stream.getvalue()


def test_members_of_archives_in_a_bucket_and_on_the_disk(bucket: Bucket, tmp_path: Path) -> None:
    data = archive(**{"a/b.jpg": b"one", "c.jpg": b"two"})
    bucket.put(**{"x.zip": data})
    (tmp_path / "x.zip").write_bytes(data)
    for place in (f"s3://{bucket.name}/x.zip", str(tmp_path / "x.zip")):
        assert at(f"zip://a/b.jpg::{place}").content() == b"one"
        with pytest.raises(DecodeError, match=r"^no such object$"):
            at(f"zip://none.jpg::{place}").content()


def test_a_member_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bomb.zip").write_bytes(archive(**{"a.jpg": bytes(10_000_000)}))
    monkeypatch.setattr(objects, "MAX_STREAM", 1000)
    with pytest.raises(DecodeError, match="larger than a picture may be"):
        at(f"zip://a.jpg::{tmp_path}/bomb.zip").content()


def test_archives_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(DecodeError, match=r"x\.zip is no zip archive, or a damaged one"):
        at(f"zip://a.jpg::{tmp_path}/x.zip").content()
    with pytest.raises(DecodeError, match="no such object"):
        at(f"zip://a.jpg::{tmp_path}/none.zip").content()


def test_an_encrypted_member_fails_in_words(tmp_path: Path) -> None:
    data = bytearray(archive(**{"a.jpg": b"x"}))
    for head in (b"PK\x03\x04", b"PK\x01\x02"):
        at_flags = data.index(head) + (6 if head == b"PK\x03\x04" else 8)
        data[at_flags] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(DecodeError, match=r"(?i)cannot be taken out of its archive: .*password"):
        at(f"zip://a.jpg::{tmp_path}/x.zip").content()
