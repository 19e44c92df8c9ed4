from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from cartoonize.errors import DatasetError
from cartoonize.training.whitebox import data
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.data import Batches, Kept, Pictures, patch, turns

SIDE = 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two groups whose pictures are of one grey each: photos 0-4 and 100-102, cartoons 50-54 and 150-152."""
    for kind, base in (("photos", 0), ("cartoons", 50)):
        for group, first, count in (("a", 0, 5), ("b", 100, 3)):
            place = tmp_path / kind / group / "nested"
            place.mkdir(parents=True)
            for n in range(count):
                suffix = ("png", "webp", "BMP")[n % 3]
                grey(base + first + n, (40, 50)).save(place / f"{n}.{suffix}", lossless=True)
    return tmp_path


def grey(level: int, size: tuple[int, int]) -> PillowImage.Image:
    return PillowImage.new("RGB", size, (level, level, level))


def configure(folder: Path, **keys: Any) -> TrainConfig:
    groups = [
        {"name": name, "photos": folder / "photos" / name, "cartoons": folder / "cartoons" / name, "weight": weight}
        for name, weight in (("a", 4), ("b", 1))
    ]
    return TrainConfig.model_validate({"run": folder, "groups": groups, "patch_size": SIDE, "batch": 2, **keys})


def levels(batch: np.ndarray) -> list[int]:
    return [round(float(value + 1) * 127.5) for value in batch.mean((1, 2, 3))]


def test_batches_are_patches_in_network_range_of_one_group(folder: Path) -> None:
    batches = Batches(configure(folder))

    photos, cartoons = batches.photo_batch(0), batches.cartoon_batch(0)

    assert photos.shape == cartoons.shape == (2, SIDE, SIDE, 3)
    assert photos.dtype == np.float32
    for step in range(10):
        first = levels(batches.photo_batch(step))[0]
        assert {level // 100 for level in levels(batches.photo_batch(step))} == {first // 100}
        assert {(level - 50) // 100 for level in levels(batches.cartoon_batch(step))} == {first // 100}


def test_every_fifth_batch_is_of_the_lighter_group(folder: Path) -> None:
    batches = Batches(configure(folder))

    groups = [levels(batches.photo_batch(step))[0] // 100 for step in range(10)]

    assert sum(groups[:5]) == sum(groups[5:]) == 1
    assert groups[:5] == groups[5:]


def test_all_pictures_are_shown_before_any_is_shown_again(folder: Path) -> None:
    batches = Batches(configure(folder))
    shown = [level for step in range(20) for level in levels(batches.photo_batch(step)) if level < 100]

    rounds = [shown[first : first + 5] for first in range(0, 30, 5)]

    assert all(sorted(round_) == [0, 1, 2, 3, 4] for round_ in rounds)
    assert len({tuple(round_) for round_ in rounds}) > 1


def test_a_batch_depends_on_seed_and_step_alone(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 70, 3), np.uint8)
    for n in range(4):
        PillowImage.fromarray(np.roll(noise, n * 9, 0)).save(folder / "photos" / "a" / f"noise{n}.png")
    first, second = Batches(configure(folder)), Batches(configure(folder))
    for step in (0, 1, 2):
        first.photo_batch(step)

    np.testing.assert_array_equal(first.photo_batch(3), second.photo_batch(3))
    assert not np.array_equal(first.photo_batch(3), Batches(configure(folder, seed=1)).photo_batch(3))


def test_a_dataset_begins_at_any_step(folder: Path) -> None:
    batches = Batches(configure(folder))

    pairs = list(batches.dataset(3, 5, cartoons=True))
    (single,) = next(iter(batches.dataset(4, 5, cartoons=False)))

    assert len(pairs) == 2
    for step, (photos, cartoons) in zip((3, 4), pairs, strict=True):
        np.testing.assert_array_equal(photos, batches.photo_batch(step))
        np.testing.assert_array_equal(cartoons, batches.cartoon_batch(step))
    np.testing.assert_array_equal(single, pairs[1][0])


def test_a_damaged_file_is_reported_once_and_skipped(folder: Path) -> None:
    (folder / "photos" / "a" / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    said: list[str] = []
    batches = Batches(configure(folder), said.append)

    shown = [level for step in range(15) for level in levels(batches.photo_batch(step))]

    assert set(shown) >= {0, 1, 2, 3, 4}
    assert len(said) == 1
    assert "broken.jpg: " in said[0]


def test_a_folder_of_damaged_files_is_an_error(tmp_path: Path) -> None:
    for n in range(2):
        (tmp_path / f"{n}.png").write_bytes(b"")

    with pytest.raises(DatasetError, match="none of its 2 pictures can be read"):
        Pictures(tmp_path, 2, (0,), Kept(720, 10**6), [].append).picture(0)


def test_too_few_pictures_is_an_error_that_says_how_many_are_needed(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"photos/b: 3 pictures found, at least 4 are needed"):
        Batches(configure(folder, batch=4))


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        Batches(configure(tmp_path))


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    PillowImage.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "clear.png")

    assert (Pictures(tmp_path, 1, (0,), Kept(720, 10**6), [].append).picture(0) == 255).all()


def test_pictures_are_shrunk_to_the_working_size_and_never_enlarged(tmp_path: Path) -> None:
    for name, size in (("large", (3000, 2000)), ("small", (90, 60))):
        grey(100, size).save(tmp_path / f"{name}.png")
    kept = Kept(720, 10**7)

    assert kept.picture(tmp_path / "large.png").shape == (720, 1080, 3)
    assert kept.picture(tmp_path / "small.png").shape == (60, 90, 3)


def test_pictures_are_read_once_while_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for n, path in enumerate(paths):
        grey(n, (10, 10)).save(path)
    kept = Kept(720, 650)  # bytes: two pictures of 300
    for path in paths:
        kept.picture(path)
    read: list[Path] = []
    monkeypatch.setattr(data, "read_picture", lambda path: read.append(path) or np.full((10, 10, 3), 9, np.uint8))

    found = [int(kept.picture(path)[0, 0, 0]) for path in (*paths, *paths)]

    assert read == [paths[2]] * 2
    assert found == [0, 1, 9, 0, 1, 9]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_turns_follow_the_weights_at_every_point_of_a_round(weights: list[int]) -> None:
    order = turns(weights)

    assert [order.count(group) for group in range(len(weights))] == weights
    for n in range(len(order)):
        for group, weight in enumerate(weights):
            assert abs(order[: n + 1].count(group) - (n + 1) * weight / len(order)) < len(weights)


@given(st.integers(5, 90), st.integers(5, 90), st.integers(0, 99))
def test_a_patch_has_its_side_and_only_colours_of_the_picture(height: int, width: int, seed: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    image[...] = np.linspace(60, 200, width)[:, None]

    cut = patch(image, SIDE, 2.0, np.random.default_rng(seed))

    assert cut.shape == (SIDE, SIDE, 3)
    assert 45 <= cut.min() <= cut.max() <= 215  # cubic enlargement overshoots a little


def test_patches_differ_in_place_size_and_direction() -> None:
    ramp = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None], (200, 200, 3))
    patches = [patch(ramp, SIDE, 2.0, np.random.default_rng(seed)).astype(int) for seed in range(30)]

    slopes = [round(float(np.diff(cut[:, :, 0]).mean()), 1) for cut in patches]

    assert min(slopes) < -1.5
    assert max(slopes) > 1.5
    assert all(1 <= abs(slope) <= 2 for slope in slopes)
    assert max(cut.min() for cut in patches) > 100
