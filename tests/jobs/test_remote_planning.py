"""Plans of runs over buckets, archives and the web, against a real S3 server."""

from __future__ import annotations

import os
import zipfile
from itertools import chain
from pathlib import Path

import pytest

from cartoonize.jobs.planning import Job, PlanError
from cartoonize.jobs.remaking import Remake
from cartoonize.jobs.remote_planning import plan_stream
from cartoonize.jobs.sharding import Shard
from cartoonize.jobs.sources import Line
from cartoonize.remote import listing

from ..servers import Bucket, key_without_rights, proxy_to, serving
from ..stores import use


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fill(bucket: Bucket, *keys: str) -> None:
    bucket.put(**dict.fromkeys(keys, b"x"))


def jobs(*inputs: str | Line, **options: object) -> list[Job]:
    return list(plan_stream(inputs, **options).jobs)  # type: ignore[arg-type]


def targets(*inputs: str | Line, **options: object) -> dict[str, str]:
    return {str(job.source): str(job.target) for job in jobs(*inputs, **options) if job.action in ("write", "replace")}


def failures(*inputs: str | Line, **options: object) -> dict[str, str]:
    return {str(job.source): job.reason for job in jobs(*inputs, **options) if job.action == "fail"}


def test_a_prefix_is_read_with_all_below_it_and_keeps_its_tree(bucket: Bucket) -> None:
    fill(
        bucket, "in/b.png", "in/a.jpg", "in/s/d/c.webp", "in/notes.txt", "in/.hidden.jpg", "in/.git/d.jpg", "in2/x.jpg"
    )
    b = f"s3://{bucket.name}"
    expected = {
        f"{b}/in/a.jpg": "s3://other/out/a.jpg",
        f"{b}/in/b.png": "s3://other/out/b.png",
        f"{b}/in/s/d/c.webp": "s3://other/out/s/d/c.webp",
    }
    Bucket(bucket.endpoint, "other")
    for given in (f"{b}/in/", f"{b}/in"):
        for out in ("s3://other/out/", "s3://other/out"):
            assert targets(given, out=out) == expected
    assert targets(f"{b}/in/", out="out") == {a: c.replace("s3://other/", "") for a, c in expected.items()}
    assert targets(f"{b}/in/", out=Path("out").absolute().as_uri()) == {
        a: c.replace("s3://other", os.getcwd()) for a, c in expected.items()
    }


def test_local_photos_go_to_a_bucket(bucket: Bucket) -> None:
    Path("in/s").mkdir(parents=True)
    Path("in/s/a.jpg").touch()
    assert targets("in", out=f"s3://{bucket.name}/out/") == {"in/s/a.jpg": f"s3://{bucket.name}/out/s/a.jpg"}
    assert targets(Path("in").absolute().as_uri(), out=f"s3://{bucket.name}") == {
        str(Path("in/s/a.jpg").absolute()): f"s3://{bucket.name}/s/a.jpg"
    }


def test_results_lie_beside_their_photos_and_are_no_photos(bucket: Bucket) -> None:
    fill(bucket, "in/a.jpg", "in/a_cartoon.jpg", "in/b.png", "c.jpg", "c_cartoon.jpg")
    b = f"s3://{bucket.name}"
    plan = plan_stream([f"{b}/in/", f"{b}/c.jpg"])
    found = {str(job.source): (str(job.target), job.action) for job in plan.jobs}
    assert found == {
        f"{b}/in/a.jpg": (f"{b}/in/a_cartoon.jpg", "skip"),
        f"{b}/in/b.png": (f"{b}/in/b_cartoon.png", "write"),
        f"{b}/c.jpg": (f"{b}/c_cartoon.jpg", "skip"),
    }
    assert plan.earlier == [f"{b}/in/a_cartoon.jpg"]


def test_existing_results_are_skipped_by_one_listing(
    s3: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(bucket, *(f"in/{n:03}.jpg" for n in range(60)), *(f"out/{n:03}.jpg" for n in range(0, 60, 2)))
    proxy = proxy_to(s3)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        found = jobs(f"s3://{bucket.name}/in/", out=f"s3://{bucket.name}/out/")
    assert [job.action for job in found] == ["skip", "write"] * 30
    assert len(proxy.requests) == 3, "the output folder is probed, the input listed, the output listed"
    replaced = jobs(f"s3://{bucket.name}/in/", out=f"s3://{bucket.name}/out/", remake=Remake(overwrite=True))
    assert [job.action for job in replaced] == ["replace", "write"] * 30


def test_the_first_job_is_known_after_the_first_page(
    s3: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(listing, "PAGE", 5)
    fill(bucket, *(f"in/{n:03}.jpg" for n in range(60)))
    proxy = proxy_to(s3)
    with serving(proxy) as host:
        use(f"http://{host}", monkeypatch, tmp_path)
        plan = plan_stream([f"s3://{bucket.name}/in/"], out=f"s3://{bucket.name}/out/")
        assert str(next(plan.jobs).source).endswith("/000.jpg")
        assert len(proxy.requests) == 3
        assert len(list(plan.jobs)) == 59


def test_an_output_folder_inside_the_input_is_not_read(bucket: Bucket) -> None:
    fill(bucket, "a.jpg", "out/a.jpg", "out2/b.jpg")
    b = f"s3://{bucket.name}"
    assert targets(f"{b}/", out=f"{b}/out/") == {f"{b}/out2/b.jpg": f"{b}/out/out2/b.jpg"}
    assert targets(f"{b}/", out=f"{b}/") == {
        f"{b}/{name}.jpg": f"{b}/{name}_cartoon.jpg" for name in ("a", "out/a", "out2/b")
    }
    assert targets(f"{b}/a.jpg", out=f"{b}/") == {f"{b}/a.jpg": f"{b}/a_cartoon.jpg"}, "never over the photo"


def test_names_that_several_want_are_told_apart(bucket: Bucket) -> None:
    fill(bucket, "in/a.png", "in/a.webp", "in/b.jpg", "in/b.png", "in/b_png.jpg", "in/c.png", "in2/b.jpg")
    b = f"s3://{bucket.name}"
    named = targets(f"{b}/in/", out=f"{b}/out/", extension=".jpg")
    assert {a.removeprefix(f"{b}/in/"): c.removeprefix(f"{b}/out/") for a, c in named.items()} == {
        "a.png": "a_png.jpg",
        "a.webp": "a_webp.jpg",
        "b.jpg": "b.jpg",
        "b.png": "b_png-2.jpg",
        "b_png.jpg": "b_png.jpg",
        "c.png": "c.jpg",
    }
    for inputs in ((f"{b}/in/", f"{b}/in2/"), (f"{b}/in2/", f"{b}/in/")):
        two = targets(*inputs, out="s3://" + bucket.name + "/out/")
        assert two[f"{b}/in/b.jpg"] == f"{b}/out/in/b.jpg"
        assert two[f"{b}/in2/b.jpg"] == f"{b}/out/in2/b.jpg", "several folders keep their names"
    two = targets(f"{b}/in/b.jpg", f"{b}/in2/b.jpg", out=f"{b}/out/")
    assert two == {f"{b}/in/b.jpg": f"{b}/out/b.jpg", f"{b}/in2/b.jpg": f"{b}/out/b-2.jpg"}


def test_one_object_by_several_names_is_done_once(bucket: Bucket) -> None:
    fill(bucket, "in/s/a.jpg")
    b = f"s3://{bucket.name}"
    inputs = [f"{b}/in/s/a.jpg", f"{b}/in/s/", f"{b}/in/", f"{b}/in", f"{b}/in/*/*.jpg"]
    for some in (inputs, inputs[::-1]):
        assert list(targets(*some, out=f"{b}/out/")) == [f"{b}/in/s/a.jpg"]


def test_patterns_and_names_that_look_like_patterns(bucket: Bucket) -> None:
    fill(bucket, "in/a1.jpg", "in/a2.png", "in/[a]1.jpg", "in/s/a3.jpg", "in/s/.a4.jpg", "in/notes.txt", "x/a5.jpg")
    b = f"s3://{bucket.name}"

    def found(pattern: str | Line) -> set[str]:
        return {name.removeprefix(f"{b}/") for name in targets(pattern, out="out")}

    assert found(f"{b}/in/*.jpg") == {"in/a1.jpg", "in/[a]1.jpg"}
    assert found(f"{b}/in/**/*.jpg") == {"in/a1.jpg", "in/[a]1.jpg", "in/s/a3.jpg"}
    assert found(f"{b}/*/a?.*") == {"in/a1.jpg", "in/a2.png", "x/a5.jpg"}
    assert found(f"{b}/in/s*") == {"in/s/a3.jpg"}, "a folder that matches is read"
    assert found(f"{b}/in/[a]1.jpg") == {"in/[a]1.jpg"}, "a name that exists is no pattern"
    assert found(Line(f"{b}/in/[a]1.jpg")) == {"in/[a]1.jpg"}
    assert targets(f"{b}/in/**/*3.jpg", out="out") == {f"{b}/in/s/a3.jpg": "out/s/a3.jpg"}
    assert failures(f"{b}/*.gif", f"{b}/a**b", out="out") == {
        f"{b}/*.gif": "no picture matches",
        f"{b}/a**b": "no picture matches",
    }


def test_archives_are_read_and_names_that_lead_out_are_not_followed(bucket: Bucket) -> None:
    with zipfile.ZipFile("x.zip", "w") as file:
        for name in ("a/b.jpg", "c.png", "../evil.jpg", "/abs.jpg", "a/../../evil.jpg", "notes.txt", "a/"):
            file.writestr(name, b"x")
    bucket.put(**{"x.zip": Path("x.zip").read_bytes()})
    for archive in ("x.zip", f"s3://{bucket.name}/x.zip"):
        for out in ("out", f"s3://{bucket.name}/out"):
            found = targets(f"zip://::{archive}", out=out)
            assert found == {f"zip://a/b.jpg::{archive}": f"{out}/a/b.jpg", f"zip://c.png::{archive}": f"{out}/c.png"}
            assert len(failures(f"zip://::{archive}", out=out)) == 3, "said, not passed over as hidden"
        assert list(targets(f"zip://*.png::{archive}", out="out").values()) == ["out/c.png"]


def test_keys_that_lead_out_of_a_local_folder_fail(bucket: Bucket) -> None:
    fill(bucket, "in/../../evil.jpg", "in//abs.jpg", "in/ok.jpg")
    found = jobs(f"s3://{bucket.name}/in/", out="out")
    actions = {"abs.jpg": "fail", "evil.jpg": "fail", "ok.jpg": "write"}
    assert {str(job.source).rpartition("/")[2]: job.action for job in found} == actions


def test_web_addresses_are_single_pictures(bucket: Bucket) -> None:
    one, two = "https://a.example/p/x%20y.jpg?w=1", "https://b.example/x%20y.jpg"
    assert targets(one, two, out="out") == {one: "out/x y.jpg", two: "out/x y-2.jpg"}
    assert targets("https://a.example/200", out="out/") == {"https://a.example/200": "out/200.png"}
    assert failures("https://a.example/", out="out/") != {}
    with pytest.raises(PlanError, match="nothing can be written beside it: give --out"):
        jobs(one)


def test_what_cannot_be_listed_or_is_no_address_is_one_failure_and_the_others_go_on(bucket: Bucket) -> None:
    fill(bucket, "in/a.jpg")
    b = f"s3://{bucket.name}"
    inputs = ["s3://no-such-bucket/in/", f"{b}/empty/", "ftp://x/a.jpg", "none.jpg", f"{b}/in/"]
    assert failures(*inputs, out="out") == {
        "s3://no-such-bucket/in/": "nothing there: no such bucket or archive",
        f"{b}/empty/": "no such folder, or an empty one",
        "ftp://x/a.jpg": "ftp:// is not supported: expected s3://, gs://, az://, https://, file:// or zip://NAMES::ARCHIVE",
        "none.jpg": "no such file or folder",
    }
    assert targets(*inputs, out="out") == {f"{b}/in/a.jpg": "out/in/a.jpg"}


def test_films_are_taken_where_they_are_named_or_wanted(bucket: Bucket) -> None:
    fill(bucket, "in/a.jpg", "in/b.mp4", "in/c.mpg")
    Path("c.mov").touch()
    b = f"s3://{bucket.name}"
    plan = plan_stream([f"{b}/in/"], out="out")
    assert [str(job.source) for job in plan.jobs] == [f"{b}/in/a.jpg"]
    assert plan.foreign == [f"{b}/in/b.mp4", f"{b}/in/c.mpg"]
    films = {f"{b}/in/b.mp4": "out/b.mp4", f"{b}/in/c.mpg": "out/c.mkv"}
    assert targets(f"{b}/in/", out="out", videos=True) == {f"{b}/in/a.jpg": "out/a.jpg", **films}
    assert targets(f"{b}/in/*.mp4", out="out") == {f"{b}/in/b.mp4": "out/b.mp4"}
    assert targets(f"{b}/in/b.mp4", "c.mov", out="out") == {f"{b}/in/b.mp4": "out/b.mp4", "c.mov": "out/c.mov"}
    assert targets(f"{b}/in/b.mp4", out=f"{b}/x.mkv") == {f"{b}/in/b.mp4": f"{b}/x.mkv"}
    assert targets(f"{b}/in/b.mp4") == {f"{b}/in/b.mp4": f"{b}/in/b_cartoon.mp4"}


@pytest.mark.parametrize(
    ("source", "out", "words"),
    [("in/b.mp4", "x.png", "out of .mp4"), ("in/b.mp4", "-", "standard output"), ("in/a.jpg", "x.mp4", "out of .jpg")],
)
def test_films_and_photos_have_names_of_their_kind(bucket: Bucket, source: str, out: str, words: str) -> None:
    fill(bucket, "in/a.jpg", "in/b.mp4")
    with pytest.raises(PlanError, match=words):
        jobs(f"s3://{bucket.name}/{source}", out=out)


def test_a_bucket_without_permission_is_refused_before_any_work(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("a.jpg").touch()
    with key_without_rights(bucket.endpoint) as key:
        use(bucket.endpoint, monkeypatch, tmp_path, key)
        with pytest.raises(PlanError, match=r"--out s3://.*: not allowed to list it: check the credentials"):
            jobs("a.jpg", out=f"s3://{bucket.name}/out/")
        assert "not allowed to list it" in failures(f"s3://{bucket.name}/in/", out="out")[f"s3://{bucket.name}/in/"]


def test_one_picture_to_one_place(bucket: Bucket) -> None:
    fill(bucket, "a.jpg", "there.png")
    b = f"s3://{bucket.name}"
    [job] = jobs(f"{b}/a.jpg", out=f"{b}/x/y.png")
    assert (str(job.target), job.format, job.action) == (f"{b}/x/y.png", "PNG", "write")
    assert [job.action for job in jobs(f"{b}/a.jpg", out=f"{b}/there.png")] == ["skip"]
    assert [job.action for job in jobs(f"{b}/a.jpg", out=f"{b}/there.png", remake=Remake(overwrite=True))] == [
        "replace"
    ]
    assert [str(job.target) for job in jobs("-", out=f"{b}/y.png")] == [f"{b}/y.png"]
    assert [(str(job.target), job.format) for job in jobs(f"{b}/a.jpg", out="-")] == [("-", "JPEG")]
    assert [str(job.target) for job in jobs(f"{b}/a.jpg", out="y.png")] == ["y.png"]


@pytest.mark.parametrize(
    ("inputs", "options", "said"),
    [
        (["s3://B/a.jpg"], {"out": "s3://B/a.jpg"}, "is the photo itself"),
        (["s3://B/a.jpg", "s3://B/b.jpg"], {"out": "s3://B/c.jpg"}, "holds one picture"),
        (["s3://B/"], {"out": "s3://B/c.jpg"}, "holds one picture"),
        (["s3://B/a.jpg"], {"out": "s3://B/c.jpg", "extension": ".png"}, "contradict each other"),
        (["s3://B/a.jpg"], {"out": "s3://B/c.xyz"}, "expected an extension out of"),
        (["s3://B/a.jpg"], {"out": "https://x/"}, "nothing can be written there"),
        (["s3://B/a.jpg"], {"out": "zip://::x.zip"}, "nothing can be written there"),
        (["s3://B/a.jpg"], {"out": "s3://no-such-bucket/"}, "no such bucket"),
        (["s3://B/a.jpg"], {"out": "s4://B/"}, "s4:// is not supported"),
        (["-"], {"out": "s3://B/"}, "standard input needs a file name"),
        (["s3://B/a.jpg"], {"out": "file.txt/"}, "is a file"),
    ],
)
def test_what_makes_no_sense_is_refused(bucket: Bucket, inputs: list[str], options: dict[str, str], said: str) -> None:
    fill(bucket, "a.jpg", "b.jpg")
    Path("file.txt").touch()
    options = {name: value.replace("/B/", f"/{bucket.name}/") for name, value in options.items()}
    with pytest.raises(PlanError, match=said):
        jobs(*(name.replace("/B/", f"/{bucket.name}/") for name in inputs), **options)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_are_the_whole_plan_whatever_results_there_are_by_now(bucket: Bucket, count: int) -> None:
    fill(
        bucket, *(f"in/{n}.{end}" for n in range(10) for end in ("jpg", "png")), "in/x_compare.png", "in/y_cartoon.jpg"
    )
    b = f"s3://{bucket.name}/in/"
    whole = [str(job.source) for job in jobs(b, extension=".png")]
    parts = []
    for index in range(1, count + 1):
        part = [str(job.source) for job in jobs(b, extension=".png", shard=Shard(index, count))]
        fill(bucket, *(f"in/{index}_cartoon.png", f"in/{index}_jpg_cartoon.png"))  # as if another machine had begun
        parts.append(part)
    assert sorted(chain(*parts)) == sorted(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["1/3", "3/3", "001/5"])
def test_parts_are_read(text: str) -> None:
    assert Shard.parse(text).count >= Shard.parse(text).index >= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/", "a/b", "-1/3", "1/3/5", "1.0/3", "²/3"])
def test_parts_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected I/N"):
        Shard.parse(text)
