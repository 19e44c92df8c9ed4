"""EXIF is carried byte for byte, whatever is in it."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cartoonize.media.codec import EncodeOptions, decode, encode
from cartoonize.media.containers.tags import Value
from cartoonize.media.exif import DETAILS, GPS, MAIN, PREFIX, Exif, read_exif

ARTIST, COPYRIGHT, MODEL, ORIENTATION = 0x013B, 0x8298, 0x0110, 0x0112
MAKER_NOTE, USER_COMMENT, EXPOSURE, COLOR_SPACE = 0x927C, 0x9286, 0x829A, 0xA001
NAME = "José Müller, 東京\0".encode()


def text(content: bytes) -> Value:
    return Value(2, len(content), content)


def undefined(content: bytes, at: int = 0) -> Value:
    return Value(7, len(content), content, at)


def a_photo(order: str = "<") -> Exif:
    pack = lambda code, *numbers: struct.pack(order + code, *numbers)  # noqa: E731
    return Exif(
        order,
        {
            MAIN: {
                ARTIST: text(NAME),
                MODEL: text(b"M\0"),
                ORIENTATION: Value(3, 1, pack("H", 6)),
                0xC999: undefined(b"\1\2\3"),
            },
            DETAILS: {
                EXPOSURE: Value(5, 1, pack("II", 1, 250)),
                MAKER_NOTE: undefined(bytes(range(200)), 500),
                USER_COMMENT: undefined(b"UNICODE\0" + "né".encode("utf-16-le")),
                COLOR_SPACE: Value(3, 1, pack("H", 2)),
            },
            GPS: {0: Value(1, 4, bytes([2, 3, 0, 0])), 1: text(b"N\0"), 2: Value(5, 3, pack("6I", 48, 1, 8, 1, 0, 1))},
        },
    )  # fmt: skip


def jpeg_with(block: bytes) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (16, 8), (9, 90, 200)).save(stream, "JPEG", exif=block)
    return stream.getvalue()


def values(exif: Exif) -> dict[int, dict[int, tuple[int, int, bytes]]]:
    """Everything but where it stood."""
    groups = exif.in_order("<").directories.items()
    return {group: {tag: (v.type, v.count, v.data) for tag, v in tags.items()} for group, tags in groups}


def exif_in(data: bytes) -> Exif:
    """What another program finds: read from the file by its container's own rules, without this program's reader."""
    if data[:4] in (b"II*\0", b"MM\0*"):
        return read_exif(data)[0]
    (at,) = (data.index(mark) for mark in (b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08") if mark in data)
    return read_exif(data[at:])[0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_value_is_the_same_bytes_in_every_format(target: str, order: str) -> None:
    photo = decode(jpeg_with(a_photo(order).to_bytes()))
    assert photo.notes == ()
    found = exif_in(encode(photo, EncodeOptions(target)).data)
    expected = values(a_photo(order).upright())
    if target == "AVIF":  # says nothing about orientation, which means upright
        del expected[MAIN][ORIENTATION]
    assert {group: {tag: values(found)[group][tag] for tag in tags} for group, tags in expected.items()} == expected


def test_accents_come_through_every_format_and_back() -> None:
    photo = decode(jpeg_with(a_photo().to_bytes()))
    for target in ("PNG", "TIFF", "WEBP", "AVIF", "JPEG"):
        photo = decode(encode(photo, EncodeOptions(target)).data)
        assert photo.metadata.exif is not None
        assert values(read_exif(photo.metadata.exif)[0])[MAIN][ARTIST][2] == NAME


def test_a_maker_note_keeps_its_place() -> None:
    block = a_photo().to_bytes()
    assert block[len(PREFIX) + 500 : len(PREFIX) + 700] == bytes(range(200))
    photo = decode(jpeg_with(block))
    assert photo.metadata.exif is not None
    assert photo.metadata.exif[len(PREFIX) + 500 : len(PREFIX) + 700] == bytes(range(200))


def test_a_damaged_tag_costs_that_tag() -> None:
    block = bytearray(a_photo().to_bytes())
    entry = block.index(struct.pack("<HHI", ARTIST, 2, len(NAME)))
    block[entry + 8 : entry + 12] = struct.pack("<I", 1 << 30)
    photo = decode(jpeg_with(bytes(block)))
    assert photo.notes == ("a damaged tag of its EXIF left out",)
    assert photo.frames[0].pixels.shape == (16, 8, 3)  # turned
    expected = values(a_photo().upright())
    del expected[MAIN][ARTIST]
    assert photo.metadata.exif is not None
    assert values(read_exif(photo.metadata.exif)[0]) == expected


def test_its_word_about_colours_is_changed_only_where_they_were() -> None:
    exif = a_photo()
    assert exif.in_srgb().directories[DETAILS][COLOR_SPACE].integers("<") == (1,)
    assert COLOR_SPACE not in Exif("<", {MAIN: {MODEL: text(b"M\0")}}).in_srgb().directories.get(DETAILS, {})
    plain = decode(jpeg_with(exif.to_bytes())).metadata.exif
    assert plain is not None
    assert read_exif(plain)[0].directories[DETAILS][COLOR_SPACE].integers("<") == (2,)


@pytest.mark.parametrize("count", [0, 1 << 31, 5_001])
def test_a_block_that_is_made_to_keep_readers_busy(count: int) -> None:
    """A directory that is said to be endless; a value that would be read a million times (seen with real libraries)."""
    entry = struct.pack("<HHII", 0x9000, 7, 60_000, 26)
    block = b"II*\0" + struct.pack("<IH", 8, count & 0xFFFF) + entry * min(count, 3_000) + bytes(60_100)
    exif, damaged = read_exif(block)
    assert sum(len(v.data) for tags in exif.directories.values() for v in tags.values()) <= 60_000
    assert damaged <= 5_001


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_no_bytes_are_too_much_for_it(content: bytes) -> None:
    for head in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"):
        exif, _ = read_exif(head + content)
        assert 1 <= exif.orientation <= 8
        again, damaged = read_exif(exif.upright().to_bytes())
        assert (values(again), damaged) == (values(exif.upright()), 0)


def test_orientation_in_any_kind_of_number() -> None:
    for kind, data in ((1, b"\6"), (3, b"\6\0"), (4, b"\6\0\0\0")):
        assert Exif("<", {MAIN: {ORIENTATION: Value(kind, 1, data)}}).orientation == 6
    assert Exif("<", {MAIN: {ORIENTATION: text(b"6\0")}}).orientation == 1


def test_bytes_of_numbers_are_turned_and_those_of_texts_are_not() -> None:
    turned = a_photo("<").in_order(">")
    assert values(turned) == values(a_photo("<"))
    assert turned.directories[GPS][2].data == struct.pack(">6I", 48, 1, 8, 1, 0, 1)
    assert turned.directories[DETAILS][MAKER_NOTE].data == bytes(range(200))


def test_pixels_of_a_tiff_with_tags_added_are_untouched() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 70, 3), np.uint8)
    photo = decode(jpeg_with(a_photo().to_bytes()))
    from dataclasses import replace

    data = encode(replace(photo, frames=(replace(photo.frames[0], pixels=pixels),)), EncodeOptions("TIFF")).data
    with Image.open(io.BytesIO(data)) as image:
        assert (np.asarray(image) == pixels).all()
