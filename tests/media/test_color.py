import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from cartoonize.errors import DecodeError
from cartoonize.media.color import flatten, to_palette, to_srgb

# The published matrices to XYZ, adapted to D50 (the colour space that profiles connect in).
P3_TO_XYZ = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB_TO_XYZ = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def s15f16(*values):
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def icc(space=b"RGB ", matrix=P3_TO_XYZ, description=b"Display P3"):
    """A minimal version 4 profile: a matrix and the sRGB curve, or the curve alone for grey."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + s15f16(*SRGB_CURVE)
    text = description.decode("latin-1").encode("utf-16-be")
    tags = {
        b"desc": b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text,
        b"wtpt": b"XYZ " + bytes(4) + s15f16(0.9642, 1.0, 0.8249),
    }
    if space == b"RGB ":
        for name, column in zip((b"r", b"g", b"b"), matrix.T, strict=True):
            tags[name + b"XYZ"] = b"XYZ " + bytes(4) + s15f16(*column)
            tags[name + b"TRC"] = curve
    else:
        tags[b"kTRC"] = curve
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x04200000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + s15f16(0.9642, 1.0, 0.8249)
    return header.ljust(128, b"\0") + table + body


def picture(mode, pixels, profile=None):
    """A picture and its profile."""
    pixels = np.asarray(pixels, np.uint8)
    return Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes()), profile


def colours():
    levels = np.linspace(20, 235, 6)
    return np.stack(np.meshgrid(levels, levels, levels), -1).reshape(12, 18, 3).astype(np.uint8)


def decoded_curve(values):
    x = values / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def encoded_curve(x):
    x = x.clip(0, 1)
    return 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def test_p3_becomes_srgb_as_the_matrices_say():
    linear = decoded_curve(colours()) @ P3_TO_XYZ.T @ np.linalg.inv(SRGB_TO_XYZ).T
    converted = to_srgb(*picture("RGB", colours(), icc()))
    inside = ((linear >= 0) & (linear <= 1)).all(axis=-1)
    difference = np.abs(np.asarray(converted.rgb) - encoded_curve(linear))[inside]
    assert inside.sum() > 100
    assert difference.max() <= 1.5
    assert np.abs(np.asarray(converted.rgb).astype(int) - colours()).max() > 10
    assert converted.notes == ("converted from Display P3 (RGB) to sRGB",)
    assert converted.icc is not None
    assert to_srgb(*picture("RGB", colours(), converted.icc)).icc == converted.icc


@pytest.mark.parametrize("space", [b"RGB ", b"GRAY"])
def test_a_grey_picture_takes_either_kind_of_profile(space):
    converted = to_srgb(*picture("L", [[0, 100, 255]], icc(space, SRGB_TO_XYZ)))
    assert np.abs(np.asarray(converted.rgb)[0, :, 0].astype(int) - [0, 100, 255]).max() <= 1


def test_an_srgb_profile_of_any_name_is_kept():
    profile = icc(matrix=SRGB_TO_XYZ, description=b"My monitor")
    converted = to_srgb(*picture("RGB", colours(), profile))
    assert (converted.icc, converted.notes) == (profile, ())
    assert (np.asarray(converted.rgb) == colours()).all()


@pytest.mark.parametrize("profile", [b"no profile", icc()[:200], icc(b"GRAY"), bytes(5 << 20), "text"])
def test_a_profile_that_makes_no_sense_is_ignored(profile):
    converted = to_srgb(*picture("RGB", colours(), profile))
    assert (np.asarray(converted.rgb) == colours()).all()
    assert converted.icc is None
    assert "ignored" in converted.notes[0]


def test_the_name_in_a_profile_cannot_reach_the_terminal_raw():
    (note,) = to_srgb(*picture("RGB", colours(), icc(description=b"\x1b[31mred\n"))).notes
    assert note == "converted from [31mred (RGB) to sRGB"


def test_cmyk_without_a_profile():
    converted = to_srgb(*picture("CMYK", [[[255, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 0]]]))
    assert np.asarray(converted.rgb).tolist() == [[[0, 255, 255], [0, 0, 0], [255, 255, 255]]]
    assert "CMYK" in converted.notes[0]


def test_lab_without_a_profile():
    lab = Image.merge("LAB", [Image.new("L", (2, 2), v) for v in (255 * 50 // 100, 128, 128)])
    converted = to_srgb(lab)
    assert np.abs(np.asarray(converted.rgb).astype(int) - 118).max() <= 2  # L* = 50 is sRGB grey 119
    assert "Lab" in converted.notes[0]


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_16_bit_grey_is_scaled(order):
    image = Image.fromarray(np.array([[0, 255, 256, 0x8080, 65_535]], order))
    assert np.asarray(to_srgb(image).rgb)[0, :, 1].tolist() == [0, 0, 1, 128, 255]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_of_unknown_range_are_refused(mode):
    with pytest.raises(DecodeError, match="expected 8 or 16 bits"):
        to_srgb(Image.new(mode, (2, 2)))


def test_opaque_alpha_is_dropped_and_other_alpha_kept():
    assert to_srgb(Image.new("RGBA", (2, 2), (1, 2, 3, 255))).alpha is None
    converted = to_srgb(Image.new("RGBA", (2, 2), (1, 2, 3, 0)))
    assert converted.alpha is not None
    assert converted.rgb.getpixel((0, 0)) == (1, 2, 3)


def test_flatten_blends():
    assert flatten(Image.new("RGBA", (1, 1), (0, 0, 0, 51)), (255, 0, 100)).getpixel((0, 0)) == (204, 0, 80)


def test_palette_keeps_few_colours_exactly_and_what_is_clear():
    image = Image.new("RGBA", (4, 1), (10, 200, 30, 255))
    image.putpixel((1, 0), (250, 0, 5, 128))
    image.putpixel((2, 0), (250, 0, 5, 127))
    reduced = to_palette(image)
    assert [reduced.convert("RGB").getpixel((x, 0)) for x in (0, 1)] == [(10, 200, 30), (250, 0, 5)]
    assert [reduced.getpixel((x, 0)) == 255 for x in range(4)] == [False, False, True, False]


def test_our_profile_is_srgb_and_the_same_every_time():
    (first, second) = (to_srgb(*picture("RGB", colours(), icc())).icc for _ in range(2))
    assert first == second
    assert first is not None
    assert ImageCms.ImageCmsProfile(io.BytesIO(first)).profile.xcolor_space.strip() == "RGB"
    assert first[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
