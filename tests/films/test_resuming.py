"""Runs that are stopped and go on: real processes, killed, and what is left behind."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from cartoonize.errors import CartoonizeError
from cartoonize.films import filming, spans
from cartoonize.films.commission import Commission, commission
from cartoonize.films.filming import Filming
from cartoonize.films.options import FilmOptions
from cartoonize.films.segmenting import finished_frames, write_segment
from cartoonize.films.spans import spans_of
from cartoonize.media.film.segments import BusyError, Segments, clear_published
from tests.clips import UNEVEN, Clip, frames, packets, pan, times
from tests.films.conftest import Inverter, film

WORKER = """
import sys, time
from pathlib import Path
from cartoonize.films import spans
from tests.films.conftest import film, Inverter
spans.SEGMENT = 10

class Slow(Inverter):
    def finish(self, image, work, cartoon):
        time.sleep(0.004)
        return super().finish(image, work, cartoon)

film(Path(sys.argv[1]), Path(sys.argv[2]), artist=Slow(), steady=0.5)
"""


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "SEGMENT", 10)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Clip(pictures=pan(65, step=1), ticks=UNEVEN, sounds=("aac",)).write(tmp_path / "a.mp4")


class Stopped(Exception):  # noqa: N818  no error
    pass


def stop_after(number: int, order: Commission, artist: Inverter) -> None:
    def tell(progress: filming.Progress) -> None:
        if progress.frames >= number:
            raise Stopped

    with pytest.raises(Stopped):
        Filming(order, artist).run(tell, overwrite=False)


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("short_segments")
def test_a_run_goes_on_where_it_was_stopped(source: Path, tmp_path: Path) -> None:
    order = commission(source, tmp_path / "b.mp4", FilmOptions(steady=0.5))
    stop_after(34, order, Inverter())
    assert not order.target.exists()
    (folder,) = hidden(tmp_path)
    assert len(list(folder.glob("*.packets"))) == 3
    again = Inverter()
    filmed = Filming(order, again).run(lambda _: None, overwrite=False)
    assert filmed.frames == 65
    assert any("went on after frame 30" in note for note in filmed.notes)
    assert again.pixels <= (35 + 7) * 64 * 96  # seven to steady the first ones
    film(source, tmp_path / "c.mp4", steady=0.5)
    assert list(packets(tmp_path / "b.mp4", "video")) == list(packets(tmp_path / "c.mp4", "video"))
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("short_segments")
def test_other_settings_or_another_input_begin_anew(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.mp4"
    stop_after(34, commission(source, target, FilmOptions()), Inverter())
    stop_after(25, commission(source, target, FilmOptions(crf=30)), Inverter())
    again = Inverter()
    Clip(pictures=pan(65, step=2), ticks=UNEVEN).write(source)
    filmed = Filming(commission(source, target, FilmOptions(crf=30)), again).run(lambda _: None, overwrite=False)
    assert any("begun anew" in note for note in filmed.notes)
    assert filmed.frames == 65
    assert again.pixels > 60 * 64 * 96


@pytest.mark.usefixtures("short_segments")
def test_other_weights_begin_anew(source: Path, tmp_path: Path) -> None:
    order = commission(source, tmp_path / "b.mp4", FilmOptions())
    stop_after(34, order, Inverter(weights="one"))
    filmed = Filming(order, Inverter(weights="other")).run(lambda _: None, overwrite=False)
    assert any("begun anew" in note for note in filmed.notes)


@pytest.mark.usefixtures("short_segments")
def test_a_journal_whose_end_was_lost_is_read_as_far_as_it_goes(source: Path, tmp_path: Path) -> None:
    order = commission(source, tmp_path / "b.mp4", FilmOptions())
    stop_after(45, order, Inverter())
    (folder,) = hidden(tmp_path)
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    filmed = Filming(order, Inverter()).run(lambda _: None, overwrite=False)
    assert any("went on after frame 30" in note for note in filmed.notes)
    assert times(order.target) == times(source)


def test_two_runs_do_not_work_on_one_film(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first, second = Segments(tmp_path / "b.mp4", {}), Segments(tmp_path / "b.mp4", {})
    with first.held(), pytest.raises(BusyError, match="another run is working on it"), second.held():
        pass


def test_a_failure_leaves_no_result_and_no_thread_waiting(source: Path, tmp_path: Path) -> None:
    class Failing(Inverter):
        def finish(self, image, work, cartoon):  # type: ignore[no-untyped-def]
            raise CartoonizeError("on purpose")

    with pytest.raises(CartoonizeError, match="on purpose"):
        film(source, tmp_path / "b.mp4", artist=Failing())
    assert not (tmp_path / "b.mp4").exists()


def test_a_run_killed_twenty_times_ends_like_one_that_was_not(source: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.mp4", tmp_path / "killed.mp4"
    subprocess.run([sys.executable, "-c", WORKER, str(source), str(whole)], check=True)
    rng = random.Random(7)
    kills = 0
    while not killed.exists():
        process = subprocess.Popen([sys.executable, "-c", WORKER, str(source), str(killed)])
        if kills < 20:
            wait_for_progress(tmp_path, process, rng.uniform(0, 0.25))
            process.kill()
            kills += 1
        process.wait()
    assert list(packets(killed, "video")) == list(packets(whole, "video"))
    assert list(packets(killed, "audio")) == list(packets(whole, "audio"))
    clear_published(killed)  # as the next run does: it may have been killed before it had cleared up
    assert hidden(tmp_path) == []


def test_what_a_finished_film_leaves_is_cleared_and_no_more(source: Path, tmp_path: Path, short_segments: None) -> None:
    target = tmp_path / "b.mp4"
    order = commission(source, target, FilmOptions())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Segments, "remove", lambda _: None)  # killed here
        Filming(order, Inverter()).run(lambda _: None, overwrite=False)
    assert hidden(tmp_path) != []
    clear_published(target)
    assert hidden(tmp_path) == []
    stop_after(34, order, Inverter())  # now on its way to be replaced
    clear_published(target)
    assert hidden(tmp_path) != []


def wait_for_progress(folder: Path, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until the process has its folder, then a while: it is killed at work, not while Python starts."""
    begun = {path: len(list(path.glob("*"))) for path in hidden(folder)}
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        if any(len(list(path.glob("*"))) > begun.get(path, 0) for path in hidden(folder)):
            break
        time.sleep(0.01)
    time.sleep(seconds)


def test_the_journal_names_input_settings_and_weights(source: Path, tmp_path: Path, short_segments: None) -> None:
    stop_after(25, commission(source, tmp_path / "b.mp4", FilmOptions(crf=21)), Inverter(weights="sha256"))
    (folder,) = hidden(tmp_path)
    head = json.loads((folder / "journal.jsonl").read_text().splitlines()[0])
    assert head["input"]["name"] == "a.mp4"
    assert head["input"]["size"] == source.stat().st_size
    assert head["coding"] == {"name": "h264", "crf": 21, "preset": "veryfast"}
    assert head["weights"] == "sha256"


@pytest.mark.parametrize(
    ("clip", "name", "strength"),
    [
        (Clip(pictures=pan(65, step=1), ticks=UNEVEN), "a.mp4", 0.0),
        (Clip(pictures=pan(65, step=1), ticks=UNEVEN), "a.mp4", 0.5),
        (Clip(pictures=pan(65, step=1), ticks=UNEVEN), "a.mp4", 1.0),
        (Clip(pictures=pan(65, step=1), sounds=("aac",)), "a.ts", 0.5),
        (Clip(pictures=pan(65, step=1), clock=Fraction(1, 30), ticks=(1,)), "a.avi", 0.5),
        (Clip(pictures=pan(65, step=1), options={"x264-params": "open-gop=1:keyint=20"}), "a.mov", 0.5),
    ],
)
def test_segments_that_are_made_alone_are_those_of_a_whole_run(
    clip: Clip, name: str, strength: float, tmp_path: Path, short_segments: None
) -> None:
    source = clip.write(tmp_path / name)
    order = commission(source, tmp_path / "b.mkv", FilmOptions(steady=strength, start=Fraction(1, 3)))
    parts = spans_of(order)
    assert len(parts) >= 5
    whole = [tmp_path / f"{span.number}.whole" for span in parts]
    for number, frames_of_one in groupby(finished_frames(order, Inverter(), parts), lambda frame: frame.span.number):
        write_segment(whole[number], order, frames_of_one, lambda _: None)
    for span in reversed(parts):
        alone = tmp_path / f"{span.number}.alone"
        write_segment(alone, order, finished_frames(order, Inverter(), [span]), lambda _: None)
        assert alone.read_bytes() == whole[span.number].read_bytes()


def test_a_segment_begins_without_a_jump(source: Path, tmp_path: Path) -> None:
    """What is steadied there differs by less than a level from what it would be in one chain."""
    results = []
    for number, length in enumerate((10, 65)):
        spans.SEGMENT, before = length, spans.SEGMENT
        try:
            film(source, tmp_path / f"{number}.mkv", codec="ffv1", steady=0.5)
        finally:
            spans.SEGMENT = before
        results.append(frames(tmp_path / f"{number}.mkv"))
    for one, other in zip(*results, strict=True):
        difference = np.abs(one.astype(int) - other)
        assert difference.max() <= 2
        assert difference.mean() < 0.01
