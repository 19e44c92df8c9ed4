"""Real servers on this machine for tests: S3 by moto, a proxy that fails, web servers with bad manners."""

from __future__ import annotations

import http.client
import secrets
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve with a handler on a free port while the block runs; gives HOST:PORT."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of clients that hang up
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(BaseHTTPRequestHandler):
    """A handler that logs nothing and counts what it is asked."""

    requests: list[str] = []  # noqa: RUF012  a subclass has its own
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def page(answer: Callable[[Quiet], None]) -> type[Quiet]:
    """A handler that answers every GET alike."""

    class Page(Quiet):
        requests: list[str] = []  # noqa: RUF012

        def do_GET(self) -> None:
            self.requests.append(self.path)
            answer(self)

    return Page


def proxy_to(
    endpoint: str, trouble: Callable[[int, str], int | str | bytes | None] = lambda number, method: None
) -> type[Quiet]:
    """A handler that passes all on, but for the n-th request gives the status or error of `trouble`, or "drop"s it."""
    host = endpoint.removeprefix("http://")

    class Proxy(Quiet):
        requests: list[str] = []  # noqa: RUF012

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.requests.append(f"{self.command} {self.path}")
            what = trouble(len(self.requests), self.command)
            if what == "drop":
                self.close_connection = True
                self.connection.close()
                return
            if isinstance(what, bytes):  # the words of a refusal
                self.answer(400 if b"Token" in what else 403, what, Content_Type="application/xml")
                return
            if isinstance(what, int):
                self.answer(what, b"<Error><Code>ServiceUnavailable</Code><Message>Try again</Message></Error>")
                return
            connection = http.client.HTTPConnection(host, timeout=600)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(content)
            connection.close()

    for method in ("GET", "PUT", "HEAD", "POST", "DELETE"):
        setattr(Proxy, f"do_{method}", Proxy._pass_on)
    return Proxy


@contextmanager
def s3_server() -> Iterator[str]:
    """An S3 of this machine's own, empty; gives its endpoint."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class Bucket:
    """A bucket, seen with Amazon's own library and not with ours."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint = endpoint
        self.name = name
        self.client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
        )
        self.client.create_bucket(Bucket=name)

    def put(self, **objects: bytes) -> None:
        """Put objects there; keys that are no Python names come as `**{...}`."""
        for key, data in objects.items():
            self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def names(self) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


@contextmanager
def key_without_rights(endpoint: str) -> Iterator[tuple[str, str]]:
    """Have the server check rights while the block runs; gives the keys of a user who has none."""
    iam = boto3.client(
        "iam", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    user = f"nobody-{secrets.token_hex(4)}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    _set_requests_without_rights(endpoint, "0")
    try:
        yield key["AccessKeyId"], key["SecretAccessKey"]
    finally:
        _set_requests_without_rights(endpoint, "inf")


def _set_requests_without_rights(endpoint: str, number: str) -> None:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"))
    connection.request("POST", "/moto-api/reset-auth", number.encode(), {"Content-Type": "text/plain"})
    assert connection.getresponse().status == 200
    connection.close()
