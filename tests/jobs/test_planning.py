from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cartoonize.jobs.planning import Plan, PlanError, plan
from cartoonize.jobs.remaking import Remake
from cartoonize.jobs.sources import Line
from cartoonize.media.stores import File, Sink, Source, StandardInput, StandardOutput


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, so that tests name files as a user does."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def targets(planned: Plan) -> dict[str, str]:
    return {str(job.source): str(job.target) for job in planned.todo}


def reasons(planned: Plan) -> dict[str, str]:
    return {str(job.source): job.reason for job in planned.jobs if job.action == "fail"}


@pytest.mark.parametrize(
    ("source", "extension", "target", "written"),
    [
        ("photo.jpg", None, "photo_cartoon.jpg", "JPEG"),
        ("photo.JPEG", None, "photo_cartoon.JPEG", "JPEG"),
        ("photo.JPEG", ".jpg", "photo_cartoon.JPEG", "JPEG"),
        ("photo.heic", ".png", "photo_cartoon.png", "PNG"),
        ("photo", None, "photo_cartoon.png", "PNG"),
        ("photo.dat", None, "photo_cartoon.png", "PNG"),
        ("photo.dat", ".webp", "photo_cartoon.webp", "WEBP"),
        ("a.b/photo.v2.tif", None, "a.b/photo.v2_cartoon.tif", "TIFF"),
    ],
)
def test_result_lies_beside_its_photo(source: str, extension: str | None, target: str, written: str) -> None:
    touch(source)
    [job] = plan([source], extension=extension).jobs
    assert (str(job.target), job.format, job.action) == (str(Path(target)), written, "write")


def test_folder_is_read_recursively_and_keeps_its_tree_below_out() -> None:
    touch("in/b.png", "in/a.jpg", "in/sub/deep/c.webp", "in/notes.txt", "in/.hidden.jpg", "in/.git/d.jpg")
    assert targets(plan(["in"], out="out")) == {
        "in/a.jpg": "out/a.jpg",
        "in/b.png": "out/b.png",
        "in/sub/deep/c.webp": "out/sub/deep/c.webp",
    }


def test_what_is_named_is_read_though_hidden_or_of_unknown_kind() -> None:
    touch(".hidden/a.jpg", "photo.dat", ".b.jpg")
    assert set(targets(plan([".hidden", "photo.dat", ".b.jpg"]))) == {".hidden/a.jpg", "photo.dat", ".b.jpg"}


def test_litter_of_nas_and_systems_is_left_alone_and_counted() -> None:
    litter = ["@eaDir", "#recycle", "$RECYCLE.BIN", "__MACOSX", "lost+found", "System Volume Information"]
    touch(
        "in/a.jpg",
        "in/.thumbnails/b.jpg",
        "in/sub/@EADIR/c.jpg",
        "in/._a.jpg",
        *(f"in/{name}/d.jpg" for name in litter),
    )
    planned = plan(["in"])
    assert set(targets(planned)) == {"in/a.jpg"}
    assert {path.name for path in planned.litter} == {*litter, "@EADIR"}
    assert set(targets(plan(["in/**/*.jpg"]))) == {"in/a.jpg"}
    everything = plan(["in"], hidden=True)
    assert len(everything.jobs) == 3 + len(litter)
    assert everything.litter == ()
    assert "in/._a.jpg" not in targets(everything), "the second half of a Mac's file"


def test_what_is_given_itself_is_read_though_litter() -> None:
    touch("lost+found/a.jpg")
    assert set(targets(plan(["lost+found"]))) == {"lost+found/a.jpg"}


def test_foreign_files_of_folders_are_told() -> None:
    touch("in/a.jpg", "in/film.mp4", "in/sub/b.pdf", "in/.DS_Store")
    assert [str(path) for path in plan(["in"]).foreign] == ["in/film.mp4", "in/sub/b.pdf"]


def test_a_line_of_a_list_is_no_glob_and_a_folder_only_with_a_slash() -> None:
    touch("in/a.jpg", "[in].jpg", "x.jpg")
    planned = plan([Line("in"), Line("*.jpg"), Line("[in].jpg"), Line("-"), Line(".")])
    assert set(targets(planned)) == {"[in].jpg"}
    assert set(reasons(planned)) == {"in", "*.jpg", "-", "."}
    assert "end the line with a /" in reasons(planned)["in"]
    assert set(targets(plan([Line("in/")]))) == {"in/a.jpg"}


def test_several_folders_keep_their_names_below_out() -> None:
    touch("day1/a.jpg", "day2/a.jpg", "day2/sub/b.jpg", "c.jpg")
    assert targets(plan(["day1", "day2", "c.jpg"], out="out")) == {
        "day1/a.jpg": "out/day1/a.jpg",
        "day2/a.jpg": "out/day2/a.jpg",
        "day2/sub/b.jpg": "out/day2/sub/b.jpg",
        "c.jpg": "out/c.jpg",
    }
    for one in (["day2", "c.jpg"], ["day2", "day2/sub"], ["day2", "./day2/"]):
        assert targets(plan(one, out="out"))["day2/sub/b.jpg"] == "out/sub/b.jpg", "one folder, whatever its names"
    os.chdir("day1")
    assert targets(plan([".", "../day2"], out="out"))["a.jpg"] == "out/day1/a.jpg"


def test_thousands_of_folders_are_planned_without_comparing_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = 0
    real = os.path.realpath

    def counted(path: str, **settings: bool) -> str:
        nonlocal resolved
        resolved += 1
        return real(path, **settings)

    folders = [f"in/{n}" for n in range(300)]
    touch(*(f"{folder}/p.jpg" for folder in folders))
    monkeypatch.setattr(os.path, "realpath", counted)
    assert len(plan(folders, out="out").jobs) == 300
    assert resolved < 300 * 20


def test_folders_deeper_than_python_recurses() -> None:
    made = []
    for _ in range(1100):
        os.mkdir("d")
        os.chdir("d")
        made.append(os.getcwd() if len(made) < 2 else "")
    Path("p.jpg").touch()
    os.chdir(made[0])
    os.chdir("..")
    [job] = plan(["d"], out="out").jobs
    assert (job.action, len(Path(str(job.target)).parts)) == ("write", 1101)
    os.chdir(made[0])
    for _ in range(1100):  # pytest's own clearing up recurses
        os.chdir("d") if os.path.isdir("d") else None
    os.unlink("p.jpg")
    for _ in range(1100):
        os.chdir("..")
        os.rmdir("d")


def test_missing_inputs_fail_and_the_others_are_planned() -> None:
    touch("a.jpg")
    planned = plan(["nope.jpg", "a.jpg", "*.png", ""])
    assert targets(planned) == {"a.jpg": "a_cartoon.jpg"}
    assert reasons(planned) == {
        "nope.jpg": "no such file or folder",
        "*.png": "no picture matches",
        ".": "no such file or folder",
    }


def test_globs_are_expanded_and_a_name_that_exists_is_no_glob() -> None:
    touch("a.jpg", "b.jpg", "c.txt", "sub/d.jpg", "sub/.e.jpg", "[x].jpg", "x.jpg")
    assert set(targets(plan(["?.*"]))) == {"a.jpg", "b.jpg", "x.jpg"}
    assert set(targets(plan(["**/*.jpg"]))) == {"a.jpg", "b.jpg", "x.jpg", "[x].jpg", "sub/d.jpg"}
    assert set(targets(plan(["[x].jpg"]))) == {"[x].jpg"}
    assert set(targets(plan([Path("[ab].jpg")]))) == set(), "a Path is literal"
    assert set(targets(plan(["s*"]))) == {"sub/d.jpg"}


def test_one_file_by_several_names_is_done_once_in_any_order() -> None:
    touch("in/sub/a.jpg")
    os.symlink("in/sub/a.jpg", "link.jpg")
    inputs: list[str | Path] = [
        "link.jpg",
        "in/sub/a.jpg",
        "./in/../in/sub/a.jpg",
        Path("in/sub/a.jpg").absolute(),
        "in",
    ]
    for some in (inputs, inputs[::-1]):
        assert targets(plan(some, out="out")) == {"in/sub/a.jpg": "out/sub/a.jpg"}


def test_symlink_loops_and_links_to_folders() -> None:
    touch("in/b/photo.jpg")
    for link, to in (("in/loop", "."), ("in/b/up", ".."), ("in/a", "b"), ("in/b/gone", "nowhere")):
        os.symlink(to, link)
    assert targets(plan(["in"], out="out")) == {"in/b/photo.jpg": "out/b/photo.jpg"}
    assert targets(plan(["**/*.jpg"], out="out")) == {"in/b/photo.jpg": "out/in/b/photo.jpg"}


def test_broken_link_is_tried_and_a_pipe_in_a_folder_is_not() -> None:
    Path("in").mkdir()
    os.symlink("nowhere.jpg", "in/broken.jpg")
    os.mkfifo("in/pipe.jpg")
    assert set(targets(plan(["in"]))) == {"in/broken.jpg"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads every folder")
def test_unreadable_folder_is_a_failure() -> None:
    touch("in/a.jpg", "in/locked/b.jpg")
    os.chmod("in/locked", 0)
    planned = plan(["in"])
    os.chmod("in/locked", 0o700)
    assert "Permission denied" in reasons(planned)["in/locked"]


@pytest.mark.parametrize("out", ["in/out", "in/sub/../out/", "in"])
def test_second_run_over_a_folder_finds_nothing_to_do(out: str) -> None:
    touch("in/a.jpg", "in/sub/b.png")
    first = targets(plan(["in"], out=out, extension=".png"))
    touch(*first.values())
    second = plan(["in"], out=out, extension=".png")
    assert len(first) == 2
    assert [job.action for job in second.jobs] == ["skip", "skip"]


def test_output_folder_is_not_read_by_a_glob_but_by_its_own_name() -> None:
    touch("a.jpg", "out/b.jpg")
    assert set(targets(plan(["**/*.jpg"], out="out"))) == {"a.jpg"}
    assert set(targets(plan(["out/*.jpg"], out="out"))) == {"out/b.jpg"}


def test_earlier_results_are_not_photos_where_their_photo_is_an_input() -> None:
    touch("a.jpg", "a_cartoon.png", "lone_cartoon.jpg", "x.png", "x_png_cartoon.jpg", "x_png-2_cartoon.jpg", "y-2.jpg")
    touch("y-2_cartoon.jpg")
    planned = plan(["."])
    assert {str(p) for p in planned.earlier} == {
        "a_cartoon.png",
        "x_png_cartoon.jpg",
        "x_png-2_cartoon.jpg",
        "y-2_cartoon.jpg",
    }
    assert set(targets(planned)) == {"a.jpg", "lone_cartoon.jpg", "x.png"}
    assert targets(plan(["a_cartoon.png"])) == {"a_cartoon.png": "a_cartoon_cartoon.png"}, "asked for by name"


def test_earlier_results_beside_their_photos_stay_out_of_an_output_folder_too() -> None:
    touch("in/a.jpg", "in/a_cartoon.jpg", "in/lone_cartoon.jpg")
    planned = plan(["in"], out="out")
    assert [str(p) for p in planned.earlier] == ["in/a_cartoon.jpg"]
    assert set(targets(planned)) == {"in/a.jpg", "in/lone_cartoon.jpg"}


def test_existing_results_are_skipped_or_replaced() -> None:
    touch("a.jpg", "a_cartoon.jpg")
    [skipped] = plan(["a.jpg"]).jobs
    [replaced] = plan(["a.jpg"], remake=Remake(overwrite=True)).jobs
    assert (skipped.action, skipped.reason) == ("skip", "exists")
    assert (replaced.action, replaced.reason) == ("replace", "exists")


def test_folder_in_the_place_of_a_result_is_a_failure() -> None:
    touch("a.jpg", "a_cartoon.jpg/b.txt")
    assert reasons(plan(["a.jpg"], remake=Remake(overwrite=True))) == {"a.jpg": "a folder has the name of the result"}


def test_collisions_are_told_apart_alike_in_any_order() -> None:
    touch("photo.jpg", "photo.png", "photo.PNG", "two/photo.jpg", "photo_png.gif")
    inputs = ["photo.jpg", "photo.png", "photo.PNG", "two/photo.jpg", "photo_png.gif"]
    expected = {
        "photo.PNG": "out/photo_PNG.jpg",
        "photo.jpg": "out/photo.jpg",
        "photo.png": "out/photo_png-2.jpg",
        "photo_png.gif": "out/photo_png_gif.jpg",
        "two/photo.jpg": "out/photo-2.jpg",
    }
    for some in (inputs, inputs[::-1]):
        planned = plan(some, out="out", extension=".jpg")
        assert targets(planned) == expected
        assert {job.renamed for job in planned.jobs if str(job.source) == "photo.png"} == {
            f"photo.jpg is taken by {Path('photo.jpg')}"
        }


def test_a_result_is_not_taken_for_that_of_a_photo_added_later() -> None:
    touch("photo.png")
    assert targets(plan(["."], out="out", extension=".jpg")) == {"photo.png": "out/photo.jpg"}
    touch("out/photo.jpg", "photo.avif")

    planned = plan(["."], out="out", extension=".jpg")

    assert targets(planned) == {"photo.avif": "out/photo_avif.jpg", "photo.png": "out/photo_png.jpg"}
    assert len(planned.todo) == 2
    assert {job.renamed for job in planned.jobs} == {"photo.jpg would be that of several"}


def test_a_glob_keeps_the_tree_from_its_first_sign_on() -> None:
    touch("h/x/p.jpg", "h/y/p.jpg", "h/p.jpg", "h/y/z/q.jpg")
    assert targets(plan(["h/**/*.jpg"], out="out")) == {
        "h/p.jpg": "out/p.jpg",
        "h/x/p.jpg": "out/x/p.jpg",
        "h/y/p.jpg": "out/y/p.jpg",
        "h/y/z/q.jpg": "out/y/z/q.jpg",
    }
    assert targets(plan(["h/x/../*/p.jpg"], out="out")) == {
        "h/x/../x/p.jpg": "out/x/p.jpg",
        "h/x/../y/p.jpg": "out/y/p.jpg",
    }
    assert targets(plan(["h/x/*/../../p.jpg", "h/*/../p.jpg"], out="out")) == {"h/y/../p.jpg": "out/p.jpg"}
    assert targets(plan(["h/y*"], out="out")) == {"h/y/p.jpg": "out/y/p.jpg", "h/y/z/q.jpg": "out/y/z/q.jpg"}


def test_collisions_beside_the_photos() -> None:
    touch("photo.jpg", "photo.png")
    assert targets(plan(["."], extension=".png")) == {
        "photo.jpg": "photo_jpg_cartoon.png",
        "photo.png": "photo_cartoon.png",
    }


def test_never_over_an_input() -> None:
    touch("in/a.jpg", "b.jpg")
    os.symlink("b.jpg", "c_cartoon.jpg")
    touch("c.jpg")
    assert targets(plan(["in", "b.jpg"], out="in")) == {"in/a.jpg": "in/a_cartoon.jpg", "b.jpg": "in/b_cartoon.jpg"}
    assert targets(plan(["b.jpg"], out=".")) == {"b.jpg": "b_cartoon.jpg"}
    assert targets(plan(["b.jpg", "c.jpg"], remake=Remake(overwrite=True)))["c.jpg"] == "c-2_cartoon.jpg", (
        "a link to a photo"
    )
    with pytest.raises(PlanError, match="is the photo itself"):
        plan(["b.jpg"], out="./b.jpg")


@pytest.mark.parametrize(
    ("inputs", "out", "extension", "message"),
    [
        (["a.jpg", "b.jpg"], "x.jpg", None, "holds one picture"),
        (["in"], "x.jpg", None, "holds one picture"),
        (["in"], "-", None, "holds one picture"),
        (["a.jpg", "-"], "-", None, "holds one picture"),
        (["a.jpg"], "x.mp4", None, "expected an extension out of"),
        (["a.jpg"], "x.jpg", ".png", "contradict each other"),
        (["a.jpg"], "plain", None, "is a file"),
        (["-"], "in", None, "needs a file name"),
        (["a.jpg"], "", None, "is empty"),
    ],
)
def test_output_that_cannot_be(inputs: list[str], out: str, extension: str | None, message: str) -> None:
    touch("a.jpg", "b.jpg", "in/c.jpg", "plain")
    with pytest.raises(PlanError, match=message):
        plan(inputs, out=out, extension=extension)


@pytest.mark.parametrize("out", ["there", "new/", "new", "new.v2/"])
def test_output_folders(out: str) -> None:
    touch("a.jpg", "there/x.txt")
    assert targets(plan(["a.jpg"], out=out)) == {"a.jpg": str(Path(out, "a.jpg"))}


def test_output_file_decides_the_format() -> None:
    touch("a.jpg", "in/b.jpg")
    [job] = plan(["a.jpg"], out="new/x.WebP").jobs
    assert (job.target, job.format) == (File(Path("new/x.WebP")), "WEBP")
    assert targets(plan(["in"], out="results.v2")) == {"in/b.jpg": "results.v2/b.jpg"}


@pytest.mark.parametrize(
    ("inputs", "out", "extension", "source", "target", "written"),
    [
        (["-"], None, None, StandardInput(), StandardOutput(), None),
        (["-"], None, ".png", StandardInput(), StandardOutput(), "PNG"),
        (["-", "-"], "-", None, StandardInput(), StandardOutput(), None),
        (["-"], "x.gif", None, StandardInput(), File(Path("x.gif")), "GIF"),
        (["a.bmp"], "-", None, File(Path("a.bmp")), StandardOutput(), "BMP"),
        (["a.dat"], "-", None, File(Path("a.dat")), StandardOutput(), "PNG"),
        (["a.bmp"], "-", ".webp", File(Path("a.bmp")), StandardOutput(), "WEBP"),
    ],
)
def test_pipes(
    inputs: list[str],
    out: str | None,
    extension: str | None,
    source: Source,
    target: Sink,
    written: str | None,
) -> None:
    touch("a.bmp", "a.dat")
    [job] = plan(inputs, out=out, extension=extension).jobs
    assert (job.source, job.target, job.format, job.action) == (source, target, written, "write")


def test_nothing_found_is_an_empty_plan() -> None:
    touch("in/notes.txt")
    assert plan(["in"]).jobs == ()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_no_text() -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    touch(name)
    assert targets(plan(["."])) == {name: os.fsdecode(b"caf\xe9_cartoon.jpg")}


NAMES = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["", "s/", "s/t/", "out/"]),
    st.sampled_from(["a", "A", "a_jpg", "a_png", "a-2", "a_cartoon", "a_png_cartoon", "a-2_cartoon"]),
    st.sampled_from([".jpg", ".JPG", ".png", ".jpeg"]),
)


@settings(max_examples=150)
@given(
    names=st.sets(NAMES, min_size=1, max_size=8),
    out=st.sampled_from([None, "in", "in/out", "elsewhere", "."]),
    extension=st.sampled_from([None, ".png", ".jpg"]),
    explicit=st.booleans(),
)
def test_every_plan_keeps_its_promises(names: set[str], out: str | None, extension: str | None, explicit: bool) -> None:
    with TemporaryDirectory() as root:
        os.chdir(root)
        files = [f"in/{name}" for name in sorted(names)]
        touch(*files)
        inputs: list[str | Path] = [*(files if explicit else []), "in"]
        first = plan(inputs, out=out, extension=extension)
        made = [str(job.target).casefold() for job in first.jobs]
        sources = {str(job.source).casefold() for job in first.jobs}
        assert len(set(made)) == len(made), "no two jobs share a target"
        assert not sources & set(made), "a target is never a source"
        assert targets(plan(inputs[::-1], out=out, extension=extension)) == targets(first)
        touch(*(str(job.target) for job in first.todo))
        again = plan(inputs, out=out, extension=extension)
        assert not again.todo, "a second run has nothing to do"
        planned = {job.source: job.target for job in first.jobs}
        assert all(planned[job.source] == job.target for job in again.jobs), "what is skipped is what was done"
        os.chdir("/")
