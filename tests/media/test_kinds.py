"""Files that are no pictures of ours are named for what they are."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media import kinds
from cartoonize.media.codec import decode
from cartoonize.media.formats import EXTENSIONS


def by_pillow(name: str, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (32, 32)).save(stream, name)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", "b")
    return stream.getvalue()


def box(kind: bytes, brand: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, kind, brand, 512, brand) + bytes(100)


FILES = {
    "mp4": (box(b"ftyp", b"isom"), "a film"),
    "mov": (box(b"ftyp", b"qt  "), "a film"),
    "webm": (b"\x1aE\xdf\xa3" + bytes(60), "a film"),
    "avi": (b"RIFF\x10\x10\0\0AVI LIST" + bytes(60), "a film"),
    "ts": ((b"G" + bytes(187)) * 3, "a film"),
    "mp3": (b"ID3\x04" + bytes(60), "a sound file"),
    "wav": (b"RIFF\x10\x10\0\0WAVEfmt " + bytes(60), "a sound file"),
    "pdf": (by_pillow("PDF"), "a PDF document"),
    "eps": (by_pillow("EPS"), "a PostScript document"),
    "psb": (b"8BPS\0\x02" + bytes(60), "a large Photoshop document"),
    "pam": (b"P7\nWIDTH 1\n", "a portable anymap of the kind PAM"),
    "exr": (b"v/1\x01" + bytes(60), "an OpenEXR picture"),
    "svg": (b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "html": (b"\n<!doctype HTML><html><body>404 Not Found", "a web page"),
    "zip": (zipped(), "an archive"),
    "gz": (gzip.compress(b"x"), "an archive"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_picture_is_named_for_what_it_is(name: str) -> None:
    content, kind = FILES[name]
    with pytest.raises(DecodeError, match=f"^is {kind}: ") as raised:
        decode(content)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"hello", bytes(2000)])
def test_what_nothing_is_known_of_is_not_a_picture(content: bytes) -> None:
    with pytest.raises(DecodeError, match="not a picture, or a damaged one"):
        decode(content)


@given(st.binary(max_size=kinds.HEAD))
def test_no_beginning_of_a_file_is_too_much_for_it(head: bytes) -> None:
    assert kinds.of_content(head) is None or kinds.of_content(head).startswith("is a")


def test_a_long_beginning_takes_no_time_worth_mentioning() -> None:
    """Patterns with two ways to the same end would take hours here."""
    for head in (b" " * kinds.HEAD, b"<?xml" * 220, b"<!--" * 275, b"\n<!-- \n" * 157):
        assert kinds.of_content(head) is None


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_pictures_that_are_read_have_no_other_kind(name: str) -> None:
    assert kinds.of_content(by_pillow(name)) is None
    assert np.asarray(decode(by_pillow(name)).frames[0].pixels).shape == (32, 32, 3)


def test_names_are_sorted_into_kinds() -> None:
    names = {"a.MP4": "film", "b.nef": "RAW photo", "c.pdf": "document", "d.svg": "other picture", "e": "other"}
    assert {name: kinds.of_name(PurePath(name)) for name in names} == names
    assert {kinds.of_name(PurePath(f"x{suffix}")) for suffix in EXTENSIONS} == {"other"}


def test_counted_by_kind() -> None:
    names = ["a.mp4", "b.cr2", "c.NEF", "d.xyz", "e", "f.bin"]
    assert kinds.counted([PurePath(name) for name in names]) == "1 film, 2 RAW photos, 3 others"
