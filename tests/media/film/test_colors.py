"""Colours against the standards' own formulas, written down here once more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from cartoonize.errors import DecodeError
from cartoonize.media.film.colors import Color, FromRGB, ToRGB, color_of
from cartoonize.media.film.tone_mapping import compressed, to_sdr

LUMA = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593), 7: (0.212, 0.087)}  # red and blue
SHADES = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 64, 200)], np.uint8)


def coded(rgb: Any, matrix: int, full: bool) -> Any:
    red, blue = LUMA[matrix]
    r, g, b = (rgb / 255).T
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)
    if full:
        return np.stack([255 * y, 255 * u + 128, 255 * v + 128], -1)
    return np.stack([219 * y + 16, 224 * u + 128, 224 * v + 128], -1)


@pytest.mark.parametrize("matrix", LUMA)
@pytest.mark.parametrize("full", [False, True])
def test_known_colours(matrix: int, full: bool) -> None:
    color = Color(matrix, 2 if full else 1, 1, 1)
    picture = np.repeat(SHADES, 16, axis=0)[np.newaxis].repeat(16, axis=0)
    frame = FromRGB(color, "yuv420p")(picture)
    planes = [np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size) for plane in frame.planes]
    middle = np.arange(len(SHADES)) * 16 + 8
    found = np.stack([planes[0][8, middle], planes[1][4, middle // 2], planes[2][4, middle // 2]], -1)
    expected = np.clip(coded(SHADES.astype(float), matrix, full), 0, 255)
    assert np.abs(found - expected).max() <= 1
    assert (frame.colorspace, frame.color_range) == (matrix, color.range)
    back = ToRGB(color, (picture.shape[1], 16), (0, 0, 0))(frame)
    assert np.abs(back[8, middle].astype(int) - SHADES).max() <= 2


@pytest.mark.parametrize(("height", "guessed"), [(576, 6), (719, 6), (720, 1), (2160, 1)])
def test_untagged_films_are_taken_for_what_players_take_them(height: int, guessed: int) -> None:
    frame = av.VideoFrame(1280, height, "yuv420p")
    assert color_of(frame) == Color(guessed, 1, 2, 2)


def test_tags_are_read() -> None:
    frame = av.VideoFrame(64, 64, "yuv420p")
    frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc = 9, 2, 9, 14
    assert color_of(frame) == Color(9, 2, 9, 14)
    assert color_of(av.VideoFrame(64, 64, "yuvj420p")).range == 2
    assert color_of(av.VideoFrame(64, 64, "rgb24")) == Color(6, 1, 2, 2)


def test_a_matrix_that_is_not_known_is_refused() -> None:
    frame = av.VideoFrame(64, 64, "yuv420p")
    frame.colorspace = 14  # ICtCp
    with pytest.raises(DecodeError, match="matrix that is not supported"):
        color_of(frame)


def test_a_frame_of_another_size_is_brought_to_that_of_the_film() -> None:
    frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8), "rgb24")
    assert ToRGB(Color(6, 1, 2, 2), (64, 48), (0, 0, 0))(frame).shape == (48, 64, 3)


def test_transparency_is_laid_on_the_background() -> None:
    picture = np.zeros((16, 16, 4), np.uint8)
    picture[:8] = (200, 100, 50, 255)
    frame = av.VideoFrame.from_ndarray(picture, "rgba")
    result = ToRGB(Color(6, 1, 2, 2), (16, 16), (10, 20, 30))(frame)
    np.testing.assert_array_equal(result[0, 0], (200, 100, 50))
    np.testing.assert_array_equal(result[15, 0], (10, 20, 30))


def test_hdr_results_are_tagged_as_what_they_are() -> None:
    assert Color(9, 1, 9, 16).is_hdr
    assert Color(9, 1, 9, 18).result == Color(1, 1, 1, 1)
    assert Color(9, 1, 9, 14).result == Color(9, 1, 9, 14), "BT.2020 without HDR stays what it is"


def pq_level(nits: float) -> int:
    """The inverse EOTF of ST 2084, for 16 bits."""
    power = (nits / 10_000) ** 0.1593017578125
    return round(65535 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def grey(level: int, *, hlg: bool) -> int:
    values = to_sdr(np.full((1, 1, 3), level, np.uint16), hlg=hlg)[0, 0]
    assert np.ptp(values) <= 1, "grey stays grey"
    return int(values[1])


def test_tone_mapping_of_known_light() -> None:
    assert grey(0, hlg=False) == 0
    for nits in (10, 50, 100):  # below the knee, light is as it was
        assert abs(grey(pq_level(nits), hlg=False) - 255 * (nits / 203) ** (1 / 2.4)) <= 1
    assert abs(grey(pq_level(203), hlg=False) - 255 * (0.5 + 0.5 * (1 - np.exp(-1))) ** (1 / 2.4)) <= 1
    assert grey(65535, hlg=False) == 255
    # HLG's reference white, 75 %, is 203 cd/m² on its nominal display of 1000.
    assert abs(grey(round(0.75 * 65535), hlg=True) - grey(pq_level(203), hlg=False)) <= 1
    assert grey(65535, hlg=True) == 255


def test_more_light_never_comes_out_darker() -> None:
    ramp = np.arange(0, 65536, 64, dtype=np.uint16)[np.newaxis, :, np.newaxis].repeat(3, axis=2)
    for hlg in (False, True):
        assert (np.diff(to_sdr(ramp, hlg=hlg)[0, :, 1].astype(int)) >= 0).all()


def test_the_shoulder_has_no_corner() -> None:
    light = np.linspace(0.4, 0.6, 2001, dtype=np.float32)
    slope = np.diff(compressed(light).astype(np.float64)) / np.diff(light.astype(np.float64))
    assert np.abs(np.diff(slope)).max() < 0.02


def test_hues_of_bright_colours_stay() -> None:
    """Twice and ten times the light of one colour differ in brightness alone, up to where it is clipped."""
    nits = np.array([20.0, 12.0, 14.0])
    dark, bright = (
        to_sdr(np.array([[[pq_level(n * f) for n in nits]]], np.uint16), hlg=False)[0, 0].astype(float) for f in (1, 4)
    )
    ratio = (bright / dark) ** 2.4
    assert np.ptp(ratio) / ratio.mean() < 0.06


def test_a_ten_bit_film_in_bt2020_is_tone_mapped(tmp_path: Any) -> None:
    from cartoonize.films.commission import commission
    from cartoonize.films.options import FilmOptions
    from tests.films.conftest import film

    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx265", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        context: Any = stream.codec_context
        context.options = {"x265-params": "log-level=none"}
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = 9, 1, 9, 16
        level = round(pq_level(100) / 65535 * 876 + 64)
        for _ in range(3):
            frame: Any = av.VideoFrame(96, 64, "yuv420p10le")
            for plane, value in zip(frame.planes, (level, 512, 512), strict=True):
                plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    order = commission(path, tmp_path / "b.mp4", FilmOptions())
    assert "HDR was tone-mapped to BT.709" in order.notes
    film(path, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert abs(int(picture[32, 48, 1]) - (255 - 255 * (100 / 203) ** (1 / 2.4))) <= 3


def test_a_display_matrix_that_is_no_quarter_turn_goes_to_the_nearest() -> None:
    import struct

    from cartoonize.media.film.turning import Turn, turn_of

    angle = np.radians(93)
    matrix = [np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1]
    packed = struct.pack("=9i", *(round(value * 65536) for value in matrix))

    frame: Any = SimpleNamespace(side_data={"DISPLAYMATRIX": packed})
    assert turn_of(frame) == Turn(1, False)
