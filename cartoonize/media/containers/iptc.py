"""IPTC captions and where files keep them: Photoshop's resource blocks, in JPEGs and elsewhere."""

from __future__ import annotations

import struct

PREFIX = b"Photoshop 3.0\0"
"""What stands before the blocks in a JPEG's segment."""

_IPTC = 0x0404


def iptc_of(blocks: bytes) -> bytes:
    """Return the IPTC records in Photoshop's resource blocks; none where there are none or the blocks are damaged."""
    at = 0
    while blocks[at : at + 4] == b"8BIM" and at + 7 <= len(blocks):
        (kind,) = struct.unpack_from(">H", blocks, at + 4)
        name = 1 + blocks[at + 6]
        at += 6 + name + name % 2
        size = int.from_bytes(blocks[at : at + 4], "big")
        if kind == _IPTC:
            records = blocks[at + 4 : at + 4 + size]
            return records if records and len(records) == size else b""
        at += 4 + size + size % 2
    return b""


def photoshop_blocks(iptc: bytes) -> bytes:
    """Return resource blocks that hold IPTC records and nothing else."""
    return b"8BIM" + struct.pack(">HHI", _IPTC, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)
