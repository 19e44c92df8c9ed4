"""The container of a WebP: its size. RFC 9649."""

from __future__ import annotations

from typing import IO

_ANIMATED = 2


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


def _14_bits(two: bytes) -> int:
    return int.from_bytes(two, "little") & 0x3FFF  # above them stands how to scale it, which nobody does
