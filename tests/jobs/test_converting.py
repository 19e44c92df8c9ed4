"""The converter with the real generator: what a description makes here, it makes in any process."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from cartoonize.cartoonizer import Cartoonizer
from cartoonize.errors import AlreadyThereError, DecodeError, EncodeError, WeightsError
from cartoonize.jobs.committing import commit
from cartoonize.jobs.converting import Converted, ConverterSpec, look_at
from cartoonize.jobs.manifest import MANIFEST, Fingerprint, Manifest, Origin
from cartoonize.jobs.planning import Job
from cartoonize.jobs.running import Outcome, attempt
from cartoonize.media.stores import File, StandardInput, StandardOutput

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "coffee.jpg"
SPEC = ConverterSpec(size=120, output_size="work", smooth=0.7, threads=1, quality=80, thumbnails=True)


def job(tmp_path: Path, action: str = "write") -> Job:
    return Job(File(PHOTO), File(tmp_path / "result.webp"), "WEBP", action)  # type: ignore[arg-type]


def convert(sent: bytes) -> bytes:
    spec, photo = pickle.loads(sent)
    return pickle.dumps(attempt(spec.build(), photo))


def test_description_and_job_go_to_another_process_and_make_the_same_bytes(tmp_path: Path) -> None:
    here = SPEC.build()(job(tmp_path))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there: Outcome[Job, Converted] = pickle.loads(pool.apply(convert, (pickle.dumps((SPEC, job(tmp_path))),)))
    assert there.status == "done"
    assert there.item == job(tmp_path)
    assert there.result == here
    assert here.data.startswith(b"RIFF")


def test_settings_reach_cartoonizer_and_encoder(tmp_path: Path) -> None:
    plain = ConverterSpec(size=120, output_size="work").build()(job(tmp_path))
    assert plain.thumbnails is None
    assert len(plain.data) > len(SPEC.build()(job(tmp_path)).data), "quality"
    thumbnails = SPEC.build()(job(tmp_path)).thumbnails
    assert thumbnails
    assert (thumbnails.photo.width, thumbnails.result.width) == (600, 180)


def test_no_more_blas_threads_than_workers() -> None:
    with threadpool_limits(2, user_api="blas"):
        ConverterSpec(threads=1).build()
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}


def test_weights_that_are_not_there_are_found_when_it_is_built() -> None:
    with pytest.raises(WeightsError):
        ConverterSpec(weights="fats").build()


def test_result_of_another_run_is_not_computed_again(tmp_path: Path) -> None:
    converter = ConverterSpec(size=120).build()
    (tmp_path / "result.webp").touch()
    with pytest.raises(AlreadyThereError):
        converter(job(tmp_path))
    assert converter(job(tmp_path, "replace")).data


def test_a_result_that_its_format_cannot_hold_is_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (16_400, 2)).save(tmp_path / "wide.png")
    wide = Job(File(tmp_path / "wide.png"), File(tmp_path / "wide.webp"), "WEBP", "write")
    monkeypatch.setattr("cartoonize.media.codec.decode", None)  # would fail if it were called
    converter = ConverterSpec().build()
    with pytest.raises(EncodeError, match="at most 16383 pixels a side"):
        converter(wide)


@pytest.mark.parametrize("thumbnails", [False, True])
def test_with_a_limit_to_its_time_the_result_is_the_same(thumbnails: bool, tmp_path: Path) -> None:
    spec = ConverterSpec(size=120, output_size="work", thumbnails=thumbnails)
    assert replace(spec, timeout=300.0).build()(job(tmp_path)) == spec.build()(job(tmp_path))


def test_of_an_animation_only_frames_that_are_kept_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("RGB", (40, 30), (60 * n, 0, 0)) for n in range(4)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    drawn, draw = [], Cartoonizer.photo
    monkeypatch.setattr(Cartoonizer, "photo", lambda self, photo: drawn.append(len(photo.frames)) or draw(self, photo))
    convert_one = ConverterSpec().build()
    made = convert_one(Job(File(tmp_path / "moving.gif"), File(tmp_path / "still.jpg"), "JPEG", "write"))
    assert drawn == [1]
    assert made.notes == ("animation reduced to its first frame",)


def test_commit_writes_what_is_new_and_replaces_only_what_is_to_be_replaced(tmp_path: Path) -> None:
    commit(job(tmp_path), Converted(b"first"))
    with pytest.raises(AlreadyThereError):
        commit(job(tmp_path), Converted(b"second"))
    assert (tmp_path / "result.webp").read_bytes() == b"first"
    commit(job(tmp_path, "replace"), Converted(b"third"))
    assert (tmp_path / "result.webp").read_bytes() == b"third"


def test_a_result_gets_the_date_of_its_photo_when_asked(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO.read_bytes())
    os.utime(photo, (1_000_000_000, 1_111_111_111))
    dated = Job(File(photo), File(tmp_path / "result.webp"), "WEBP", "write")
    commit(dated, Converted(b"a"))
    assert (tmp_path / "result.webp").stat().st_mtime > 1_700_000_000
    again = Job(File(photo), File(tmp_path / "dated.webp"), "WEBP", "write")
    commit(again, Converted(b"a"), preserve_times=True)
    assert (tmp_path / "dated.webp").stat().st_mtime == 1_111_111_111
    photo.unlink()
    third = Job(File(photo), File(tmp_path / "third.webp"), "WEBP", "write")
    commit(third, Converted(b"a"), preserve_times=True)
    assert (tmp_path / "third.webp").read_bytes() == b"a"


def test_what_made_a_result_is_told_beside_it(tmp_path: Path) -> None:
    commit(job(tmp_path), SPEC.build()(job(tmp_path)))
    manifest = Manifest(tmp_path)
    record = manifest.of("result.webp")
    assert record
    assert manifest.source_of(record) == os.path.realpath(PHOTO)
    assert record.photo.fits(PHOTO)
    assert record.settings == SPEC.settings()
    assert record.settings["size"] == 120


def test_settings_are_what_changes_a_result() -> None:
    settings = SPEC.settings()
    assert settings == json.loads(json.dumps(settings)), "as they come back from a manifest"
    assert settings == replace(SPEC, threads=7, device="gpu", thumbnails=False).settings()
    others = [replace(SPEC, size=None), replace(SPEC, weights="quality"), replace(SPEC, quality=79)]
    assert all(other.settings() != settings for other in others)
    assert settings.keys() - {"weights"} == ConverterSpec.default_settings().keys()


def test_result_is_written_where_no_manifest_can_be(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).mkdir()
    commit(job(tmp_path), Converted(b"first", origin=Origin(Fingerprint.of(PHOTO), {})))
    assert (tmp_path / "result.webp").read_bytes() == b"first"


def test_looking_at_a_result(tmp_path: Path) -> None:
    seen = look_at(Job(File(PHOTO), File(PHOTO), "JPEG", "skip")).thumbnails
    assert seen
    assert seen.result.width == 600
    with pytest.raises(DecodeError):
        look_at(job(tmp_path))
    assert look_at(Job(StandardInput(), StandardOutput(), None, "skip")) == Converted()
