"""Fixtures of tests that need stores; a conftest.py that imports them gives them to its folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from cartoonize.remote import access, archives, connecting

from .servers import Bucket, s3_server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    archives.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other without the waits that are right for real stores."""
    monkeypatch.setattr(access, "FIRST_WAIT", 0.001)


@pytest.fixture
def endpoint(s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[str]:
    """The S3 server as the environment tells of it, and none of this machine's own settings."""
    use(s3, monkeypatch, tmp_path)
    yield s3
    forget()


@pytest.fixture
def bucket(endpoint: str) -> Bucket:
    return Bucket(endpoint, f"bucket-{next(_numbers)}")


def use(endpoint: str, monkeypatch: pytest.MonkeyPatch, home, key: tuple[str, str] = ("k", "s")) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "aws_config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "aws_credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key[1])
    forget()


def forget() -> None:
    connecting.filesystem.cache_clear()
    archives.close()
