from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from cartoonize.remote import listing
from cartoonize.remote.failures import StoreError
from cartoonize.remote.listing import Existing, keys_below
from cartoonize.remote.urls import Url, parse

from ..servers import Bucket, key_without_rights, proxy_to, serving
from ..stores import use


def at(text: str) -> Url:
    url = parse(text)
    assert isinstance(url, Url)
    return url


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 7)


KEYS = [
    "a.jpg",
    "a/",
    "a/b.jpg",
    "a-1.jpg",
    "a//c.jpg",
    "B.jpg",
    "ü.jpg",
    "文.jpg",
    "z\U0001f600.jpg",
    "a b&c.jpg",
    "a%20b.jpg",
]


def test_all_keys_come_in_order_of_code_points(bucket: Bucket, small_pages: None) -> None:
    keys = [*KEYS, *(f"p/{n}.jpg" for n in range(30))]
    bucket.put(**dict.fromkeys(keys, b"x"))
    assert list(keys_below(at(f"s3://{bucket.name}"))) == sorted(key for key in keys if not key.endswith("/"))
    assert list(keys_below(at(f"s3://{bucket.name}/p/2"))) == sorted(k for k in keys if k.startswith("p/2"))
    assert list(keys_below(at(f"s3://{bucket.name}/nothing/"))) == []


def test_pages_of_nothing_but_folders_are_passed_over(bucket: Bucket, small_pages: None) -> None:
    bucket.put(**{f"p/{n:02}/": b"" for n in range(20)}, **{"p/z.jpg": b"x"})
    assert list(keys_below(at(f"s3://{bucket.name}/p/"))) == ["p/z.jpg"]


def test_a_page_is_asked_for_when_it_is_needed(
    s3: str, bucket: Bucket, small_pages: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket.put(**{f"{n:03}.jpg": b"x" for n in range(50)})
    proxy = proxy_to(s3)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        keys = keys_below(at(f"s3://{bucket.name}"))
        assert next(keys) == "000.jpg"
        assert len(proxy.requests) == 1
        assert len(list(keys)) == 49
    assert len(proxy.requests) == 8


def test_existing_results_are_known_by_listings(
    s3: str, bucket: Bucket, small_pages: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = [f"out/{n:04}.jpg" for n in range(0, 300, 3)]
    bucket.put(**dict.fromkeys(there, b"x"))
    proxy = proxy_to(s3)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        existing = Existing(at(f"s3://{bucket.name}/out/"))
        asked = [f"out/{n:04}.jpg" for n in range(300)]
        assert [key for key in asked if key in existing] == there
        assert len(proxy.requests) <= len(there) / 7 + 2
        mixed = random.Random(1).sample(asked, 40)
        assert [key in existing for key in mixed] == [key in there for key in mixed]


def test_one_name_in_a_large_folder_costs_one_request(
    s3: str, bucket: Bucket, small_pages: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket.put(**{f"out/{n:04}.jpg": b"x" for n in range(100)})
    proxy = proxy_to(s3)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        existing = Existing(at(f"s3://{bucket.name}/out/"))
        assert "out/0099.jpg" in existing
        assert "out/0099_.jpg" not in existing
        assert len(proxy.requests) == 1


def test_buckets_that_cannot_be_listed(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^nothing there: no such bucket"):
        list(keys_below(at("s3://no-such-bucket")))
    with key_without_rights(bucket.endpoint) as key:
        use(bucket.endpoint, monkeypatch, tmp_path, key)
        with pytest.raises(StoreError, match=r"not allowed to list it: check the credentials"):
            list(keys_below(at(f"s3://{bucket.name}/in/")))


def test_names_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for name in ("b.jpg", "a/c.jpg", "a/"):
            file.writestr(name, b"")
    assert list(keys_below(at(f"zip://::{tmp_path}/x.zip"))) == ["a/c.jpg", "b.jpg"]
    assert list(keys_below(at(f"zip://a/::{tmp_path}/x.zip"))) == ["a/c.jpg"]
    with pytest.raises(StoreError, match=r"^nothing there"):
        list(keys_below(at(f"zip://::{tmp_path}/none.zip")))
