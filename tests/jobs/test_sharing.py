from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from cartoonize.generators.generator import load
from cartoonize.jobs import sharing
from cartoonize.jobs.planning import Job
from cartoonize.jobs.sharing import Share, share
from cartoonize.media.stores import File, StandardInput, StandardOutput

GB = 10**9


@pytest.mark.parametrize(
    ("cores", "gigabytes", "photos", "device", "wanted", "workers", "threads"),
    [
        (2, 20, 1, "cpu", None, 1, 2),
        (2, 20, 30, "cpu", None, 2, 1),
        (16, 64, 30, "cpu", None, 16, 1),
        (16, 64, 4, "cpu", None, 4, 4),
        (16, 2, 30, "cpu", None, 2, 8),
        (16, 0, 30, "cpu", None, 1, 16),
        (2, 20, 30, "cpu", 8, 8, 1),
        (16, 64, 30, "cpu", 3, 3, 5),
        (8, 64, 9, "gpu", None, 8, 1),
        (1, 64, 9, "gpu", None, 2, 1),
    ],
)
def test_cores_are_shared(
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    gigabytes: int,
    photos: int,
    device: str,
    wanted: int | None,
    workers: int,
    threads: int,
) -> None:
    monkeypatch.setattr(sharing, "available_cores", lambda: cores)
    monkeypatch.setattr(sharing, "free_memory", lambda: gigabytes * GB)
    shared = share(photos, load("fast"), None, device, wanted)
    assert (shared.workers, shared.threads) == (workers, threads)


def in_flight(shared: Share, photo: Job) -> int:
    """How many of such a photo fit at a time."""
    return shared.budget.total // shared.budget.weigh(photo)


def test_as_many_photos_in_flight_as_memory_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = (Job(File(tmp_path / name), None, None, "write") for name in ("large.png", "small.png"))
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    Image.new("RGB", (300, 200)).save(tmp_path / "small.png")
    monkeypatch.setattr(sharing, "available_cores", lambda: 8)
    monkeypatch.setattr(sharing, "free_memory", lambda: 16 * GB)
    shared = share(100, load("fast"), None, "cpu")
    assert in_flight(shared, large) == 3
    assert in_flight(shared, small) > 100
    assert in_flight(share(100, load("fast"), "full", "cpu"), large) == 0, "one alone: working at full size takes more"


def test_frames_of_an_animation_count(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (300, 200), (n, 0, 0)) for n in range(50)]
    frames[0].save(tmp_path / "one.gif")
    frames[0].save(tmp_path / "many.gif", save_all=True, append_images=frames[1:])
    weigh = share(1, load("fast"), None, "cpu").budget.weigh
    one, many = (weigh(Job(File(tmp_path / name), None, None, "write")) for name in ("one.gif", "many.gif"))
    assert many - one == 49 * 300 * 200 * 21


def test_streams_and_pipes_are_not_opened_to_be_weighed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    weigh = share(1, load("fast"), None, "cpu").budget.weigh
    for source in (StandardInput(), File(tmp_path / "pipe.jpg")):
        assert weigh(Job(source, StandardOutput(), None, "write")) == 0


def test_thumbnails_obey_a_budget_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (10_000, 10_000)).save(tmp_path / "large.png")
    monkeypatch.setattr(sharing, "free_memory", lambda: 10 * GB)
    budget = sharing.thumbnails_budget()
    large = File(tmp_path / "large.png")
    assert budget.total // budget.weigh(Job(large, large, "PNG", "skip")) == 1
