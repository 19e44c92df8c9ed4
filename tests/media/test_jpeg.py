"""Containers of JPEGs: what is cut, what lies behind, what is made to keep decoders busy."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.codec import EncodeOptions, decode, encode
from cartoonize.media.containers import jpeg
from cartoonize.media.metadata import Found

MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(2000)
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:title="kept" '
    'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" '
    'xmlns:C="http://ns.google.com/photos/1.0/container/" {claim}><C:Directory><rdf:Seq/></C:Directory>'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def picture(height: int = 96, width: int = 128) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / 17), 128 + 100 * np.cos(y / 13), (x + y) * 255 / (width + height)]
    return Image.fromarray(np.stack(planes, -1).clip(0, 255).astype(np.uint8))


def saved(name: str = "JPEG", **arguments: object) -> bytes:
    stream = io.BytesIO()
    picture().save(stream, name, **arguments)
    return stream.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_last_two_bytes_is_whole(progressive: bool) -> None:
    data = saved(quality=92, progressive=progressive)
    whole, cut = decode(data), decode(data[:-2])
    assert (cut.frames[0].pixels == whole.frames[0].pixels).all()
    assert cut.notes[0].startswith("its end is missing: it may lack" if progressive else "its end is missing, but none")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_jpeg_that_lacks_rows_says_how_many_and_is_done_when_asked(share: float) -> None:
    data = saved(quality=92, subsampling=0)
    cut = data[: int(len(data) * share)]
    with pytest.raises(DecodeError, match=r"cut short: \d+ of its 96 rows are missing .*--salvage"):
        decode(cut)
    salvaged = decode(cut, salvage=True)
    (note,) = salvaged.notes
    there = 96 - int(note.split()[2])
    expected = decode(data).frames[0].pixels
    assert (salvaged.frames[0].pixels[:there] == expected[:there]).all()
    assert (salvaged.frames[0].pixels[there : there + 8] != expected[there : there + 8]).any()


def test_cut_before_any_pixel_is_one_line() -> None:
    with pytest.raises(DecodeError):
        decode(saved()[:300], salvage=True)


@pytest.mark.parametrize("progressive", [False, True])
def test_bare_files_show_the_same_and_hold_nothing_else(progressive: bool) -> None:
    data = saved(quality=90, progressive=progressive, exif=b"Exif\0\0secret", comment=b"secret", xmp=b"secret")
    taken = jpeg.take_apart(data + b"behind")
    assert b"secret" not in taken.bare
    assert taken.behind == b"behind"
    assert {kind: taken.blocks[kind] for kind in ("exif", "comment", "xmp")} == dict.fromkeys(
        ("exif", "comment", "xmp"), b"secret"
    )
    with Image.open(io.BytesIO(taken.bare)) as bare, Image.open(io.BytesIO(data)) as whole:
        assert (np.asarray(bare) == np.asarray(whole)).all()


def test_what_is_in_many_segments_is_put_together() -> None:
    profile = bytes(range(256)) * 1000
    stream = io.BytesIO()
    picture().save(stream, "JPEG", icc_profile=profile, exif=b"Exif\0\0" + b"a" * 40_000)
    data = stream.getvalue()
    more = b"Exif\0\0" + b"b" * 40_000
    data = data[:2] + data[2:].replace(
        b"\xff\xe2", b"\xff\xe1" + struct.pack(">H", len(more) + 2) + more + b"\xff\xe2", 1
    )
    blocks = jpeg.take_apart(data).blocks
    assert blocks["icc"] == profile
    assert blocks["exif"] == b"a" * 40_000 + b"b" * 40_000


def test_odd_but_harmless_headers_are_read() -> None:
    data = saved()
    expected = decode(data).frames[0].pixels
    junk = data[:2] + b"\0\x12\x34" + data[2:]
    fill = data[:2] + b"\xff\xff\xff" + data[2:]
    short = data[:2] + b"\xff\xe5\0\0" + data[2:]
    zeros = data + bytes(5000)
    for odd in (junk, fill, short, zeros):
        assert (decode(odd).frames[0].pixels == expected).all()


def test_scans_and_segments_without_end_are_refused_before_decoding() -> None:
    data = saved(progressive=True)
    at = data.rindex(b"\xff\xda")
    with pytest.raises(DecodeError, match="scans: expected a photo"):
        decode(data[:-2] + data[at:-2] * 2000 + data[-2:])
    with pytest.raises(DecodeError, match="segments"):
        decode(data[:2] + b"\xff\xe1\0\x08Exif\0\0" * 5000 + data[2:])


@pytest.mark.parametrize(
    ("claim", "part"),
    [('GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"', "film"), ('hdrgm:Version="1.0"', "gain map")],
)
def test_a_film_and_a_gain_map_are_named_and_no_longer_claimed(claim: str, part: str) -> None:
    data = saved(xmp=XMP.format(claim=claim).encode()) + (MP4 if part == "film" else b"")
    photo = decode(data)
    assert photo.notes == (f"left out: its {part}",)
    out = encode(photo, EncodeOptions("JPEG")).data
    assert b'dc:title="kept"' in out
    for word in (b"MotionPhoto", b'hdrgm:Version="', b"C:Directory", b"ftyp"):
        assert word not in out


def test_further_pictures_are_named_and_previews_are_not() -> None:
    stream = io.BytesIO()
    picture().save(stream, "MPO", save_all=True, append_images=[picture()])
    data = stream.getvalue()
    assert decode(data).notes == ("left out: its further pictures",)
    entries = data.index(b"MPF\0") + data[data.index(b"MPF\0") :].index(struct.pack("<HH", 0xB002, 7))
    assert decode(data).format == "JPEG"
    table = data.index(b"MPF\0") + 4 + struct.unpack_from("<I", data, entries + 8)[0]
    preview = data[: table + 16] + struct.pack("<I", 0x010001) + data[table + 20 :]
    assert decode(preview).notes == ()


def test_iptc_is_carried_to_jpeg_and_tiff_and_named_elsewhere() -> None:
    records = b"\x1c\x02\x78\0\x04Caf\xe9"
    block = b"8BIM\x04\x25\0\0\0\0\0\x03abc\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(records)) + records + b"\0"
    body = b"Photoshop 3.0\0" + block
    data = saved()
    data = data[:2] + b"\xff\xed" + struct.pack(">H", len(body) + 2) + body + data[2:]
    photo = decode(data)
    for target in ("JPEG", "TIFF"):
        again = decode(encode(photo, EncodeOptions(target)).data)
        assert again.metadata.iptc == records
    assert encode(photo, EncodeOptions("WEBP")).notes == ("left out: its IPTC: WEBP holds none",)


def test_a_comment_is_carried() -> None:
    photo = decode(saved(comment="ein Gruß".encode()))
    assert photo.metadata.texts == (("Comment", "ein Gruß"),)
    assert decode(encode(photo, EncodeOptions("PNG")).data).metadata.texts == photo.metadata.texts
    assert decode(encode(photo, EncodeOptions("JPEG")).data).metadata.texts == photo.metadata.texts


def test_found_of_nothing_is_nothing() -> None:
    metadata, notes = Found.of({}).metadata(None, None, recolored=False)
    assert (metadata.exif, metadata.xmp, notes) == (None, None, ())


@pytest.mark.parametrize("how", [{}, {"restart_marker_rows": 1}, {"subsampling": 0}])
def test_missing_rows_before_the_end_mark_are_noticed(how: dict[str, Any]) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (160, 96, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "JPEG", **how)
    whole = stream.getvalue()
    assert not decode(whole).notes
    cut = whole[: len(whole) * 6 // 10] + b"\xff\xd9"
    with pytest.raises(DecodeError, match=r"cut short: \d+ of its 160 rows .*--salvage"):
        decode(cut)
    (note,) = decode(cut, salvage=True).notes
    assert 48 <= int(note.split()[2]) <= 96


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_picture_that_is_grey_like_missing_rows_is_whole(mode: str) -> None:
    stream = io.BytesIO()
    Image.new(mode, (100, 90), "#808080").save(stream, "JPEG")
    assert not decode(stream.getvalue()).notes


def test_missing_scans_are_said() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (160, 96, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    assert not decode(whole).notes
    cut = whole[: whole.rindex(b"\xff\xda")] + b"\xff\xd9"
    assert decode(cut).notes == ("some of its scans are missing: it lacks fine detail",)
