"""Web servers with bad manners."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from cartoonize.errors import DecodeError
from cartoonize.remote import objects, web

from ..servers import Quiet, page, serving
from .test_objects import at

pytestmark = pytest.mark.usefixtures("at_once")


def test_a_picture_is_read_with_its_query() -> None:
    handler = page(lambda request: request.answer(200, b"picture"))
    with serving(handler) as host:
        assert at(f"http://{host}/a%20b.jpg?w=1&sign=%2B").content() == b"picture"
    assert handler.requests == ["/a%20b.jpg?w=1&sign=%2B"], "the address is sent as it was given"


@pytest.mark.parametrize(
    ("status", "said", "tries"),
    [
        (404, "^no such object$", 1),
        (403, "not allowed to read it", 1),
        (418, "418", 1),
        (503, "^tried 6 times: 503", 6),
    ],
)
def test_what_a_server_refuses(status: int, said: str, tries: int) -> None:
    handler = page(lambda request: request.answer(status))
    with serving(handler) as host, pytest.raises(DecodeError, match=said):
        at(f"http://{host}/a.jpg").content()
    assert len(handler.requests) == tries


def test_redirects_are_followed_within_the_scheme() -> None:
    def answer(request: Quiet) -> None:
        if request.path == "/a.jpg":
            request.answer(302, Location="/b.jpg")
        else:
            request.answer(200, b"picture")

    with serving(page(answer)) as host:
        assert at(f"http://{host}/a.jpg").content() == b"picture"


@pytest.mark.parametrize(
    "there", ["https://127.0.0.1:1/a.jpg", "file:///etc/passwd", "ftp://127.0.0.1/a.jpg", "s3://b/a"]
)
def test_no_redirect_leads_to_another_scheme(there: str) -> None:
    handler = page(lambda request: request.answer(302, Location=there))
    with serving(handler) as host, pytest.raises(DecodeError, match="another scheme") as caught:
        at(f"http://{host}/a.jpg").content()
    assert there in str(caught.value)
    assert len(handler.requests) == 1


def test_redirects_in_a_circle_end() -> None:
    handler = page(lambda request: request.answer(302, Location="/a.jpg"))
    with serving(handler) as host, pytest.raises(DecodeError):
        at(f"http://{host}/a.jpg").content()
    assert len(handler.requests) <= (web.MAX_REDIRECTS + 1)


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(request: Quiet) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"x" * 65536)
        except OSError:
            request.close_connection = True

    monkeypatch.setattr(objects, "MAX_STREAM", 1_000_000)
    with serving(page(endless)) as host, pytest.raises(DecodeError, match="larger than a picture may be"):
        at(f"http://{host}/a.jpg").content()


def test_an_answer_that_drips_ends_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(request: Quiet) -> None:
        request.send_response(200)
        request.end_headers()
        try:
            for _ in range(600):
                request.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:
            request.close_connection = True

    monkeypatch.setattr(web, "TOTAL_TIMEOUT", 0.5)
    monkeypatch.setattr("cartoonize.remote.access.TRIES", 2)
    with serving(page(drip)) as host, pytest.raises(DecodeError, match=r"^no answer in time"):
        at(f"http://{host}/a.jpg").content()


def test_members_of_an_archive_on_a_server_are_read_without_the_rest() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("large.jpg", bytes(30_000_000))
        file.writestr("a.jpg", b"small")
    data = stream.getvalue()
    sent = []

    class Ranges(Quiet):
        requests: list[str] = []  # noqa: RUF012

        def do_HEAD(self) -> None:  # noqa: N802  the library's names
            self.answer(200, data, Accept_Ranges="bytes")

        def do_GET(self) -> None:  # noqa: N802  the library's names
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            part = data[int(first) : int(last) + 1]
            sent.append(len(part))
            self.answer(206, part, Content_Range=f"bytes {first}-{last}/{len(data)}")

    with serving(Ranges) as host:
        assert at(f"zip://a.jpg::http://{host}/x.zip").content() == b"small"
    assert sum(sent) < 12_000_000
