"""Decoding within a time, with real processes."""

from __future__ import annotations

import io
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cartoonize.errors import DecodeError
from cartoonize.media.codec import decode
from cartoonize.media.limited import LimitedDecoder


def saved(side: int = 32, image_format: str = "PNG") -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(stream, image_format)
    return stream.getvalue()


def test_it_decodes_as_without_limit_and_goes_on_after_what_is_too_slow(tmp_path: Path) -> None:
    limited = LimitedDecoder(60)
    path = tmp_path / "a.png"
    path.write_bytes(saved())
    for source in (path, saved()):
        photo = limited(source)
        assert (photo.frames[0].pixels == decode(source).frames[0].pixels).all()
        assert photo.metadata == decode(source).metadata
    with pytest.raises(DecodeError, match="the file is empty"):
        limited(b"")
    with pytest.raises(DecodeError, match="no such file"):
        limited(tmp_path / "b.png")
    cut = saved(image_format="JPEG")[:-500]
    assert limited(cut, salvage=True).notes
    limited._seconds = 1e-9
    with pytest.raises(DecodeError, match="takes longer than 1e-09 s to decode: --timeout gives it more"):
        limited(saved(2000))
    limited._seconds = 60
    assert limited(saved()).frames


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_what_never_ends_is_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.png")
    with pytest.raises(DecodeError, match=r"takes longer than 0\.5 s"):
        LimitedDecoder(0.5)(tmp_path / "endless.png")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_decoder_that_dies_is_a_line(tmp_path: Path) -> None:
    limited = LimitedDecoder(60)
    limited(saved())
    child = limited._mine.child
    os.mkfifo(tmp_path / "waits.png")
    threading.Timer(1, child._process.kill).start()
    with pytest.raises(DecodeError, match="its decoder died of it"):
        limited(tmp_path / "waits.png")
    assert limited(saved()).frames


def test_threads_have_processes_of_their_own() -> None:
    limited, seen = LimitedDecoder(60), []

    def work() -> None:
        limited(saved())
        seen.append(limited._mine.child._process.pid)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 2
