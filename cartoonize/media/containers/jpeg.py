"""The container of a JPEG: its segments, how much of it is there, and what lies behind the picture. ITU-T T.81."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import SEEK_CUR, BytesIO
from typing import IO

import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import DecodeError
from cartoonize.media.containers import iptc
from cartoonize.media.containers.tags import TagReader

_MOST_SEGMENTS, _MOST_SCANS = 4_096, 200  # encoders write at most 64 scans
_MOST_BYTES = 8 << 20  # of EXIF and the like, each of which may take many segments
_SOS, _EOI, _COMMENT = 0xDA, 0xD9, 0xFE
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE, _ARITHMETIC = 0xC2, frozenset({0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_SCAN_HEADER = 12  # most bytes of one, without its length
_MP_ENTRIES, _PREVIEWS = 0xB002, (0x010001, 0x010002)
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
PREFIXES = {  # of what APP segments hold
    "exif": b"Exif\0\0",
    "xmp": b"http://ns.adobe.com/xap/1.0/\0",
    "extended XMP": b"http://ns.adobe.com/xmp/extension/\0",
    "icc": b"ICC_PROFILE\0",
    "iptc": iptc.PREFIX,
    "pictures": b"MPF\0",
    "gain map": b"urn:iso:std:iso:ts:21496:-1\0",
}
_MARKER = re.compile(rb"\xff+([^\x00\xff])")


@dataclass(frozen=True)
class Jpeg:
    """A JPEG taken apart: `bare` shows the same picture and holds nothing else.

    `blocks` are bytes by kind: "exif", "xmp", "icc", "iptc" and so on. `behind` is what follows the picture; None where
    the picture's end is missing. `frame` is the marker of its frame header, `scans` what the scans' headers hold.
    """

    bare: bytes
    behind: bytes | None
    blocks: dict[str, bytes] = field(default_factory=dict)
    frame: int = 0
    scans: tuple[bytes, ...] = ()

    @property
    def lacks_scans(self) -> bool:
        """Whether it is progressive and the last bits of some coefficients were never sent."""
        if self.frame != _PROGRESSIVE:
            return False
        left: dict[int, list[int]] = {}
        for scan in self.scans:
            number = scan[0] if scan else 0
            if len(scan) < 4 + 2 * number:
                continue
            first, last, bits = scan[1 + 2 * number : 4 + 2 * number]
            for component in scan[1 : 1 + 2 * number : 2]:
                lowest = left.setdefault(component, [1] * 64)
                lowest[first : last + 1] = [bits & 15] * (min(last, 63) + 1 - first)
        return any(any(lowest) for lowest in left.values())

    @property
    def lengthened(self) -> bytes:
        """Further data put behind the last scan's own: nobody looks at it unless that is shorter than the picture."""
        return self.bare[:-2] + bytes(range(1, 255)) * 16 + self.bare[-2:]

    @property
    def is_arithmetic(self) -> bool:
        """Whether its data is coded in a way in which it may end early and be whole."""
        return self.frame in _ARITHMETIC


def is_jpeg(head: bytes) -> bool:
    """Whether a file begins as a JPEG does."""
    return head.startswith(b"\xff\xd8")


def size_of(stream: IO[bytes]) -> tuple[int, int, int] | None:
    """Return (height, width, frames) of a JPEG from its header; None where it is none, or an odd one. Rewinds."""
    found = None
    if stream.read(2) == b"\xff\xd8":
        for _ in range(_MOST_SEGMENTS):
            head = stream.read(9)
            if len(head) < 9 or head[0] != 0xFF or head[1] in (*_NO_LENGTH, 0xFF, _SOS, _EOI):
                break
            if head[1] in _FRAMES:
                found = int.from_bytes(head[5:7], "big"), int.from_bytes(head[7:9], "big"), 1
                break
            stream.seek(int.from_bytes(head[2:4], "big") - 7, SEEK_CUR)
    stream.seek(0)
    return found


def take_apart(data: bytes) -> Jpeg:
    """Take the bytes of a JPEG apart; raises DecodeError where it is made to keep a decoder busy."""
    kept: list[bytes] = [data[:2]]
    parts: dict[str, list[bytes]] = {}
    scans: list[bytes] = []
    frame = 0
    end: int | None = None
    for count, (marker, start, stop) in enumerate(_segments(data), 1):
        if marker == _SOS:
            scans.append(data[start + 4 : start + 4 + _SCAN_HEADER])
        elif marker in _FRAMES:
            frame = marker
        if count > _MOST_SEGMENTS or len(scans) > _MOST_SCANS:
            raise DecodeError(
                f"made of {count} segments, {len(scans)} of them scans: expected a photo as cameras write them"
            )
        if marker == _EOI:
            end = stop
        # Of APP segments 0 holds the resolution and 14 how colours are kept.
        if marker == _COMMENT:
            parts.setdefault("comment", [data[start + 4 : stop]])
        elif 0xE1 <= marker <= 0xED or marker == 0xEF:
            _collect(data[start + 4 : stop], parts)
        else:
            kept.append(data[start:stop])
    return Jpeg(b"".join(kept), None if end is None else data[end:], _blocks(parts), frame, tuple(scans))


def parts_of(taken: Jpeg) -> set[str]:
    """Name what is in a file beside the picture and its description."""
    behind, parts = taken.behind or b"", set()
    if b"ftyp" in behind[:64] or behind.find(b"MotionPhoto_Data") >= 0:
        parts.add("film")
    if "gain map" in taken.blocks:
        parts.add("gain map")
    elif _further_pictures(taken.blocks.get("pictures", b"")) and b"hdr-gain-map" not in taken.blocks.get("xmp", b""):
        parts.add("further pictures")
    if "extended XMP" in taken.blocks:
        parts.add("extended XMP")
    return parts


def _further_pictures(block: bytes) -> bool:
    """Whether the index of a multi-picture file names any besides the first that are no previews of it. CIPA DC-007."""
    reader = TagReader(BytesIO(block))
    entries = reader.directory(reader.first).get(_MP_ENTRIES) if reader.order else None
    data = entries.data[16:] if entries else b""
    kinds = (
        kind & 0xFFFFFF for kind, *_ in struct.iter_unpack((reader.order or "<") + "IIII", data[: len(data) // 16 * 16])
    )
    return any(kind not in _PREVIEWS for kind in kinds)


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """Put a segment behind the first one of a JPEG that begins with APP0, or at its beginning."""
    at = 4 + int.from_bytes(data[4:6], "big") if data[3:4] == b"\xe0" else 2
    return data[:at] + b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body + data[at:]


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of every segment up to the end of the picture; a scan is one with its data.

    Junk between segments is passed over, as decoders do.
    """
    at, markers = 2, _Markers(data)
    while found := _MARKER.search(data, at):
        marker, start = found[1][0], found.end() - 2
        if marker in _NO_LENGTH:
            at = found.end()
            continue
        if marker == _EOI:
            yield marker, start, found.end()
            return
        stop = found.end() + max(2, int.from_bytes(data[found.end() : found.end() + 2], "big"))
        if marker == _SOS:
            stop = markers.behind(stop)
        yield marker, start, stop
        at = stop


class _Markers:
    """Where scans end: in one FF is followed by 00 or begins a restart, anything else is a marker."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._places: NDArray[np.int64] | None = None

    def behind(self, at: int) -> int:
        """Return where the first marker behind a place stands, the end of the data where there is none."""
        if self._places is None:
            values = np.frombuffer(self._data, np.uint8)
            places = np.flatnonzero(values[:-1] == 0xFF)
            following = values[places + 1]
            self._places = places[(following != 0) & (following != 0xFF) & ((following & 0xF8) != 0xD0)]
        index = int(np.searchsorted(self._places, at))
        return int(self._places[index]) if index < len(self._places) else len(self._data)


def _collect(body: bytes, parts: dict[str, list[bytes]]) -> None:
    for kind, prefix in PREFIXES.items():
        if body.startswith(prefix) and not (kind == "xmp" and kind in parts):
            parts.setdefault(kind, []).append(body[len(prefix) :])


def _blocks(parts: dict[str, list[bytes]]) -> dict[str, bytes]:
    """Join what came in several segments."""
    if "icc" in parts:  # each begins with its number and how many there are
        parts["icc"] = [part[2:] for part in sorted(parts["icc"], key=lambda part: part[:1])]
    blocks = {kind: b"".join(pieces)[:_MOST_BYTES] for kind, pieces in parts.items()}
    if "iptc" in blocks:
        blocks["iptc"] = iptc.iptc_of(blocks["iptc"])
    return blocks
