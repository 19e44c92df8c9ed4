"""The container of a WebP: its size, and how much of it is there. RFC 9649."""

from __future__ import annotations

from typing import IO

_ANIMATED = 2
_PICTURES = (b"VP8 ", b"VP8L", b"ANMF")


def size_of(stream: IO[bytes]) -> tuple[int, int, int] | None:
    """Return (height, width, frames) of a WebP from its header; None where it is none or animated. Rewinds."""
    head = stream.read(30)
    stream.seek(0)
    if len(head) < 30 or head[:4] != b"RIFF" or head[8:12] != b"WEBP":
        return None
    kind = head[12:16]
    if kind == b"VP8X" and not head[20] & _ANIMATED:
        return 1 + int.from_bytes(head[27:30], "little"), 1 + int.from_bytes(head[24:27], "little"), 1
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        return _14_bits(head[28:30]), _14_bits(head[26:28]), 1
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits >> 14 & 0x3FFF), 1 + (bits & 0x3FFF), 1
    return None


def is_animated(data: bytes) -> bool:
    """Whether it says that it has frames."""
    return data[12:16] == b"VP8X" and bool(data[20] & _ANIMATED)


def missing_bytes(data: bytes) -> int:
    """Return by how many bytes a file is shorter than it says."""
    return max(0, 8 + int.from_bytes(data[4:8], "little") - len(data))


def whole_chunks(data: bytes) -> tuple[bytes, int]:
    """Return a file of those chunks of a cut one that are whole, and how many of them are pictures."""
    at, pictures = 12, 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data):
            break
        pictures += data[at : at + 4] in _PICTURES
        at += 8 + size + size % 2
    body = data[8:at].ljust(at - 8, b"\0")
    return b"RIFF" + len(body).to_bytes(4, "little") + body, pictures


def _14_bits(two: bytes) -> int:
    return int.from_bytes(two, "little") & 0x3FFF  # above them stands how to scale it, which nobody does
