"""Native libraries do not tear our lines on standard error."""

from __future__ import annotations

import subprocess
import sys

DECODE = """
import io, sys
import numpy as np
from PIL import Image
from cartoonize.media import opening
from cartoonize.media.codec import decode
from cartoonize.errors import DecodeError
if sys.argv[1] == "silent":
    opening.configure_pillow()
noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
stream = io.BytesIO()
Image.fromarray(noise).save(stream, "TIFF", compression="tiff_lzw")
data = bytearray(stream.getvalue())
data[100:3000] = bytes(2900)
try:
    decode(bytes(data))
except DecodeError as error:
    print(error)
"""


def said(how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", DECODE, how]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def test_libtiff_is_silent_in_the_program() -> None:
    ended = said("silent")
    assert ended.stdout == "cannot be read: decoder error -2\n"
    assert ended.stderr == ""
    assert "LZWDecode" in said("as it is").stderr  # the file is one that libtiff has something to say about
