from __future__ import annotations

import codecs
import io
import os
from pathlib import Path

import pytest

from cartoonize.jobs.lists import ListError, read_list
from cartoonize.jobs.sources import Line

NAMES = ["a b.jpg", "in/é ☕.jpg", "[c].jpg"]


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-8"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_what_other_programs_write(mark: bytes, encoding: str, end: str) -> None:
    content = mark + "".join(name + end for name in NAMES).encode(encoding)
    assert read_list(io.BytesIO(content)) == [Line(name) for name in NAMES]
    assert read_list(io.BytesIO(content + end.encode(encoding))) == [Line(name) for name in NAMES], "empty lines"


def test_names_that_are_no_text() -> None:
    assert read_list(io.BytesIO(b"caf\xe9.jpg\n")) == [Line(os.fsdecode(b"caf\xe9.jpg"))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("in\n.\n/\n".encode("utf-16-le"), "UTF-16 without a byte order mark"),
        ("in\r\n.\r\n".encode("utf-16-be"), "UTF-16 without a byte order mark"),
        (codecs.BOM_UTF16_LE + b"a", "damaged"),
        (codecs.BOM_UTF8 + b"\xff\n", "damaged"),
    ],
)
def test_what_is_no_list(content: bytes, message: str) -> None:
    with pytest.raises(ListError, match=message):
        read_list(io.BytesIO(content))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_list_that_never_ends() -> None:
    with open("/dev/zero", "rb") as endless, pytest.raises(ListError, match="expected a file that ends"):
        read_list(endless)
