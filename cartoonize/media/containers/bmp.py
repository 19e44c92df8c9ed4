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


def _channel(words: NDArray[np.unsignedinteger], mask: int) -> NDArray[np.uint8]:
    """Cut a channel out and bring it to 8 bits."""
    if not mask:
        return np.zeros(words.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = (words.astype(np.uint64) & np.uint64(mask)) >> np.uint64(shift)
    scaled: NDArray[np.uint8] = ((values * np.uint64(255) + np.uint64(most // 2)) // np.uint64(most)).astype(np.uint8)
    return scaled
