"""GIFs as browsers show them."""

from __future__ import annotations

import struct

import pytest

from cartoonize.errors import DecodeError
from cartoonize.media.codec import decode
from cartoonize.media.containers import gif

RED, BLUE, GREEN, WHITE = range(4)
COLOURS = [(255, 0, 0), (0, 0, 255), (0, 200, 0), (255, 255, 255)]


def packed(count: int, index: int) -> bytes:
    """LZW of one colour, made of literals alone: a clear code before every two keeps codes at three bits."""
    codes = [code for number in range(count) for code in ([4, index] if number % 2 == 0 else [index])] + [5]
    bits = sum(code << 3 * place for place, code in enumerate(codes))
    data = bits.to_bytes(-(-3 * len(codes) // 8), "little")
    return (
        b"\2"
        + b"".join(bytes([len(part)]) + part for part in (data[i : i + 255] for i in range(0, len(data), 255)))
        + b"\0"
    )


def frame(x: int, y: int, width: int, height: int, index: int, disposal: int = 0, clear: int | None = None) -> bytes:
    flags = disposal << 2 | (clear is not None)
    control = b"!\xf9\4" + struct.pack("<BHB", flags, 5, clear or 0) + b"\0"
    return control + b"," + struct.pack("<4HB", x, y, width, height, 0) + packed(width * height, index)


def file(*frames: bytes, background: int = BLUE) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 32, 24, 0x91, background, 0) + b"".join(map(bytes, COLOURS))
    return head + b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0" + b"".join(frames) + b";"


def seen(data: bytes, *points: tuple[int, int]) -> list[list[int | None]]:
    """Of every frame the colour at each point, None where it is transparent."""
    colours = {colour: index for index, colour in enumerate(COLOURS)}

    def at(shown: object, x: int, y: int) -> int | None:
        alpha, pixels = shown.alpha, shown.pixels  # type: ignore[attr-defined]
        return None if alpha is not None and alpha[y, x] == 0 else colours[tuple(pixels[y, x].tolist())]

    return [[at(shown, x, y) for x, y in points] for shown in decode(data).frames]


def test_what_no_frame_covers_is_transparent() -> None:
    assert seen(file(frame(4, 4, 8, 8, RED)), (5, 5), (0, 0), (31, 23)) == [[RED, None, None]]


@pytest.mark.parametrize(("disposal", "left"), [(0, RED), (1, RED), (2, None), (3, GREEN)])
def test_disposal(disposal: int, left: int | None) -> None:
    data = file(frame(0, 0, 32, 24, GREEN, 1), frame(4, 4, 8, 8, RED, disposal), frame(20, 20, 2, 2, BLUE))
    assert seen(data, (5, 5), (0, 0), (20, 20)) == [[GREEN, GREEN, GREEN], [RED, GREEN, GREEN], [left, GREEN, BLUE]]


def test_a_transparent_index_lets_through() -> None:
    data = file(frame(0, 0, 32, 24, GREEN), frame(0, 0, 16, 24, RED, 0, clear=RED))
    assert seen(data, (2, 2), (20, 2)) == [[GREEN, GREEN], [GREEN, GREEN]]


def test_frames_beyond_the_screen_are_cut() -> None:
    assert seen(file(frame(0, 0, 32, 24, GREEN), frame(30, 22, 8, 8, RED)), (31, 23), (0, 0)) == [
        [GREEN, GREEN],
        [RED, GREEN],
    ]


def test_a_comment_and_times_and_loops() -> None:
    data = file(frame(0, 0, 2, 2, RED), b"!\xfe\3abc\2de\0" + frame(0, 0, 2, 2, BLUE))
    photo = decode(data)
    assert photo.metadata.texts == (("Comment", "abcde"),)
    assert [shown.duration for shown in photo.frames] == [50, 50]
    assert photo.metadata.loop == 0


def test_a_gif_cut_in_a_frame_is_done_up_to_there_when_asked() -> None:
    whole = file(frame(0, 0, 32, 24, GREEN), frame(0, 0, 32, 24, RED))
    cut = whole[:-200]
    with pytest.raises(DecodeError, match="only its first frame is whole"):
        decode(cut)
    assert len(decode(cut, salvage=True).frames) == 1
    assert decode(cut, salvage=True).notes == ("cut short: only its first frame is whole",)
    with pytest.raises(DecodeError, match="cut short before its first picture"):
        decode(whole[:14], salvage=True)
    assert decode(whole[:-1]).notes == ()  # the mark at the end alone


def test_a_hundred_thousand_frames_are_counted_and_refused() -> None:
    data = file(*[frame(0, 0, 1, 1, RED)] * 100_000)
    assert len(gif.take_apart(data).frames) == 100_000
    with pytest.raises(DecodeError, match="animation of 100000 frames"):
        decode(data)
