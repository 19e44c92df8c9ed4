"""Reads TensorFlow 1 checkpoints, checking before it allocates: foreign ones abort TensorFlow's own reader.

The `.index` is a LevelDB table (leveldb/doc/table_format.md) from variable name to a BundleEntryProto
(tensorflow/core/protobuf/tensor_bundle.proto), which says where in the `.data` file an array is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartoonize.generators.crc32c import crc32c, masked

Message: TypeAlias = "dict[int, list[int | bytes]]"  # field number -> values

_FOOTER = 48  # bytes: two block handles, padding, magic number
MAGIC = bytes.fromhex("57fb808b247547db")
_FLOAT = 1  # DataType.DT_FLOAT
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # protocol buffers' wire types
_MAX_RANK = 4


@dataclass(frozen=True)
class Entry:
    """Where a float32 array is in the `.data` file, and its masked CRC-32C."""

    shape: tuple[int, ...]
    offset: int
    checksum: int

    def read(self, data: bytes) -> NDArray[np.float32]:
        """Return the array; raises ValueError when it is not in the file."""
        size = 4 * math.prod(self.shape)
        if not 0 <= self.offset <= len(data) - size:
            raise ValueError(f"an array of {size:,} bytes at {self.offset:,} in a file of {len(data):,}")
        if masked(crc32c(data[self.offset : self.offset + size])) != self.checksum:
            raise ValueError(f"the array at {self.offset:,} has another checksum")
        return np.frombuffer(data, "<f4", math.prod(self.shape), self.offset).reshape(self.shape)


def read_index(path: Path) -> dict[str, Entry]:
    """Read where each float32 variable of a checkpoint is; raises ValueError, IndexError when damaged, and OSError."""
    content = path.read_bytes()
    footer = content[-_FOOTER:]
    if footer[-8:] != MAGIC or len(footer) < _FOOTER:
        raise ValueError("not the index of a checkpoint")
    _, position = _handle(footer, 0)
    index_block, _ = _handle(footer, position)
    entries = {}
    for _, handle in _block(content, *index_block):
        for name, message in _block(content, *_handle(handle, 0)[0]):
            if name and (entry := _entry(_message(message))):
                entries[name.decode()] = entry
    return entries


def _entry(message: Message) -> Entry | None:
    """Read a BundleEntryProto; None for what is no float32 array of its own."""
    if message.get(1) != [_FLOAT] or 7 in message:  # 7: slices
        return None
    (proto,) = _messages(message.get(2, [b""]))
    shape = [_number(_message(dim).get(1, [0])[0]) for dim in _messages(_message(proto).get(2, []))]
    if len(shape) > _MAX_RANK or any(not 0 < side <= 2**20 for side in shape):
        raise ValueError(f"an array of shape {shape}")
    if message.get(3, [0]) != [0]:
        raise ValueError("arrays in more than one file")
    entry = Entry(tuple(shape), _number(message.get(4, [0])[0]), _number(message.get(6, [0])[0]))
    if message.get(5) != [4 * math.prod(shape)]:
        raise ValueError(f"an array of shape {shape} with another number of bytes")
    return entry


def _messages(values: list[int | bytes]) -> list[bytes]:
    if not all(isinstance(value, bytes) for value in values):
        raise ValueError("a number where a message was expected")
    return [value for value in values if isinstance(value, bytes)]


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("bytes where a number was expected")
    return value


def _message(data: bytes) -> Message:
    """Take a protocol buffer apart."""
    fields: Message = {}
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        value: int | bytes
        if key & 7 == _VARINT:
            value, position = _varint(data, position)
        elif key & 7 == _BYTES:
            size, position = _varint(data, position)
            value, position = _cut(data, position, size)
        elif key & 7 in (_FIXED32, _FIXED64):
            raw, position = _cut(data, position, 4 if key & 7 == _FIXED32 else 8)
            value = int.from_bytes(raw, "little")
        else:
            raise ValueError(f"a field of type {key & 7}")
        fields.setdefault(key >> 3, []).append(value)
    return fields


def _block(content: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield a table block's keys and values; keys share beginnings with those before them."""
    block, after = _cut(content, offset, size)
    if content[after] != 0:
        raise ValueError("a compressed index")
    if masked(crc32c(content[offset : after + 1])) != int.from_bytes(content[after + 1 : after + 5], "little"):
        raise ValueError("a part of the index has another checksum")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    position, key = 0, b""
    while position < end:
        shared, position = _varint(block, position)
        unshared, position = _varint(block, position)
        length, position = _varint(block, position)
        rest, position = _cut(block, position, unshared)
        value, position = _cut(block, position, length)
        key = key[:shared] + rest
        yield key, value


def _handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    offset, position = _varint(data, position)
    size, position = _varint(data, position)
    return (offset, size), position


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError("a number of more than 64 bits")


def _cut(data: bytes, position: int, size: int) -> tuple[bytes, int]:
    if size > len(data) - position:
        raise ValueError(f"{size:,} bytes where {max(0, len(data) - position):,} are left")
    return data[position : position + size], position + size
