"""Films: speed against bare generator passes and against pictures in folders, reuse, steadiness, memory."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import film_clips
import numpy as np
import psutil
import skimage.data
from measure import cartoonize, header, row, seconds

from cartoonize import Cartoonizer
from cartoonize.films.commission import commission
from cartoonize.films.filming import Filmed
from cartoonize.films.options import STEADY, FilmOptions
from cartoonize.generators.finishing import finish
from cartoonize.media.film.colors import FromRGB
from cartoonize.media.film.encoding import Encoder, Picture, Settings
from cartoonize.media.film.packets import Encoded
from cartoonize.method.pixels import to_network
from cartoonize.method.steadiness import Steady, warping_error

HD = (1280, 720)


def hd_clip(path: Path, frames: int) -> Path:
    photo = cv2.resize(skimage.data.coffee(), None, fx=2.6, fy=2.6, interpolation=cv2.INTER_CUBIC)
    return film_clips.write(path, film_clips.window(photo, HD, lambda i: (1.5 * i % 250, 100, 1), frames))


def speed(folder: Path, frames: int) -> None:
    """A run of the program against as many bare passes, on all cores; a third each in turn.

    Bare are passes of the generator alone, and of the generator and the guided filter, which is what a picture costs
    without the film around it. In seconds, and in processor seconds, which other work on the machine disturbs less.
    """
    clip = hd_clip(folder / "clip.mp4", frames)
    photo = film_clips.read(clip, 1)[0]
    array = to_network(photo)[np.newaxis]
    cartoonizer = Cartoonizer("fast")
    cartoonizer(photo)
    generator, filtering, whole = np.zeros(2), np.zeros(2), np.zeros(2)
    for _ in range(3):
        generator += _both_clocks(lambda: [cartoonizer.engine(array) for _ in range(frames)])
        output = cartoonizer.engine(array)[0]
        filtering += _both_clocks(lambda: [cartoonizer.finish(photo, photo, output) for _ in range(frames)])  # noqa: B023  used at once
        whole += _both_clocks(lambda: subprocess.run(cartoonize(str(clip), "--overwrite", "-q"), check=True))
    for name, clock in (("seconds", 0), ("processor seconds", 1)):
        row(f"{3 * frames} frames of {HD[0]} x {HD[1]}, {name}: `fast` alone, all cores", generator[clock])
        row("  `fast` and the guided filter", generator[clock] + filtering[clock])
        row("  cartoonize clip.mp4, three times, everything included", whole[clock])
        row("  ratio to `fast` alone", whole[clock] / generator[clock], "x")
        row("  ratio to `fast` and the guided filter", whole[clock] / (generator + filtering)[clock], "x")


def beside(folder: Path, frames: int) -> None:
    """Processor time a frame that a film takes besides its generator, for which a kept output stands in; in turns."""
    clip = hd_clip(folder / "clip.mp4", frames)
    photo = film_clips.read(clip, 1)[0]
    cartoonizer = Cartoonizer("fast", threads=1)
    output = cartoonizer.engine(to_network(photo)[np.newaxis])
    cartoonizer.engine = lambda _: output
    film, unsteadied, filtering = np.zeros(2), np.zeros(2), np.zeros(2)
    result = folder / "result.mp4"
    for _ in range(3):
        film += _both_clocks(lambda: cartoonizer.video(clip, result, overwrite=True))
        unsteadied += _both_clocks(lambda: cartoonizer.video(clip, result, FilmOptions(steady=0), overwrite=True))
        filtering += _both_clocks(lambda: [cartoonizer.finish(photo, photo, output[0]) for _ in range(frames)])
    each = 1000 / (3 * frames)
    row(f"a frame of {HD[0]} x {HD[1]} beside the generator, processor time", each * film[1], "ms")
    row("  of it steadying", each * (film - unsteadied)[1], "ms")
    row("  the guided filter", each * filtering[1], "ms")
    row("  decoding, colours, encoding and the rest", each * (unsteadied - filtering)[1], "ms")


def _both_clocks(run: Callable[[], object]) -> np.ndarray:
    """Seconds that a call takes, and processor seconds of this process and its children."""
    start = os.times()
    run()
    end = os.times()
    return np.array([end.elapsed - start.elapsed, sum(end[:4]) - sum(start[:4])])


def by_folder(folder: Path, frames: int) -> None:
    """The way people do it today: pictures out of the film, the folder, and a film of the results."""
    clip = hd_clip(folder / "clip.mp4", frames)
    pictures, drawn = folder / "pictures", folder / "drawn"
    pictures.mkdir()

    def today() -> None:
        for number, picture in enumerate(film_clips.read(clip, frames)):
            cv2.imwrite(str(pictures / f"{number:06}.png"), picture[..., ::-1])
        subprocess.run(cartoonize(str(pictures), "--out", str(drawn), "-q"), check=True)
        results = (cv2.imread(str(path))[..., ::-1].copy() for path in sorted(drawn.glob("*.png")))
        film_clips.write(folder / "today.mp4", results)

    took = seconds(today)
    disk = sum(path.stat().st_size for path in (*pictures.iterdir(), *drawn.iterdir(), folder / "today.mp4"))
    peak = _PeakDisk(folder, clip.with_name("clip_cartoon.mp4"))
    with peak:
        ours = seconds(lambda: subprocess.run(cartoonize(str(clip), "--overwrite", "-q"), check=True))
    row(f"{frames} frames of {HD[0]} x {HD[1]} through folders of PNG: time", took)
    row("  files in between and the result", disk / 1e6, "MB")
    row("  result, H.264 at CRF 18", (folder / "today.mp4").stat().st_size / 1e6, "MB")
    row("cartoonize clip.mp4: time", ours)
    row("  files in between and the result, peak", peak.most / 1e6, "MB")
    row("  result, H.264 at CRF 18", clip.with_name("clip_cartoon.mp4").stat().st_size / 1e6, "MB")


class _PeakDisk:
    """Looks at what a run has on the disk, its hidden folder and its result, twenty times a second."""

    def __init__(self, folder: Path, result: Path) -> None:
        self._folder, self._result = folder, result
        self._ended = threading.Event()
        self.most = 0

    def __enter__(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            paths = [*self._folder.glob(".cartoonize-*/*"), self._result]
            self.most = max(self.most, sum(_size(path) for path in paths))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def reuse(folder: Path, frames: int) -> None:
    """Frames computed of a screen recording and of a slide show."""
    coffee, astronaut = (cv2.resize(photo, HD) for photo in (skimage.data.coffee(), skimage.data.astronaut()))
    for name, pictures in (
        ("screen recording", film_clips.screen(*HD, frames)),
        ("slide show", ((coffee, astronaut)[number // 50 % 2] for number in range(frames))),
        ("moving camera", film_clips.read(hd_clip(folder / "pan.mp4", 10), 10)),
    ):
        clip = film_clips.write(folder / "clip.mp4", pictures)
        filmed: Filmed = Cartoonizer("fast", threads=1).video(
            clip, folder / "result.mp4", FilmOptions(preset="ultrafast"), overwrite=True
        )
        row(f"{name}, {filmed.frames} frames of {HD[0]} x {HD[1]}: computed", filmed.computed, "frames")


def steadiness(frames: int) -> None:
    """E_warp of the photos, of each frame for itself and steadied, and the fidelity of the latter to the former."""
    cartoonizer = Cartoonizer("fast")
    print(f"{'clip':<24} E_warp x 1e4: input, per frame, steady {STEADY:g};  ratio  PSNR to per frame  sharpness")
    for name, photos in film_clips.kinds(frames):
        alone = [finish(photo, *cartoonizer.generate(photo)) for photo in photos]
        steady = Steady(STEADY)
        steadied = [steady(photo, cartoon) for photo, cartoon in zip(photos, alone, strict=True)]
        errors = [mean_warping_error(photos, results) for results in (photos, alone, steadied)]
        mse = np.mean([np.mean((a.astype(np.float32) - b) ** 2) for a, b in zip(alone, steadied, strict=True)])
        figures = " ".join(f"{error * 1e4:8.2f}" for error in errors)
        kept = f"{10 * np.log10(255**2 / mse):6.2f} dB  {sharpness(steadied) / sharpness(alone):.3f}"
        print(f"{name:<24} {figures}   {errors[2] / errors[1]:6.3f}  {kept}", flush=True)


def sharpness(pictures: list[film_clips.Picture]) -> float:
    """Standard deviation of the Laplacian, averaged over every fourth picture."""
    greys = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures[::4])
    return float(np.mean([cv2.Laplacian(grey, cv2.CV_32F).std() for grey in greys]))


def mean_warping_error(photos: list[film_clips.Picture], results: list[film_clips.Picture]) -> float:
    pairs = range(0, len(photos) - 1, 2)  # every other: those over the cuts of `film_clips.kinds` are not among them
    return float(np.nanmean([warping_error((photos[i], photos[i + 1]), (results[i], results[i + 1])) for i in pairs]))


def presets(folder: Path, frames: int) -> None:
    """What the encoder's presets cost and give: a cartoon that is nearly lossless, encoded as the program does it."""
    clip = hd_clip(folder / "clip.mp4", frames)
    Cartoonizer("fast").video(clip, folder / "cartoon.mkv", FilmOptions(codec="ffv1"))
    pictures = film_clips.read(folder / "cartoon.mkv", frames)
    order = commission(clip, folder / "cartoon.mp4", FilmOptions())
    for preset in ("superfast", "veryfast", "faster", "fast", "medium", "slow"):
        for crf in (16, 18, 20):
            coding = replace(order.coding, preset=preset, crf=crf)
            settings = Settings(
                coding, order.container, *HD, Fraction(1), order.film.color, Fraction(1, 25), Fraction(25)
            )
            start = os.times()
            encoder, packets = Encoder(settings), []
            for number, picture in enumerate(pictures):
                packets += encoder.encode(Picture(picture, number, 1))
            packets += encoder.finish()
            took = sum(os.times()[:2]) - sum(start[:2])
            mse = _luma_error(encoder.extradata, packets, pictures, settings)
            print(
                f"{preset:<10} CRF {crf}: {1000 * took / len(pictures):6.1f} ms of a processor a frame, "
                f"{8e-3 * sum(len(one.data) for one in packets) * 25 / len(pictures):8.0f} kbit/s, "
                f"luma {10 * np.log10(255**2 / mse):6.2f} dB",
                flush=True,
            )


def _luma_error(
    extradata: bytes, packets: list[Encoded], pictures: list[film_clips.Picture], settings: Settings
) -> float:
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = extradata
    decoded = []
    for packet in packets:
        coded: av.Packet = av.Packet(packet.data)
        coded.pts = packet.pts
        decoded += decoder.decode(coded)
    decoded += decoder.decode(None)
    decoded.sort(key=lambda frame: frame.pts)
    to_frame = FromRGB(settings.color, "yuv420p")
    luma = [frame.to_ndarray()[: HD[1]].astype(np.float32) for frame in decoded]
    asked = [to_frame(picture).to_ndarray()[: HD[1]] for picture in pictures]
    return float(np.mean([np.mean((a - b) ** 2) for a, b in zip(luma, asked, strict=True)]))


def memory(folder: Path, frames: int) -> None:
    """Resident memory from second 10 to the end of a run."""
    clip = hd_clip(folder / "clip.mp4", frames)
    process = psutil.Popen(cartoonize(str(clip), "--overwrite", "-q"))
    samples, start = [], time.monotonic()
    while process.poll() is None:
        time.sleep(0.25)
        try:
            if time.monotonic() - start > 10:
                samples.append(process.memory_info().rss / 1e6)
                samples = [sample for sample in samples if sample]  # the last may be of a process that has ended
        except psutil.NoSuchProcess:
            break
    if process.wait() or not samples:
        raise SystemExit("the run failed, or ended within 10 seconds: give more frames")
    row(f"{frames} frames of {HD[0]} x {HD[1]}: resident memory at second 10", samples[0], "MB")
    row("  at the end", samples[-1], "MB")
    row("  least and most in between", min(samples), "MB")
    row("", max(samples), "MB")


def main() -> None:
    every = {
        "speed": speed,
        "beside": beside,
        "by_folder": by_folder,
        "reuse": reuse,
        "presets": presets,
        "memory": memory,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=[*every, "steadiness"])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, nargs=2, default=HD, help="width and height of the clips")
    options = parser.parse_args()
    globals()["HD"] = tuple(options.size)
    header()
    print(f"load before the run: {os.getloadavg()[0]:.1f}")
    for part in options.parts:
        folder = Path(tempfile.mkdtemp())
        try:
            if part == "steadiness":
                steadiness(min(options.frames, 40))
            else:
                every[part](folder, options.frames)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
