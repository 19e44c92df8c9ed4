from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from cartoonize.errors import DatasetError
from cartoonize.method.pixels import Array, Image, to_network
from cartoonize.training.distillation.config import PhotoSource, Validation
from cartoonize.training.distillation.crops import Crops
from cartoonize.training.distillation.fidelity import flat_share, measure
from cartoonize.training.distillation.teacher import (
    Example,
    Request,
    TeacherCache,
    digest,
    held_out_photos,
    prepared,
    read_held_out,
    requests,
    validation_requests,
)
from cartoonize.training.distillation.variation import varied
from cartoonize.training.photos import read_photo


@dataclass
class Drawn:
    """An example in memory."""

    photo: Image
    drawn: NDArray[np.float16]


def negative(photo: Image) -> Array:
    return -to_network(photo)


def save_photo(path: Path, seed: int, size: tuple[int, int] = (50, 70)) -> None:
    PillowImage.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in range(8):
        save_photo(tmp_path / f"{n}.png", n)
    return tmp_path


def test_the_teacher_draws_each_version_once(folder: Path) -> None:
    calls = []

    def counting(photo: Image) -> Array:
        calls.append(photo.shape)
        return negative(photo)

    request = Request(folder / "0.png", digest(folder / "0.png"), 50, mirrored=True)
    first, second = (TeacherCache(folder / "cache", counting, "teacher").example(request) for _ in range(2))

    assert calls == [(48, 68, 3)]
    np.testing.assert_array_equal(first.photo, second.photo)
    np.testing.assert_allclose(first.drawn, -to_network(first.photo), atol=1e-3)


def test_two_teachers_share_a_folder(folder: Path) -> None:
    request = Request(folder / "0.png", digest(folder / "0.png"), 50, mirrored=False)
    TeacherCache(folder / "cache", negative, "one").example(request)

    other = TeacherCache(folder / "cache", to_network, "two").example(request)

    np.testing.assert_allclose(other.drawn, to_network(other.photo), atol=1e-3)


def test_a_version_is_mirrored_and_shrunk_but_never_enlarged(folder: Path) -> None:
    path = folder / "0.png"
    plain, mirrored, small = (
        prepared(Request(path, "", side, flipped)) for side, flipped in ((999, False), (50, True), (25, False))
    )

    assert plain.shape == (48, 68, 3)
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])
    assert small.shape == (24, 32, 3)


def test_a_varied_version_is_drawn_beside_the_plain_one(folder: Path) -> None:
    cache = TeacherCache(folder / "cache", negative, "teacher")
    path = folder / "0.png"
    plain, one, other = (
        cache.example(Request(path, digest(path), 50, mirrored=False, variation=seed)) for seed in (None, 1, 2)
    )

    height, width = one.photo.shape[:2]
    np.testing.assert_array_equal(one.photo, varied(read_photo(path), 1)[:height, :width])
    assert not any(np.array_equal(plain.photo, example.photo) for example in (one, other))
    assert not np.array_equal(one.photo, other.photo)
    np.testing.assert_allclose(one.drawn, -to_network(one.photo), atol=1e-3)


def test_a_cut_out_photo_is_seen_on_white(tmp_path: Path) -> None:
    hidden = np.zeros((40, 40, 4), np.uint8)
    hidden[:, :20] = (200, 40, 90, 255)
    hidden[:, 20:, 0] = 255  # a red that nobody sees
    PillowImage.fromarray(hidden).save(tmp_path / "cut_out.png")

    photo = prepared(Request(tmp_path / "cut_out.png", "", 40, mirrored=False))

    assert (photo[:, :20] == (200, 40, 90)).all()
    assert (photo[:, 20:] == 255).all()


def test_held_out_photos_are_left_out_whatever_their_name(folder: Path) -> None:
    (folder / "copy.png").write_bytes((folder / "3.png").read_bytes())

    wanted = requests(PhotoSource(folder=folder, short_side=(20, 40)), frozenset({digest(folder / "3.png")}), 8)

    assert {request.path.name for request in wanted} == {f"{n}.png" for n in (0, 1, 2, 4, 5, 6, 7)}


def test_versions_differ_in_size_and_direction_and_are_always_the_same(folder: Path) -> None:
    source = PhotoSource(folder=folder, short_side=(20, 40), copies=4)
    wanted = requests(source, frozenset(), 8)

    assert len(wanted) == 32
    assert {request.mirrored for request in wanted} == {True, False}
    assert len({request.short_side for request in wanted}) > 8
    assert all(20 <= request.short_side <= 40 for request in wanted)
    (folder / "0.png").unlink()
    assert set(requests(source, frozenset(), 8)) < set(wanted)


def test_every_copy_of_a_varied_source_varies_in_its_own_way(folder: Path) -> None:
    plain, varied_ones = (
        requests(PhotoSource(folder=folder, short_side=(20, 40), copies=3, varied=on), frozenset(), 8)
        for on in (False, True)
    )

    assert {request.variation for request in plain} == {None}
    assert len({request.variation for request in varied_ones}) == 24
    assert [(r.short_side, r.mirrored) for r in plain] == [(r.short_side, r.mirrored) for r in varied_ones]


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no photos to learn from"):
        requests(PhotoSource(folder=tmp_path, short_side=(20, 40)), frozenset(), 8)


def test_a_photo_smaller_than_a_crop_is_named(folder: Path) -> None:
    PillowImage.new("RGB", (90, 31)).save(folder / "small.png")

    with pytest.raises(DatasetError, match=r"small\.png: its short side is 31 pixels: remove it"):
        requests(PhotoSource(folder=folder, short_side=(20, 40)), frozenset(), 32)


def test_an_unreadable_photo_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"not a picture")

    with pytest.raises(DatasetError, match=r"bad\.jpg: .* remove it from the training photos"):
        requests(PhotoSource(folder=tmp_path, short_side=(20, 40)), frozenset(), 8)
    with pytest.raises(DatasetError, match=r"bad\.jpg: .* remove it from the training photos"):
        prepared(Request(tmp_path / "bad.jpg", "", 50, mirrored=False))


def test_validation_takes_the_first_of_the_list_and_checks_them(folder: Path) -> None:
    names = ["4.png", "1.png", "6.png"]
    (folder / "held_out.txt").write_text("".join(f"{digest(folder / name)}  {name}\n" for name in names))
    held_out = read_held_out(folder / "held_out.txt")
    validation = Validation(held_out=folder / "held_out.txt", folder=folder, photos=2)

    assert [request.path.name for request in validation_requests(validation, held_out)] == names[:2]
    save_photo(folder / "1.png", seed=99)
    with pytest.raises(DatasetError, match=r"1\.png: not the photo listed in held_out\.txt"):
        validation_requests(validation, held_out)


@pytest.mark.parametrize("listed", [None, "other.png"])
def test_without_a_list_of_its_photos_some_of_the_folder_are_held_out(folder: Path, listed: str | None) -> None:
    if listed:
        (folder / "held_out.txt").write_text(f"{64 * '0'}  {listed}\n")
    validation = Validation(held_out=folder / "held_out.txt", folder=folder, photos=3)
    said: list[str] = []

    held_out = held_out_photos(validation, said.append)

    assert len(held_out) == 3
    assert held_out == held_out_photos(validation, said.append)
    assert [request.path.name for request in validation_requests(validation, held_out)] == list(held_out.values())
    assert "3 drawn from there" in said[0]
    learnt = requests(PhotoSource(folder=folder, short_side=(20, 40)), frozenset(held_out), 8)
    assert not {request.path.name for request in learnt} & set(held_out.values())
    assert len(learnt) == 5


def test_a_damaged_list_of_held_out_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "held_out.txt").write_text("one-word\n")

    with pytest.raises(DatasetError, match="expected lines of `sha256sum`"):
        read_held_out(tmp_path / "held_out.txt")


def position_example(height: int, width: int) -> Example:
    """A photo whose first two channels are the row and column divided by 4, and its teacher's drawing."""
    rows, columns = np.indices((height, width)) // 4
    photo = np.stack([rows, columns, rows * 0], axis=-1).astype(np.uint8)
    return Drawn(photo, to_network(photo).astype(np.float16))


def test_crops_sit_on_the_networks_grid_and_only_true_borders_weigh() -> None:
    crops = Crops([([position_example(40, 60)], 1)], side=32, margin=8, seed=0)

    photos, drawn, weights = crops.batch(step=0, size=64)

    np.testing.assert_allclose(photos, drawn, atol=1e-3)
    levels = np.rint((photos + 1) * 127.5).astype(int)
    tops, lefts = levels[:, 0, 0, 0] * 4, levels[:, 0, 0, 1] * 4
    assert set(tops) == {0, 4, 8}
    assert set(lefts) == set(range(0, 29, 4))
    for top, left, weight, level in zip(tops, lefts, weights, levels, strict=True):
        assert level[3, 3, 0] * 4 == top  # the origin is a multiple of 4: a block of 4 starts with it
        expected = np.zeros((32, 32))
        right = 24 if left < 28 else 32
        expected[8 * (top > 0) : 32 - 8 * (top < 8), 8 * (left > 0) : right] = 1
        np.testing.assert_array_equal(weight, expected)


def test_a_photos_borders_are_in_many_crops() -> None:
    crops = Crops([([position_example(128, 128)], 1)], side=32, margin=8, seed=0)

    photos, _, _ = crops.batch(step=0, size=1000)

    tops, lefts = (np.rint((photos[:, 0, 0, axis] + 1) * 127.5) * 4 for axis in (0, 1))
    for start in (tops, lefts):
        assert np.mean(start == 0) == pytest.approx(20 / 129, abs=0.04)
        assert np.mean(start == 96) == pytest.approx(17 / 129, abs=0.04)


def test_a_batch_depends_on_the_step_and_the_seed_alone() -> None:
    examples = [position_example(80, 80)]
    first = Crops([(examples, 1)], 32, 4, seed=0).batch(5, 4)

    for same, other in zip(first, Crops([(examples, 1)], 32, 4, seed=0).batch(5, 4), strict=True):
        np.testing.assert_array_equal(same, other)
    assert not np.array_equal(first[0], Crops([(examples, 1)], 32, 4, seed=0).batch(6, 4)[0])
    assert not np.array_equal(first[0], Crops([(examples, 1)], 32, 4, seed=1).batch(5, 4)[0])


def test_sources_provide_their_shares() -> None:
    black, white = (
        Drawn(np.full((32, 32, 3), level, np.uint8), np.zeros((32, 32, 3), np.float16)) for level in (0, 255)
    )

    photos, _, _ = Crops([([black], 3), ([white], 1)], 32, 4, seed=0).batch(0, 1000)

    assert np.mean(photos[:, 0, 0, 0] > 0) == pytest.approx(0.25, abs=0.05)


def test_the_dataset_starts_at_the_step_asked_for() -> None:
    crops = Crops([([position_example(80, 80)], 1)], 32, 4, seed=0)

    batches = list(crops.dataset(3, 5, size=2).as_numpy_iterator())

    assert len(batches) == 2
    np.testing.assert_array_equal(batches[0][0], crops.batch(3, 2)[0])


def test_flat_share_counts_pixels_below_one_level_of_slope() -> None:
    ramp = np.zeros((20, 100, 3), np.uint8)
    ramp[:, 50:] = (4 * np.arange(50))[None, :, None]

    assert flat_share(np.full((9, 9, 3), 77, np.uint8)) == 1
    # Columns 0...49 are flat; the one before the first step up has half its slope, 2 levels; the last one is mirrored.
    assert flat_share(ramp) == pytest.approx(0.51, abs=0.02)


def test_likeness_of_a_picture_to_itself_and_to_one_ten_levels_off() -> None:
    picture = np.random.default_rng(3).integers(0, 200, (40, 40, 3), np.uint8)

    assert measure(picture, picture + np.uint8(10)).psnr == pytest.approx(20 * np.log10(255 / 10))
    assert measure(picture, picture.copy() + np.uint8(1)).ssim > 0.99


def test_what_a_killed_training_left_in_the_cache_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".0123456789ab.part"
    left.touch()
    os.utime(left, (0, 0))
    TeacherCache(tmp_path, negative, "teacher")
    assert not left.exists()
