"""Damage as files really have it, and as an attacker would make it: a structure is read, a part changed, all put back.

Every mutation takes a random generator and returns other bytes; the same generator always does the same.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from random import Random
from typing import TypeAlias

Mutation: TypeAlias = Callable[[Random, bytes], bytes]

# Matroska: head, Segment, SeekHead, Info, Tracks, TrackEntry, Cluster, Cues, SimpleBlock, CodecPrivate.
_EBML = (
    rb"\x1a\x45\xdf\xa3|\x18\x53\x80\x67|\x11\x4d\x9b\x74|\x15\x49\xa9\x66|\x16\x54\xae\x6b"
    rb"|\xae|\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b|\xa3|\x63\xa2"
)
_EXTREME = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HOSTILE_WORDS = (
    *("!!timestamp foo", "!!bool x", "!!int ''", "~nosuchuser/x", "[1]", "{a: 1}", "null", "-1", "0", "1e309", ".nan"),
    *("9" * 30, "100000000", "'\\0'", "&a [*a]", "*nowhere", "!!python/object/apply:os.system [true]", "true", "''"),
    *(
        "/dev/zero",
        "/",
        "..",
        "é\u202e",
        "- - -",
        "? x",
        "<<: {x: 1}",
        "2020-99-99",
        "0x" + "f" * 20,
        "1:2:3",
        "x" * 9999,
    ),
)


def mutated(random: Random, name: str, data: bytes) -> bytes:
    """Return one to four mutations of a file, most of them those that know its structure."""
    own = next((mutation for begin, mutation in _BY_BEGINNING if data.startswith(begin)), None)
    if name.endswith(".yaml"):
        own = yaml_tokens
    elif data[4:8] == b"ftyp":
        own = boxes
    elif data[4:8] == b"TFL3":
        own = offsets
    for _ in range(random.choice((1, 1, 2, 4))):
        if len(data) < 16:
            break
        mutation = own if own and random.random() < 0.7 else random.choice(_ANY)
        data = mutation(random, data)
    return data


# What any file can suffer


def bits(random: Random, data: bytes) -> bytes:
    """Turn some bits over."""
    out = bytearray(data)
    for _ in range(random.choice((1, 3, 30))):
        out[random.randrange(len(out))] ^= 1 << random.randrange(8)
    return bytes(out)


def number(random: Random, data: bytes) -> bytes:
    """Put an extreme number of 1, 2 or 4 bytes somewhere, more often near the beginning."""
    out = bytearray(data)
    size = random.choice((1, 2, 4))
    at = random.randrange(max(1, min(len(out), random.choice((64, 1024, len(out)))) - size))
    value = random.choice(_EXTREME) & (1 << 8 * size) - 1
    out[at : at + size] = value.to_bytes(size, random.choice(("big", "little")))
    return bytes(out)


def cut(random: Random, data: bytes) -> bytes:
    """End the file early, or leave a piece out."""
    start = random.randrange(len(data))
    return data[:start] + (b"" if random.random() < 0.5 else data[start + random.randrange(1, 200) :])


def doubled(random: Random, data: bytes) -> bytes:
    """Insert a piece again, somewhere else, up to a thousand times."""
    start = random.randrange(len(data))
    piece = data[start : start + random.randrange(1, 100)]
    at = random.randrange(len(data))
    return data[:at] + piece * random.choice((1, 2, 1000)) + data[at:]


_ANY: tuple[Mutation, ...] = (bits, number, cut, doubled)


# What knows a structure


def png_chunks(random: Random, data: bytes) -> bytes:
    """Change, drop, double or move a chunk of a PNG, its checksum right again."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    parts = _changed_parts(random, chunks)
    written = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    ]
    return data[:8] + b"".join(written)


def jpeg_segments(random: Random, data: bytes) -> bytes:
    """Change, drop, double or move a segment of a JPEG, its length right again."""
    segments, at = [], 2
    while data[at : at + 1] == b"\xff" and data[at + 1] != 0xDA and at + 4 <= len(data):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append((data[at : at + 2], data[at + 4 : end]))
        at = end
    parts = _changed_parts(random, segments)
    written = [kind + struct.pack(">H", min(65535, len(body) + 2)) + body[:65533] for kind, body in parts]
    return data[:2] + b"".join(written) + data[at:]


def riff_chunks(random: Random, data: bytes) -> bytes:
    """Change, drop, double or move a chunk of a WebP, sizes right again."""
    chunks, at = [], 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    parts = _changed_parts(random, chunks)
    body = b"".join(kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for kind, body in parts)
    return data[:4] + struct.pack("<I", len(body) + 4) + data[8:12] + body


def tiff_entries(random: Random, data: bytes) -> bytes:
    """Change an entry of a TIFF's directory, or where the next directory is."""
    order = "<" if data.startswith(b"II") else ">"
    out = bytearray(data)
    try:
        (start,) = struct.unpack_from(order + "I", out, 4)
        (count,) = struct.unpack_from(order + "H", out, start)
        if random.random() < 0.1:  # a circle of directories, or one far away
            struct.pack_into(order + "I", out, start + 2 + 12 * count, random.choice((8, start, *_EXTREME)))
            return bytes(out)
        entry = start + 2 + 12 * random.randrange(max(1, count))
        field, form = random.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I"), (8, "I")))
        (old,) = struct.unpack_from(order + form, out, entry + field)
        new = random.choice((old + 1, old * 2, max(0, old - 1), *_EXTREME)) & (0xFFFF if form == "H" else 0xFFFFFFFF)
        struct.pack_into(order + form, out, entry + field, new)
    except struct.error:
        return bits(random, data)
    return bytes(out)


def boxes(random: Random, data: bytes) -> bytes:
    """Change size, kind or content of a box of an AVIF, HEIC or MP4, at any depth."""
    kinds = [
        found.start()
        for found in re.finditer(
            rb"ftyp|meta|hdlr|pitm|iloc|iinf|infe|iprp|ipco|ispe|pixi|av1C|hvcC"
            rb"|colr|ipma|mdat|iref|irot|auxC"
            rb"|moov|mvhd|trak|tkhd|edts|elst|mdia|mdhd|minf|stbl|stsd|stts|stss|stsc|stsz|stco|ctts|avc1|avcC",
            data,
        )
    ]
    if not kinds:
        return bits(random, data)
    out = bytearray(data)
    at = random.choice(kinds)
    what = random.randrange(3)
    if what == 0:
        struct.pack_into(">I", out, at - 4, random.choice(_EXTREME))
    elif what == 1:
        out[at : at + 4] = data[(other := random.choice(kinds)) : other + 4]
    else:
        for _ in range(random.choice((1, 4))):
            out[min(len(out) - 1, at + 4 + random.randrange(40))] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(out)


def ebml_sizes(random: Random, data: bytes) -> bytes:
    """Change the size of an element of a Matroska file, or what comes first in it."""
    places = [found.end() for found in re.finditer(_EBML, data)]
    if not places:
        return bits(random, data)
    out = bytearray(data)
    at = min(random.choice(places), len(out) - 9)
    if random.random() < 0.6:
        size = random.choice((1, 2, 4, 8))
        value = random.choice((0, 1, 2, 0x7F, 1 << 20, (1 << 7 * size) - 2, (1 << 7 * size) - 1)) % (1 << 7 * size)
        out[at : at + size] = (value | 1 << 7 * size).to_bytes(size, "big")
    else:
        out[at + random.randrange(8)] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
    return bytes(out)


def transport_packets(random: Random, data: bytes) -> bytes:
    """Change, drop, double or move a packet of an MPEG transport stream."""
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    at, other = random.randrange(len(packets)), random.randrange(len(packets))
    what = random.randrange(4)
    if what == 0:
        del packets[at]
    elif what == 1:
        packets[at], packets[other] = packets[other], packets[at]
    elif what == 2:
        packets[at:at] = [packets[at]] * random.choice((1, 500))
    else:  # its header, and what follows it: adaptation field, tables, time stamps
        out = bytearray(packets[at])
        out[random.randrange(min(24, len(out)))] = random.choice((0, 1, 0x40, 0x7F, 0x80, 0xFF))
        packets[at] = bytes(out)
    return b"".join(packets)


def offsets(random: Random, data: bytes) -> bytes:
    """Change an offset or a length of a flatbuffer: a 32-bit number that points into the file or counts a few."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 4))):
        where = random.choice(
            (range(0, min(4096, len(out) - 4), 4), range(max(0, len(out) - 65536) & ~3, len(out) - 4, 4))
        )
        at = random.choice(where)
        (old,) = struct.unpack_from("<I", out, at)
        new = random.choice((old + 4, max(0, old - 4), old ^ 1, *_EXTREME))
        struct.pack_into("<I", out, at, new & 0xFFFFFFFF)
    return bytes(out)


def zip_members(random: Random, data: bytes) -> bytes:
    """Change a number in a ZIP's directories: sizes, methods, offsets."""
    places = [found.start() for found in re.finditer(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06", data)]
    if not places:
        return bits(random, data)
    out = bytearray(data)
    at = random.choice(places) + random.randrange(4, 46)
    out[at : at + 2] = random.choice(_EXTREME).to_bytes(4, "little")[: len(out[at : at + 2])]
    return bytes(out)


def hdf5_header(random: Random, data: bytes) -> bytes:
    """Change a byte or a number near one of an HDF5's own signatures."""
    places = [found.start() for found in re.finditer(rb"\x89HDF|TREE|HEAP|SNOD|OHDR|FRHP|BTHD", data)]
    if not places:
        return bits(random, data)
    out = bytearray(data)
    at = min(random.choice(places) + random.randrange(4, 64), len(out) - 8)
    size = random.choice((1, 4, 8))
    out[at : at + size] = random.choice(_EXTREME).to_bytes(8, "little")[:size]
    return bytes(out)


def yaml_tokens(random: Random, data: bytes) -> bytes:
    """Put a hostile word for a value or a key, or drop, double, indent or swap lines."""
    lines = data.decode("utf-8", "replace").split("\n")
    at = random.randrange(len(lines))
    what = random.randrange(6)
    if what < 3:
        key, colon, _ = lines[at].partition(": ")
        word = random.choice(_HOSTILE_WORDS)
        lines[at] = f"{key}{colon}{word}" if colon else f"{lines[at]} {word}"
    elif what == 3:
        lines.insert(random.randrange(len(lines)), lines[at])
    elif what == 4:
        lines[at] = random.choice(("", " ", "\t", "  - ")) + lines[at]
    else:
        lines[at] = random.choice(_HOSTILE_WORDS)
    return "\n".join(lines).encode("utf-8", "replace")


def _changed_parts(random: Random, parts: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    if not parts:
        return parts
    at, other = random.randrange(len(parts)), random.randrange(len(parts))
    kind, body = parts[at]
    what = random.randrange(7)
    if what == 0:
        del parts[at]
    elif what == 1:
        parts[at:at] = [parts[at]] * random.choice((1, 2, 500))
    elif what == 2:
        parts[at], parts[other] = parts[other], parts[at]
    elif what == 3:
        parts[at] = (parts[other][0], body)
    elif body:
        change = random.choice((bits, number, number, cut, doubled))
        parts[at] = (kind, change(random, body))
    return parts


_BY_BEGINNING: tuple[tuple[bytes, Mutation], ...] = (
    (b"\x89PNG", png_chunks),
    (b"\xff\xd8", jpeg_segments),
    (b"RIFF", riff_chunks),
    (b"II*\0", tiff_entries),
    (b"MM\0*", tiff_entries),
    (b"\x89HDF", hdf5_header),
    (b"PK", zip_members),
    (b"\x1a\x45\xdf\xa3", ebml_sizes),
    (b"\x47\x40", transport_packets),
)
