"""Decoders that have nothing to do with ours: libvips through pyvips, and what Chromium shows.

Each returns a picture as uint8 (H, W, 4), RGBA in sRGB and upright, or None where it cannot read the file.
"""

from __future__ import annotations

import base64
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cartoonize.errors import DecodeError
from cartoonize.media.codec import decode

Rgba: TypeAlias = NDArray[np.uint8]
Decoder: TypeAlias = Callable[[bytes], "Rgba | None"]

_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage")
_SHOWN = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"\0\0\1\0")
_SCRIPT = """
const [data, done] = arguments, picture = new Image();
picture.onload = () => {
  const canvas = document.createElement('canvas');
  canvas.width = picture.naturalWidth; canvas.height = picture.naturalHeight;
  const context = canvas.getContext('2d', {colorSpace: 'srgb', willReadFrequently: true});
  context.drawImage(picture, 0, 0);
  const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  done([canvas.width, canvas.height, btoa(text)]);
};
picture.onerror = () => done(null);
picture.src = data;
"""


def by_us(data: bytes) -> Rgba | None:
    """The first frame as this program sees it."""
    try:
        frame = decode(data).frames[0]
    except DecodeError:
        return None
    alpha = np.full(frame.pixels.shape[:2], 255, np.uint8) if frame.alpha is None else frame.alpha
    return np.dstack([frame.pixels, alpha])


def by_vips(data: bytes) -> Rgba | None:
    """The first picture as libvips sees it; profiles through LittleCMS with the intent that we take."""
    import pyvips

    try:
        image = pyvips.Image.new_from_buffer(data, "").autorot()
        if image.get_typeof("icc-profile-data") and image.interpretation != "lab":
            image = image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)
        image = image.colourspace("srgb").cast("uchar")
        if image.bands < 3:
            image = image[0].bandjoin([image[0], image[0], *([image[1]] if image.bands == 2 else [])])
        image = image if image.bands > 3 else image.bandjoin(255)
        return np.asarray(image[:4].numpy() if image.bands == 4 else image.extract_band(0, n=4).numpy())
    except pyvips.Error:
        return None


class Chromium:
    """A browser without a window."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def __call__(self, data: bytes) -> Rgba | None:
        """What is on the screen, of formats that the web shows."""
        if not data.startswith(_SHOWN) and data[4:8] != b"ftyp":
            return None
        url = "data:image/avif;base64," if data[4:8] == b"ftyp" else "data:;base64,"
        found = self._driver.execute_async_script(_SCRIPT, url + base64.b64encode(data).decode())
        if found is None:
            return None
        width, height, pixels = found
        return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)


@contextmanager
def chromium() -> Iterator[Chromium | None]:
    """Start the browser; None where it or its driver is not installed."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        yield None
        return
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in _FLAGS:
        options.add_argument(flag)
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        browser.set_script_timeout(60)
        browser.get("about:blank")
        yield Chromium(browser)
    finally:
        browser.quit()


def difference(ours: Rgba, other: Rgba) -> float:
    """Mean difference in levels of 8 bits, of colours as far as they are seen, and of transparency; infinite where
    the sizes differ.
    """
    if ours.shape != other.shape:
        return float("inf")
    alpha = np.minimum(ours[..., 3:], other[..., 3:]).astype(float) / 255
    colours = np.abs(ours[..., :3].astype(float) - other[..., :3]) * alpha
    seen = max(alpha.sum() * 3, 1)
    return max(float(colours.sum() / seen), float(np.abs(ours[..., 3].astype(float) - other[..., 3]).mean()))


def have_vips() -> bool:
    """Whether libvips is there."""
    try:
        import pyvips  # noqa: F401
    except (ImportError, OSError) as error:
        print(error, file=sys.stderr)
        return False
    return True
