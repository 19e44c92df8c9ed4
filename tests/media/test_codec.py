import contextlib
import errno
import io
import os
import struct
import subprocess
import sys
import threading
import warnings
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cartoonize.errors import DecodeError, EncodeError
from cartoonize.media import bmff_reader, codec, opening, picture
from cartoonize.media.codec import EncodeOptions, Frame, Metadata, Photo, decode, encode
from cartoonize.media.formats import ANIMATION, EXTENSIONS

FORMATS = sorted(set(EXTENSIONS.values()))
RED, BLUE = (250, 10, 20), (5, 30, 240)


def saved(image_format, image, **arguments):
    stream = io.BytesIO()
    image.save(stream, image_format, **arguments)
    return stream.getvalue()


def photo(pixels, alpha=None, **metadata):
    return Photo((Frame(pixels, alpha),), Metadata(**metadata), "PNG")


def animation(colours, durations, loop=0, alpha=None):
    frames = (np.full((8, 10, 3), colour, np.uint8) for colour in colours)
    shown = zip(frames, durations, strict=True)
    return Photo(tuple(Frame(pixels, alpha, time) for pixels, time in shown), Metadata(loop=loop), "GIF")


def smooth(height=48, width=64):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) * 255 // (width + height)], -1).astype(np.uint8)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# Known answers: the upright picture is red on the left; stored turned by each of the eight orientations.
UPRIGHT = np.zeros((2, 3, 3), np.uint8) + np.arange(6, dtype=np.uint8).reshape(2, 3, 1) * 40
STORED = {
    1: [[0, 1, 2], [3, 4, 5]],
    2: [[2, 1, 0], [5, 4, 3]],
    3: [[5, 4, 3], [2, 1, 0]],
    4: [[3, 4, 5], [0, 1, 2]],
    5: [[0, 3], [1, 4], [2, 5]],
    6: [[2, 5], [1, 4], [0, 3]],
    7: [[5, 2], [4, 1], [3, 0]],
    8: [[3, 0], [4, 1], [5, 2]],
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "WEBP"])
def test_all_orientations_are_applied_and_reset(image_format, orientation):
    stored = Image.fromarray(np.repeat(np.array(STORED[orientation], np.uint8)[..., None] * 40, 3, axis=2))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Maker"
    data = saved(image_format, stored, exif=exif, **({"lossless": True} if image_format == "WEBP" else {}))
    read = decode(data)
    assert (read.frames[0].pixels == UPRIGHT).all()
    with Image.open(io.BytesIO(encode(read, EncodeOptions("PNG")).data)) as image:
        assert (image.size, image.getexif()[0x0112]) == ((3, 2), 1)


@pytest.mark.parametrize("orientation", [6, 8])
@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
def test_orientation_as_a_property_of_the_format(image_format, orientation):
    bmff_reader.register_heif(DecodeError)
    upright = np.zeros((64, 32, 3), np.uint8)
    upright[:16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.rot90(upright, 1 if orientation == 6 else -1)
    read = decode(saved(image_format, Image.fromarray(stored), exif=exif.tobytes(), quality=95)).frames[0].pixels
    assert read.shape == upright.shape
    assert np.abs(read.astype(int) - upright).mean() < 3


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_unknown_orientation_means_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode(saved("PNG", Image.new("RGB", (3, 2)), exif=exif)).frames[0].pixels.shape == (2, 3, 3)


@given(pixels=arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))), data=st.data())
@settings(max_examples=60)
def test_lossless_formats_are_exact(pixels, data):
    image_format, quality = data.draw(st.sampled_from([("PNG", None), ("TIFF", None), ("BMP", None), ("WEBP", 100)]))
    read = decode(encode(photo(pixels), EncodeOptions(image_format, quality)).data)
    assert read.format == image_format
    assert (read.frames[0].pixels == pixels).all()
    assert (read.frames[0].alpha, read.frames[0].duration, read.notes) == (None, 0, ())


@given(shape=st.tuples(st.integers(1, 40), st.integers(1, 40)), seed=st.integers(0, 99), data=st.data())
@settings(max_examples=40)
def test_alpha_is_exact(shape, seed, data):
    random = np.random.default_rng(seed)
    pixels, alpha = random.integers(0, 256, (*shape, 3), np.uint8), random.integers(0, 255, shape, np.uint8)
    image_format, quality = data.draw(st.sampled_from([("PNG", None), ("TIFF", None), ("WEBP", 100), ("WEBP", 90)]))
    read = decode(encode(photo(pixels, alpha), EncodeOptions(image_format, quality)).data).frames[0]
    assert (read.alpha == alpha).all()
    if quality != 90:
        assert (read.pixels == pixels).all()


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (48, 64)])
def test_every_format_writes_and_reads(image_format, shape):
    pixels = smooth()[: shape[0], : shape[1]]
    encoded = encode(photo(pixels), EncodeOptions(image_format))
    read = decode(encoded.data)
    assert (read.format, encoded.notes) == (image_format, ())
    assert np.abs(read.frames[0].pixels.astype(int) - pixels).mean() < 4


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "AVIF", "HEIF"])
def test_quality_changes_the_size(image_format):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    small, large = (len(encode(photo(pixels), EncodeOptions(image_format, q)).data) for q in (20, 90))
    assert small < large / 1.5


def test_jpeg_keeps_the_colour_of_every_pixel():
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:, ::2], pixels[:, 1::2] = RED, BLUE
    read = decode(encode(photo(pixels), EncodeOptions("JPEG")).data).frames[0].pixels
    assert np.abs(read.astype(int) - pixels).max() < 40  # half the chroma would be off by more than 100


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("1", (2, 2), 1), (255, 255, 255)),
        (Image.new("L", (2, 2), 77), (77, 77, 77)),
        (Image.new("P", (2, 2), RED), RED),
        (Image.new("RGB", (2, 2), RED), RED),
        (Image.fromarray(np.full((2, 2), 0x4D12, np.uint16)), (77, 77, 77)),
    ],
)
@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_modes_without_alpha(image_format, image, expected):
    frame = decode(saved(image_format, image)).frames[0]
    assert frame.pixels[1, 1].tolist() == list(expected)
    assert frame.alpha is None
    assert frame.pixels.dtype == np.uint8


def test_modes_with_alpha():
    grey = decode(saved("PNG", Image.new("LA", (2, 2), (77, 9)))).frames[0]
    assert (grey.pixels[0, 0].tolist(), grey.alpha[0, 0]) == ([77, 77, 77], 9)
    palette = Image.new("P", (2, 1))
    palette.putpalette([*RED, *BLUE])
    palette.putpixel((1, 0), 1)
    for transparency, expected in ((1, [255, 0]), (b"\x40\xff", [64, 255])):
        frame = decode(saved("PNG", palette, transparency=transparency)).frames[0]
        assert (frame.pixels.tolist(), frame.alpha.tolist()) == ([[list(RED), list(BLUE)]], [expected])
    clear = decode(saved("PNG", Image.new("RGB", (1, 1), RED), transparency=RED)).frames[0]
    assert clear.alpha.tolist() == [[0]]
    deep = Image.fromarray(np.array([[256, 512]], np.uint16))
    assert decode(saved("PNG", deep, transparency=512)).frames[0].alpha.tolist() == [[255, 0]]


def deep_png(colour_type, *values):
    data = b"\0" + struct.pack(f">{len(values)}H", *values)
    header = struct.pack(">IIBBBBB", 1, 1, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "pixel", "alpha"),
    [
        (deep_png(2, 0x1234, 0x8000, 0xFFFF), [0x12, 0x80, 0xFF], None),
        (deep_png(6, 0x1234, 0x8000, 0xFFFF, 0x4567), [0x12, 0x80, 0xFF], 0x45),
        (deep_png(4, 0x1234, 0x4567), [0x12, 0x12, 0x12], 0x45),
        (deep_png(0, 0x1234), [0x12, 0x12, 0x12], None),
    ],
)
def test_16_bit_png_is_scaled_and_says_so(data, pixel, alpha):
    read = decode(data)
    assert read.frames[0].pixels[0, 0].tolist() == pixel
    assert (read.frames[0].alpha if alpha is None else read.frames[0].alpha[0, 0]) == alpha
    assert read.notes == ("reduced from 16 to 8 bits per channel",)


def test_cmyk_jpeg_as_another_decoder_sees_it():
    cmyk = Image.frombytes("CMYK", (64, 48), np.dstack([smooth(), np.full((48, 64), 20, np.uint8)]).tobytes())
    data = saved("JPEG", cmyk, quality=95)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    read = decode(data)
    assert np.abs(read.frames[0].pixels.astype(int) - other).max() <= 3
    assert "CMYK" in read.notes[0]


def test_cmyk_tiff_lab_tiff_and_pages():
    pages = [Image.new("CMYK", (4, 4), (0, 255, 255, 0)), Image.new("CMYK", (4, 4))]
    read = decode(saved("TIFF", pages[0], save_all=True, append_images=pages[1:]))
    assert len(read.frames) == 1
    assert read.frames[0].pixels[0, 0].tolist() == [255, 0, 0]
    assert read.notes[0] == "only the first of its pages is used"
    lab = Image.merge("LAB", [Image.new("L", (4, 4), v) for v in (255, 128, 128)])
    assert decode(saved("TIFF", lab)).frames[0].pixels.min() >= 253


def test_numbers_of_unknown_range_are_refused():
    with pytest.raises(DecodeError, match="unknown range: expected 0 to 1"):
        decode(saved("TIFF", Image.new("F", (2, 2), 500)))
    with pytest.raises(DecodeError, match="expected 8 or 16 bits per channel"):
        decode(saved("TIFF", Image.new("I", (2, 2), 500)))


def test_the_name_of_a_file_proves_nothing(tmp_path):
    path = tmp_path / ("ü" * 100 + ".jpg")
    path.write_bytes(saved("PNG", Image.new("RGB", (2, 1), RED)))
    assert decode(path).format == "PNG"


def test_a_jpeg_with_further_pictures_is_a_jpeg():
    pictures = [Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE)]
    read = decode(saved("MPO", pictures[0], save_all=True, append_images=pictures[1:]))
    assert (read.format, len(read.frames)) == ("JPEG", 1)


# Animations


@pytest.mark.parametrize("image_format", sorted(ANIMATION))
@pytest.mark.parametrize("loop", [0, 1, 3])
def test_animation_keeps_frames_timing_and_loop(image_format, loop):
    colours, durations = [RED, BLUE, (0, 200, 0)], [50, 120, 1000]
    read = decode(encode(animation(colours, durations, loop), EncodeOptions(image_format)).data)
    assert [frame.duration for frame in read.frames] == durations
    for frame, colour in zip(read.frames, colours, strict=True):
        assert np.abs(frame.pixels.astype(int) - colour).max() <= 3
        assert frame.alpha is None
    assert read.metadata.loop == (0 if image_format == "AVIF" else loop)  # Pillow writes no loop count into an AVIF


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "GIF"])
def test_animation_keeps_what_is_clear(image_format):
    alpha = np.full((8, 10), 255, np.uint8)
    alpha[:, :4] = 0
    read = decode(encode(animation([RED, BLUE], [50, 50], alpha=alpha), EncodeOptions(image_format)).data)
    for frame, colour in zip(read.frames, (RED, BLUE), strict=True):
        assert (frame.alpha == alpha).all()
        assert np.abs(frame.pixels[:, 5:].astype(int) - colour).max() <= 3


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "GIF"])
def test_frames_are_fully_composited(image_format):
    frames = [Image.new("RGBA", (8, 8), (*RED, 255)) for _ in range(3)]
    frames[1].paste((*BLUE, 255), (2, 2, 5, 5))
    frames[2].paste((*BLUE, 255), (4, 4, 8, 8))
    lossless = {"lossless": True} if image_format == "WEBP" else {}
    data = saved(image_format, frames[0], save_all=True, append_images=frames[1:], duration=[40, 50, 60], **lossless)
    read = decode(data)
    assert [frame.duration for frame in read.frames] == [40, 50, 60]
    for frame, expected in zip(read.frames, frames, strict=True):
        assert (frame.pixels == np.asarray(expected)[..., :3]).all()


def test_the_still_before_an_apng_is_not_a_frame():
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    cover = Image.new("RGB", (4, 4))
    data = saved("PNG", cover, save_all=True, append_images=frames, default_image=True, duration=[40, 50])
    read = decode(data)
    assert [frame.duration for frame in read.frames] == [40, 50]
    assert read.frames[0].pixels[0, 0].tolist() == list(RED)


def test_a_gif_frame_beyond_the_screen_is_cut():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    data = bytearray(saved("GIF", frames[0], save_all=True, append_images=frames[1:], duration=50))
    last = data.rindex(b",\0\0\0\0\x08\0\x08\0")
    data[last + 1 : last + 5] = struct.pack("<HH", 4, 4)
    read = decode(bytes(data))
    assert [frame.pixels.shape for frame in read.frames] == [(8, 8, 3)] * 2
    assert read.frames[1].pixels[:, :, 2].tolist()[7] == [20] * 4 + [240] * 4


def test_a_gif_frame_far_beyond_the_screen_is_refused_before_memory_is_taken(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLUE)]
    data = bytearray(saved("GIF", frames[0], save_all=True, append_images=frames[1:], duration=50))
    last = data.rindex(b",\0\0\0\0\x08\0\x08\0")
    data[last + 1 : last + 5] = struct.pack("<HH", 16_000, 16_000)
    assert len(decode(bytes(data)).frames) == 2
    data[last + 5 : last + 9] = struct.pack("<HH", 16_000, 16_000)
    assert "at most 250 million" in message(bytes(data))


def test_a_file_that_is_no_picture_is_not_read_whole(tmp_path):
    (tmp_path / "film.jpg").write_bytes(b"not a picture")
    os.truncate(tmp_path / "film.jpg", 1 << 40)  # a terabyte of nothing
    assert "not a picture" in message(tmp_path / "film.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    picture = saved("PNG", Image.new("RGB", (4, 4)))
    writer = threading.Thread(target=(tmp_path / "pipe.png").write_bytes, args=(picture,))
    writer.start()
    assert decode(tmp_path / "pipe.png").format == "PNG"
    writer.join()


def test_of_a_heic_with_several_pictures_the_main_one_is_read_and_a_note_says_so(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    first, second = (Image.new("RGB", (16, 16), colour) for colour in (RED, BLUE))
    first.save(tmp_path / "two.heic", save_all=True, append_images=[second])
    assert decode(tmp_path / "two.heic").notes == ("only the main one of its pictures is used",)


def test_a_gif_of_one_frame_is_a_still():
    read = decode(saved("GIF", Image.new("P", (4, 4)), duration=100, loop=0))
    assert (len(read.frames), read.frames[0].duration, read.metadata.loop) == (1, 0, None)


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF", "BMP", "HEIF"])
def test_animation_into_a_still_format(image_format):
    encoded = encode(animation([RED, BLUE], [50, 50]), EncodeOptions(image_format))
    assert encoded.notes == ("animation reduced to its first frame",)
    assert np.abs(decode(encoded.data).frames[0].pixels.astype(int) - RED).max() <= 8


@pytest.mark.parametrize("image_format", ["JPEG", "BMP"])
def test_transparency_is_flattened_on_the_background(image_format):
    alpha = np.zeros((8, 8), np.uint8)
    encoded = encode(photo(np.zeros((8, 8, 3), np.uint8), alpha), EncodeOptions(image_format, background=(0, 128, 255)))
    assert encoded.notes == ("transparency flattened on #0080ff",)
    assert np.abs(decode(encoded.data).frames[0].pixels.astype(int) - (0, 128, 255)).max() <= 2


def test_a_picture_larger_than_its_format_is_refused():
    for image_format, limit in (("JPEG", 65_500), ("WEBP", 16_383)):
        wide = photo(np.zeros((1, limit + 1, 3), np.uint8))
        with pytest.raises(EncodeError, match=f"at most {limit} pixels a side.*choose png"):
            encode(wide, EncodeOptions(image_format))
        assert encode(photo(np.zeros((1, limit, 3), np.uint8)), EncodeOptions(image_format)).data


# Bad input: one clear line each


def message(source):
    with pytest.raises(DecodeError) as caught:
        decode(source)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_bad_paths(tmp_path):
    assert "no such file" in message(tmp_path / "missing.jpg")
    assert "is a folder" in message(tmp_path)
    assert "too long" in message(tmp_path / ("x" * 300)).lower()
    assert "cannot be read" in message(tmp_path / "a\0b")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")

    def refuse(*_args):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("builtins.open", refuse)
    assert "permission denied" in message(path)


def test_bad_bytes():
    assert "empty" in message(b"")
    assert "not a picture" in message(b"hello, this is text\n" * 100)
    assert "PostScript" in message(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert "anymap" in message(b"P7\nWIDTH 1\nHEIGHT 1\n")


@pytest.mark.parametrize("image_format", [name for name in FORMATS if name not in ("BMP", "HEIF")])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file(image_format, share):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encode(photo(pixels), EncodeOptions(image_format)).data
    text = message(data[: int(len(data) * share)])
    assert text.startswith("cut short")


@given(data=st.data())
@settings(max_examples=150)
def test_damaged_files_never_raise_anything_else(data):
    image_format = data.draw(st.sampled_from(FORMATS))
    damaged = bytearray(encode(photo(smooth(16, 16)), EncodeOptions(image_format)).data)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, min(len(damaged) - 1, 400)))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecodeError):
        assert decode(bytes(damaged)).frames[0].pixels.ndim == 3


def png_header(width, height):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_decompression_bombs_are_refused_before_memory_is_taken(monkeypatch):
    assert "at most 250 million" in message(png_header(100_000, 100_000))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert "at most 250 million" in message(png_header(100_000, 100_000))
    monkeypatch.setattr(picture, "MAX_PIXELS", 8 * 8 * 3 - 1)
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 100, 200)]
    for image_format in ("GIF", "PNG", "WEBP"):
        data = saved(image_format, frames[0], save_all=True, append_images=frames[1:], duration=50)
        assert "all frames together" in message(data)
        assert decode(saved(image_format, frames[0])).frames


def test_our_limit_replaces_pillows_when_the_program_asks(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    data = saved("PNG", Image.new("RGB", (8, 8), RED))
    assert "too many pixels" in message(data)
    with warnings.catch_warnings():
        opening.configure_pillow()
        assert decode(data).frames[0].pixels.shape == (8, 8, 3)


def test_no_memory_has_its_own_line(monkeypatch):
    def exhausted(*_args, **_kwargs):
        raise MemoryError

    data = saved("PNG", Image.new("RGB", (8, 8)))
    monkeypatch.setattr(codec, "upright", exhausted)
    assert "not enough memory" in message(data)
    monkeypatch.setattr(Image.Image, "save", exhausted)
    with pytest.raises(EncodeError, match="not enough memory"):
        encode(photo(smooth()), EncodeOptions("PNG"))


def test_heic_without_the_extra_names_it(monkeypatch):
    data = encode(photo(smooth()), EncodeOptions("HEIF")).data
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    assert message(data) == "HEIC needs a library: pip install pillow-heif"
    with pytest.raises(EncodeError, match="pip install pillow-heif"):
        encode(photo(smooth()), EncodeOptions("HEIF"))


def test_threads_decode_and_encode_at_once():
    data = {name: encode(photo(smooth()), EncodeOptions(name)).data for name in ("JPEG", "PNG", "WEBP", "TIFF", "GIF")}
    expected = {name: decode(bytes_).frames[0].pixels for name, bytes_ in data.items()}
    failures = []

    def work(name):
        for _ in range(10):
            read = decode(data[name])
            if (read.frames[0].pixels != expected[name]).any() or not encode(read, EncodeOptions(name)).data:
                failures.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in data for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_reading_leaves_pillow_as_it_was():
    code = (
        "import warnings, numpy; from PIL import Image; before = (Image.MAX_IMAGE_PIXELS, list(warnings.filters))\n"
        "import cartoonize.media.codec; print(before == (Image.MAX_IMAGE_PIXELS, list(warnings.filters)))\n"
        "print('EPS' in Image.OPEN or 'PDF' in Image.SAVE)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.split() == ["True", "False"]


def test_no_memory_is_not_blamed_on_the_metadata(monkeypatch):
    tried = []

    def without_memory(self, stream, kind, **arguments):
        tried.append(arguments)
        raise MemoryError

    monkeypatch.setattr(Image.Image, "save", without_memory)
    with pytest.raises(EncodeError, match="not enough memory"):
        encode(photo(smooth(), dpi=(72, 72)), EncodeOptions("JPEG"))
    assert len(tried) == 1, "not tried again without the metadata"
