"""What is said of stores and servers that refuse, are gone or never were there, and when nothing is tried again."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cartoonize.errors import DecodeError, EncodeError, shown, without_secrets
from cartoonize.remote import access
from cartoonize.remote.failures import FOR_ALL, OF_MANY, OF_MOST

from ..servers import Bucket, Quiet, proxy_to, serving
from ..stores import use
from .test_objects import at


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("https://u:pw@h/a.jpg", "https://***@h/a.jpg"),
        ("zip://a@b.jpg::https://u@h/x.zip?sig=1%2F2&w=3", "zip://a@b.jpg::https://***@h/x.zip?sig=***&w=3"),
        (
            "https://h/a.jpg?X-Amz-Credential=A%2F1&X-Amz-Date=2&X-Amz-Signature=f0&X-Amz-Security-Token=q=",
            "https://h/a.jpg?X-Amz-Credential=***&X-Amz-Date=2&X-Amz-Signature=***&X-Amz-Security-Token=***",
        ),
        ("503, message='x', url='https://h/a?GoogleAccessId=me&Signature=ab'", None),
        ("https://h/a.jpg?w=1&max-keys=2&design=3&page=/@x", "https://h/a.jpg?w=1&max-keys=2&design=3&page=/@x"),
        ("https://h/a.jpg?sig=q:r: gone", "https://h/a.jpg?sig=***: gone"),
        ("s3://b/in/a@b.jpg", "s3://b/in/a@b.jpg"),
        ("photo?token=3.jpg", "photo?token=3.jpg"),
    ],
)
def test_secrets_in_addresses_are_not_shown(text: str, fit: str | None) -> None:
    if fit is None:
        assert "ab'" not in without_secrets(text)
    else:
        assert without_secrets(text) == shown(text) == fit


def test_what_a_source_is_called_has_no_secrets_but_what_is_asked_for_has() -> None:
    source = at("https://u:pw@h/a.jpg?Signature=xyz")
    assert str(source) == "https://***@h/a.jpg?Signature=***"
    assert str(source.url) == "https://u:pw@h/a.jpg?Signature=xyz"


class Bad(Quiet):
    """Answers with 503, and says again what it was asked for."""

    requests: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:  # noqa: N802  the library's names
        self.requests.append(self.path)
        self.answer(418 if "zip" in self.path else 400)


def test_messages_of_libraries_are_rid_of_secrets() -> None:
    with serving(Bad) as host:
        with pytest.raises(DecodeError) as caught:
            at(f"http://u:pw@{host}/a.jpg?token=hidden").content()
        assert "400" in str(caught.value)
        with pytest.raises(DecodeError) as zipped:
            at(f"zip://a.jpg::http://u:pw@{host}/zip?token=hidden").content()
    for error in (caught, zipped):
        assert "hidden" not in str(error.value)
        assert "pw" not in str(error.value)


def test_a_store_that_never_answered_is_given_up_soon_and_one_that_did_is_not(
    s3: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at_once: None
) -> None:
    monkeypatch.setattr(access, "FIRST_PATIENCE", 0.0)
    monkeypatch.setattr(access, "_answered", set())
    bucket.put(**{"a.jpg": b"x"})
    trouble: list[str | None] = ["drop"]
    proxy = proxy_to(s3, lambda number, method: trouble[0])
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        with pytest.raises(DecodeError, match="check the address, the network and any proxy"):
            at(f"s3://{bucket.name}/a.jpg").content()
        a_try = len(proxy.requests)  # one or two: the library's own connections may be stale
        trouble[0] = None
        assert at(f"s3://{bucket.name}/a.jpg").content() == b"x"
        trouble[0] = "drop"
        with pytest.raises(DecodeError, match=r"^tried 6 times: "):
            at(f"s3://{bucket.name}/a.jpg").content()
        assert len(proxy.requests) > 1 + 5 * a_try


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "server.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize("place", ["https://HOST/a.jpg", "s3://b/a.jpg", "zip://a.jpg::https://HOST/x.zip"])
def test_a_certificate_that_nobody_vouches_for_is_not_tried_again(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    with serving(Bad, context) as host:
        use(f"https://{host}", monkeypatch, tmp_path)
        with pytest.raises(DecodeError, match=r"^its certificate is not trusted: check the address") as caught:
            at(place.replace("HOST", host)).content()
    assert "tried" not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "status", "ends_after"),
    [
        ("ExpiredToken", 400, FOR_ALL),
        ("InvalidAccessKeyId", 403, FOR_ALL),
        ("SignatureDoesNotMatch", 403, FOR_ALL),
        ("RequestTimeTooSkewed", 403, FOR_ALL),
        ("NoSuchBucket", 404, FOR_ALL),
        ("NoSuchKey", 404, OF_MOST),
        ("AccessDenied", 403, OF_MANY),
        ("EntityTooLarge", 400, 0),
    ],
)
def test_failures_tell_whether_the_rest_would_fail_alike(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, status: int, ends_after: int
) -> None:
    body = f"<Error><Code>{code}</Code><Message>in words of the store</Message></Error>".encode()

    class Refusing(Quiet):
        requests: list[str] = []  # noqa: RUF012

        def do_GET(self) -> None:  # noqa: N802  the library's names
            self.requests.append(self.path)
            self.answer(status, body, Content_Type="application/xml")

    with serving(Refusing) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        with pytest.raises(DecodeError) as caught:
            at("s3://b/a.jpg").content()
    assert caught.value.ends_after == ends_after
    assert len(Refusing.requests) == 1
    assert "\n" not in str(caught.value)


def test_nothing_on_the_web_says_anything_of_other_addresses(at_once: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DecodeError) as caught:
        at(f"http://127.0.0.1:{port}/a.jpg").content()
    assert caught.value.ends_after == 0


def test_a_bucket_that_is_gone_when_it_is_written_to_is_the_end(endpoint: str) -> None:
    with pytest.raises(EncodeError, match=r"^no such bucket$") as caught:
        at("s3://no-such-bucket/a.jpg").write(b"x", overwrite=False)
    assert caught.value.ends_after == FOR_ALL


def test_libraries_log_nothing_where_no_handler_was_set_up() -> None:
    code = (
        "import logging; from cartoonize.remote.connecting import silence; silence();"
        "[logging.getLogger(name).error('noise') for name in ('gcsfs', 'azure.identity', 'asyncio', 'google.auth')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True)
    assert done.stderr == ""
    assert logging.getLogger("asyncio").propagate
