"""uint8 RGB to network arrays and back, working sizes and padding: the only file that knows the number 127.5."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.uint8]  # (H, W, 3), 0...255, RGB
Array: TypeAlias = NDArray[np.float32]  # (H, W, 3), nominally [-1, 1], RGB
Level = TypeVar("Level", np.uint8, np.float16)
Size: TypeAlias = int | Literal["full"] | None

DEFAULT_SHORT_SIDE = 720
MANY_PIXELS = 10_000_000  # which take longer than a person waits for without a word
MAX_PIXELS = 250_000_000  # of one picture, all its frames together (the largest phone photos have 200 million)
_BAND_ROWS = 128
HALF_RANGE = 127.5
# The release truncates to uint8. The guard, far above float32's error and far below a level, keeps
# uint8 -> network -> uint8 the identity where truncation alone would lose a level.
TRUNCATION_GUARD = 1e-3
_NETWORK_LEVELS = np.arange(256, dtype=np.float32) / np.float32(HALF_RANGE) - np.float32(1)


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 1 on, of Python's or NumPy's; True is none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 1)


def bands(height: int) -> Iterator[slice]:
    """Return slices of rows that make up a picture, so few that a band stays in the processor's cache."""
    for start in range(0, height, _BAND_ROWS):
        yield slice(start, min(start + _BAND_ROWS, height))


def to_network(image: Image, out: Array | None = None) -> Array:
    """Scale uint8 levels 0...255 to float32 [-1, 1], same shape; `out` is where the result is put."""
    network: Array = cv2.LUT(image, _NETWORK_LEVELS, out)  # type: ignore[assignment]  # OpenCV's stubs know no dtypes
    return network


def to_image(array: Array) -> Image:
    """Scale float32 [-1, 1] to uint8 levels, clipped and truncated as the release does; undoes `to_network`."""
    levels = (array + np.float32(1)) * np.float32(HALF_RANGE) + np.float32(TRUNCATION_GUARD)
    image: Image = np.clip(levels, 0, 255).astype(np.uint8)
    return image


def sum_to_image(x: Array, y: Array, out: Image) -> None:
    """Put the uint8 levels of x + y, float32 in [-1, 1], into `out`: `to_image` of the sum, in one pass."""
    offset = HALF_RANGE + TRUNCATION_GUARD - 0.5  # it is rounded here, not truncated
    cv2.addWeighted(x, HALF_RANGE, y, HALF_RANGE, offset, out, cv2.CV_8U)


def level_coefficients(A: Array, b: Array) -> tuple[Array, Array]:
    """Rewrite q = A·I + b from network units to levels: q_u8 = A·I_u8 + b_u8, both (H, W, 3) float32.

    The result is meant for rounding to the nearest level: it carries the half level by which rounding and
    `to_image`'s truncation differ, so that one saturating addition ends in the same uint8.
    """
    offset = b - A
    offset *= np.float32(HALF_RANGE)
    offset += np.float32(HALF_RANGE + TRUNCATION_GUARD - 0.5)
    return A, offset


def are_equal(image: Image, other: Image) -> bool:
    """Whether two pictures are equal everywhere; different ones are mostly known by a few of their pixels."""
    if image is other:
        return True
    return np.array_equal(image[::61, ::67], other[::61, ::67]) and np.array_equal(image, other)


def is_grey(image: Image) -> bool:
    """Whether the channels of (H, W, 3) are equal everywhere; a colour picture is known by a few of its pixels."""
    sample = image[::61, ::67]
    return all(np.array_equal(part[..., 0], part[..., channel]) for part in (sample, image) for channel in (1, 2))


def to_grey(image: Image, out: Image | None = None) -> Image:
    """Replace every colour of (H, W, 3) by its luma (BT.601), the channels equal; `out` may be the image itself."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB, dst=out)  # type: ignore[return-value]  # as above


def working_shape(shape: tuple[int, int], size: Size, default: int = DEFAULT_SHORT_SIDE) -> tuple[int, int]:
    """Return the (height, width) at which the generator sees a photo of `shape` (height, width).

    None is short side `default` but never an enlargement; a number is that short side, enlarging if need be;
    "full" is the photo's own size. The long side is truncated as in the release.
    """
    short = min(shape)
    if size == "full" or (size is None and short <= default):
        return shape
    target = default if size is None else size
    height, width = (max(1, target * side // short) for side in shape)
    return height, width


def enlarging(shape: tuple[int, int], size: Size, default: Callable[[], int]) -> str:
    """Say that a `size` makes the generator draw very many pixels, most of which a photo does not have; else "".

    shape: (height, width) of the photo. default: tells the generator's own working size; called only where it matters.
    """
    height, width = working_shape(shape, size)
    if size is None or height <= shape[0] or height * width < MANY_PIXELS:
        return ""
    rows, columns = working_shape(shape, None, default())
    times = height * width // (rows * columns)
    return (
        f"enlarged to {width}x{height} to be drawn, {times:,} times the work of the default --size" if times > 9 else ""
    )


def work_problem(height: int, width: int) -> str | None:
    """Return why the generator cannot work at a size; None where it can."""
    if height * width <= MAX_PIXELS:
        return None
    return f"too many pixels to work at, {width}x{height}: choose a smaller --size"


def resize(image: Image, shape: tuple[int, int]) -> Image:
    """Resize to `shape` (height, width): pixel area averages when shrinking (as the release), cubic when enlarging."""
    if image.shape[:2] == shape:
        return image
    shrinking = shape[0] <= image.shape[0] and shape[1] <= image.shape[1]
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)  # type: ignore[return-value]  # as above


def pad_to_multiple(image: NDArray[Level], multiple: int) -> NDArray[Level]:
    """Repeat the last row and column until height and width are multiples of `multiple`."""
    bottom, right = (-side % multiple for side in image.shape[:2])
    if not bottom and not right:
        return image
    return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REPLICATE)  # type: ignore[return-value]  # as above


def largest_channel(image: Image) -> NDArray[np.uint8]:
    """Return the largest of each pixel's channels, uint8 (H, W); NumPy's `max` takes ten times as long."""
    first, second, third = cv2.split(image)
    return cv2.max(cv2.max(first, second), third)  # type: ignore[return-value]  # as above
