"""BMPs whose channels lie where masks say: Pillow knows a few of these layouts, and not their transparency."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cartoonize.errors import DecodeError

_BIT_FIELDS = (3, 6)  # ways of packing: with masks for three channels, for four
_MASKS_AT = 54  # of the file, behind the first version's header


def is_masked(data: bytes) -> bool:
    """Whether a BMP's pixels are 16 or 32 bits cut up by masks, or 32 whose last byte may be transparency."""
    if len(data) < _MASKS_AT + 12 or int.from_bytes(data[14:18], "little") < 40:
        return False
    (bits,), (packing,) = struct.unpack_from("<H", data, 28), struct.unpack_from("<I", data, 30)
    return bits in (16, 32) and packing in _BIT_FIELDS


def size_of(data: bytes) -> tuple[int, int]:
    """Return the width and height that the header states."""
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def missing_rows(data: bytes) -> int:
    """Count the rows of pixels that are not there or not whole; 0 where they are packed."""
    start, stride, rows = _pixels(data)
    lacking = start + stride * rows - len(data)
    return min(rows, -(-lacking // stride)) if lacking > 0 and stride else 0


def filled_up(data: bytes) -> bytes:
    """Return the file with zeros for what is missing of its pixels."""
    start, stride, rows = _pixels(data)
    return data.ljust(start + stride * rows, b"\0")


def masked_picture(data: bytes) -> Image.Image:
    """Return the picture of such a file, RGB or RGBA; raises DecodeError where rows of it are missing."""
    header, width, height = struct.unpack_from("<Iii", data, 14)
    (bits,), (start,), (packing,) = (
        struct.unpack_from(code, data, at) for code, at in (("<H", 28), ("<I", 10), ("<I", 30))
    )
    masks = struct.unpack_from("<4I", data.ljust(_MASKS_AT + 16, b"\0"), _MASKS_AT)
    if header < 56 and packing == _BIT_FIELDS[0]:  # no room for a fourth
        masks = (*masks[:3], 0)
    stride = -(-abs(width) * bits // 32) * 4
    if width <= 0 or not height or len(data) < start + stride * abs(height):
        raise DecodeError("a damaged BMP: rows of its pixels are missing")
    rows = np.frombuffer(data, np.uint8, stride * abs(height), start).reshape(abs(height), stride)
    words = np.ascontiguousarray(rows).view(f"<u{bits // 8}")[:, :width]
    channels = [_channel(words, mask) for mask in (masks if masks[3] else masks[:3])]
    pixels = np.dstack(channels)
    return Image.fromarray(pixels[::-1] if height > 0 else pixels)  # from the bottom up where not said otherwise


def _pixels(data: bytes) -> tuple[int, int, int]:
    """Return where the pixels begin, bytes of a row, rows; of pixels that are packed zeros."""
    if len(data) < _MASKS_AT or int.from_bytes(data[14:18], "little") < 40:
        return 0, 0, 0
    (start,), (bits, packing) = struct.unpack_from("<I", data, 10), struct.unpack_from("<HI", data, 28)
    width, height = size_of(data)
    return (start, -(-width * bits // 32) * 4, height) if packing in (0, *_BIT_FIELDS) else (0, 0, 0)


def _channel(words: NDArray[np.unsignedinteger], mask: int) -> NDArray[np.uint8]:
    """Cut a channel out and bring it to 8 bits."""
    if not mask:
        return np.zeros(words.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = (words.astype(np.uint64) & np.uint64(mask)) >> np.uint64(shift)
    scaled: NDArray[np.uint8] = ((values * np.uint64(255) + np.uint64(most // 2)) // np.uint64(most)).astype(np.uint8)
    return scaled
