"""XMP: what is not true of a result is taken out, all else stays byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartoonize.media.xmp import Cleaned, cleaned

HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:t="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:e="http://ns.adobe.com/exif/1.0/" xmlns:Camera="http://ns.google.com/photos/1.0/camera/"'
)
TAIL = '</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (' t:Orientation="6">', ' t:Orientation="1">'),
        (" t:Orientation = '6' xmp:Rating='5'>", " t:Orientation=\"1\" xmp:Rating='5'>"),
        ("><t:Orientation>8</t:Orientation>", "><t:Orientation>1</t:Orientation>"),
        ("><t:Orientation/>", "><t:Orientation/>"),
        ('><xmp:Thumbnails a=">"><rdf:Alt><t:Orientation>6</t:Orientation></rdf:Alt></xmp:Thumbnails>', ">"),
        (' Camera:MotionPhoto="1" Camera:MotionPhotoVersion="1" Camera:hdrp="x">', ' Camera:hdrp="x">'),
        ("><Camera:MicroVideoOffset>99</Camera:MicroVideoOffset>", ">"),
        (' e:PixelXDimension="9" e:ExposureTime="1/9">', ' e:ExposureTime="1/9">'),
        ("><t:Artist>José &amp; Ana, 東京</t:Artist>", "><t:Artist>José &amp; Ana, 東京</t:Artist>"),
        (' xmp:Label="t:Orientation=&quot;6&quot;">', ' xmp:Label="t:Orientation=&quot;6&quot;">'),
    ],
)
def test_what_is_not_true_goes_and_the_rest_stays(before: str, after: str) -> None:
    assert cleaned((HEAD + before + TAIL).encode(), recolored=False).packet == (HEAD + after + TAIL).encode()


def test_parts_of_the_old_file_are_named() -> None:
    packet = (HEAD + ' Camera:MotionPhoto="1">' + TAIL).encode()
    assert cleaned(packet, recolored=False).parts == {"film"}
    assert cleaned((HEAD + ">" + TAIL).encode(), recolored=False).parts == frozenset()


def test_words_about_colours_go_only_where_those_changed() -> None:
    packet = (HEAD + ' e:ColorSpace="2">' + TAIL).encode()
    assert cleaned(packet, recolored=False).packet == packet
    assert cleaned(packet, recolored=True).packet == (HEAD + ">" + TAIL).encode()


def test_utf_16_and_padding() -> None:
    packet = HEAD.replace("\ufeff", "") + ' t:Orientation="6">' + TAIL
    expected = packet.replace('"6"', '"1"').encode()
    assert cleaned(packet.encode("utf-16") + b"\0\0", recolored=False).packet == expected
    assert cleaned(packet.encode() + bytes(9), recolored=False).packet == expected


@pytest.mark.parametrize(
    "packet",
    [
        b"no XML",
        b"<a><b></a>",
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
        b"<a>" * 5000 + b"</a>" * 5000,
        b"\xff\xfe<",
        b"<a>" + bytes(17 << 20) + b"</a>",
    ],
)
def test_what_is_no_xmp_is_left_out(packet: bytes) -> None:
    assert cleaned(packet, recolored=False) == Cleaned(None)


@given(st.text(alphabet="<>/=\"' abt:Oienrat6x", max_size=60))
def test_no_text_is_too_much_for_it(text: str) -> None:
    before = cleaned(text.encode(), recolored=True).packet
    assert before is None or cleaned(before, recolored=True).packet == before
