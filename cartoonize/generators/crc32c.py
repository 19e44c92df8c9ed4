"""CRC-32C (Castagnoli, RFC 3720 B.4), the checksum in TensorFlow's checkpoints: many stretches of the data at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = np.uint32(0x82F63B78)  # bits reversed
_STRETCHES = 1024  # a power of two
_SMALL = 4096  # bytes that are not worth dividing


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, _POLYNOMIAL ^ (table >> 1), table >> 1)
    return table


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Return the checksum of four bytes or more."""
    stretches = 1 if len(data) < _SMALL else _STRETCHES
    length = -(-len(data) // stretches)
    padded = np.zeros(stretches * length, np.uint32)
    padded[-len(data) :] = np.frombuffer(data, np.uint8)
    padded[-len(data) :][:4] ^= 255  # the same as to begin with all bits set; zeros before it change nothing
    state = np.zeros(stretches, np.uint32)
    skip = np.uint32(1) << np.arange(32, dtype=np.uint32)  # what each bit becomes `length` zero bytes later
    for column in padded.reshape(stretches, length).T:
        state = _TABLE[(state ^ column) & 255] ^ (state >> 8)
        skip = _TABLE[skip & 255] ^ (skip >> 8)
    while len(state) > 1:
        state = _moved(state[::2], skip) ^ state[1::2]
        skip = _moved(skip, skip)
    return int(state[0]) ^ 0xFFFFFFFF


def _moved(state: NDArray[np.uint32], skip: NDArray[np.uint32]) -> NDArray[np.uint32]:
    bits = state[:, None] >> np.arange(32, dtype=np.uint32) & 1
    moved: NDArray[np.uint32] = np.bitwise_xor.reduce(bits * skip, axis=1)
    return moved


def masked(checksum: int) -> int:
    """Return a checksum as TensorFlow stores it (tensorflow/core/lib/hash/crc32c.h)."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
