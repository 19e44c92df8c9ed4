"""XMP packets: what they claim about the old file is taken out, all else stays byte for byte.

The markup is found by an XML parser, which tells where each tag stands, and cut out of the bytes. ISO 16684-1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat

_MOST_BYTES = 16 << 20
_TIFF, _EXIF, _XMP = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/xap/1.0/"
_PHOTOSHOP, _CAMERA = "http://ns.adobe.com/photoshop/1.0/", "http://ns.google.com/photos/1.0/camera/"
_CONTAINER = "http://ns.google.com/photos/1.0/container/"
_GAIN_MAPS = ("http://ns.adobe.com/hdr-gain-map/1.0/", "http://ns.apple.com/HDRGainMap/1.0/")
_DEPTH = ("http://ns.google.com/photos/1.0/depthmap/", "http://ns.google.com/photos/1.0/image/")
_USUAL = {"tiff": _TIFF, "exif": _EXIF, "xmp": _XMP}  # where a packet uses a prefix without saying what it means

# Names that speak of bytes, sizes or parts of the old file; all names of a space where the second is "".
_STALE = (
    *((_TIFF, name) for name in ("ImageWidth", "ImageLength")),
    *((_EXIF, name) for name in ("PixelXDimension", "PixelYDimension")),
    *((_XMP, "Thumbnails"), (_CAMERA, "MotionPhoto"), (_CAMERA, "MicroVideo"), (_CONTAINER, "")),
    *((space, "") for space in (*_GAIN_MAPS, *_DEPTH)),
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"),
)
_ABOUT_COLORS = ((_EXIF, "ColorSpace"), (_PHOTOSHOP, "ICCProfile"))
_ORIENTATION = (_TIFF, "Orientation")
_CLAIMS = {_CAMERA: "film", **dict.fromkeys(_GAIN_MAPS, "gain map"), **dict.fromkeys(_DEPTH, "depth map")}


@dataclass(frozen=True)
class Cleaned:
    """A packet fit for the result, None where it cannot be read, and which parts of the old file it spoke of."""

    packet: bytes | None
    parts: frozenset[str] = frozenset()


def cleaned(packet: bytes, *, recolored: bool) -> Cleaned:
    """Take out of a packet what is not true of a result, its word about colours too where those were converted."""
    if packet.startswith((b"\xff\xfe", b"\xfe\xff")):
        packet = packet.decode("utf-16", "replace").encode()
    packet = packet.strip(b"\0")
    try:
        finder = _Finder(packet, _STALE + _ABOUT_COLORS * recolored)
    except (expat.ExpatError, ValueError):
        return Cleaned(None)
    parts = frozenset(part for space, part in _CLAIMS.items() if space in finder.spaces_cut)
    return Cleaned(_edited(packet, finder.edits), parts)


def _edited(packet: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    kept, at = [], 0
    for start, end, text in sorted(edits):
        if start >= at:  # of what lies inside something that is cut nothing is left
            kept += [packet[at:start], text]
            at = end
    return b"".join((*kept, packet[at:]))


class _Finder:
    """Finds the elements and attributes to cut; raises ExpatError or ValueError where it is no sound XML."""

    def __init__(self, packet: bytes, stale: tuple[tuple[str, str], ...]) -> None:
        if len(packet) > _MOST_BYTES or b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
            raise ValueError("no XMP")
        self._packet, self._stale = packet, stale
        self._spaces = dict(_USUAL)
        self._open: list[tuple[str, int]] = []
        self.edits: list[tuple[int, int, bytes]] = []
        self.spaces_cut: set[str] = set()
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.Parse(packet, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        begin = self._parser.CurrentByteIndex
        self._open.append((name, begin))
        if len(self._open) > 1_000:
            raise ValueError("nested too deeply")
        self._spaces |= {key[6:]: value for key, value in attributes.items() if key.startswith("xmlns:")}
        end = self._end_of_tag(begin)
        for attribute in attributes:
            if self._is_stale(attribute) or self._split(attribute) == _ORIENTATION:
                pattern = rb"\s+" + re.escape(attribute.encode()) + rb"""\s*=\s*("[^"]*"|'[^']*')"""
                if found := re.compile(pattern).search(self._packet, begin, end):
                    kept = b"" if self._is_stale(attribute) else b' %s="1"' % attribute.encode()
                    self.edits.append((found.start(), found.end(), kept))

    def _end(self, _name: str) -> None:
        name, begin = self._open.pop()
        last = self._parser.CurrentByteIndex
        if self._is_stale(name):
            self.edits.append((begin, self._end_of_tag(last), b""))
        elif self._split(name) == _ORIENTATION and self._packet[self._end_of_tag(begin) - 2] != ord("/"):
            self.edits.append((self._end_of_tag(begin), last, b"1"))

    def _is_stale(self, name: str) -> bool:
        space, local = self._split(name)
        # A motion photo has a version, a time stamp and more, each a name that begins alike.
        stale = any(
            space == other and (local == stem or not stem or (space == _CAMERA and local.startswith(stem)))
            for other, stem in self._stale
        )
        if stale:
            self.spaces_cut.add(space)
        return stale

    def _split(self, name: str) -> tuple[str, str]:
        prefix, _, local = name.rpartition(":")
        return self._spaces.get(prefix, ""), local

    def _end_of_tag(self, begin: int) -> int:
        """Return where a tag ends: behind the first > that stands in no quotes."""
        found = re.compile(rb"""(?:[^>"']|"[^"]*"|'[^']*')*>""").match(self._packet, begin)
        if found is None:
            raise ValueError("a tag without an end")
        return found.end()
