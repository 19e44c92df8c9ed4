"""Encoded packets in a file of our own: exact times whatever the container of the result, whole or not there at all."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from cartoonize.errors import DecodeError

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"cartoonize packets 1\n"
_COUNT = struct.Struct("<I")
_RECORD = struct.Struct("<qqI?")  # pts, duration, bytes, whether a key frame


@dataclass(frozen=True)
class Encoded:
    """One frame as an encoder left it, times in the film's time base."""

    pts: int
    duration: int
    is_key: bool
    data: bytes


def write_packets(file: BinaryIO, extradata: bytes, packets: Iterable[Encoded]) -> None:
    """Write packets in decoding order as they come."""
    file.write(_MAGIC + _COUNT.pack(len(extradata)) + extradata)
    for packet in packets:
        file.write(_RECORD.pack(packet.pts, packet.duration, len(packet.data), packet.is_key))
        file.write(packet.data)


def read_packets(path: Path) -> Iterator[Encoded]:
    """Yield the packets of a file; raises DecodeError where it is not one of ours, or is cut off."""
    with open(path, "rb") as file:
        _read_extradata(file, path)
        while head := file.read(_RECORD.size):
            pts, duration, size, is_key = _RECORD.unpack(_complete(head, _RECORD.size, path))
            yield Encoded(pts, duration, is_key, _complete(file.read(size), size, path))


def read_times(path: Path) -> list[int]:
    """Return the pts of a file's packets, in decoding order."""
    with open(path, "rb") as file:
        _read_extradata(file, path)
        times = []
        while head := file.read(_RECORD.size):
            pts, _, size, _ = _RECORD.unpack(_complete(head, _RECORD.size, path))
            times.append(pts)
            file.seek(size, 1)
        return times


def read_extradata(path: Path) -> bytes:
    """Return what the encoder put before its packets."""
    with open(path, "rb") as file:
        return _read_extradata(file, path)


def _read_extradata(file: BinaryIO, path: Path) -> bytes:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise DecodeError(f"{path} is no segment of a film: delete its folder and begin anew")
    (size,) = _COUNT.unpack(_complete(file.read(_COUNT.size), _COUNT.size, path))
    return _complete(file.read(size), size, path)


def _complete(data: bytes, size: int, path: Path) -> bytes:
    if len(data) != size:
        raise DecodeError(f"{path} is cut off: delete its folder and begin anew")
    return data
