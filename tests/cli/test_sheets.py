"""`cartoonize inspect` and `cartoonize compare` as their users run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

import cartoonize
from cartoonize import Cartoonizer
from cartoonize.cli import app
from cartoonize.cli.compare import _three_sizes
from cartoonize.errors import EngineError
from cartoonize.generators.tiles import generate
from cartoonize.generators.weights import BUILTIN, at_hand, builtin_folder
from cartoonize.method.retouch import Retouch
from cartoonize.pages.photo_views import NAMES
from cartoonize.pages.sheet import GAP

from ..conftest import read

Pixels = NDArray[np.uint8]
COMMANDS = ("inspect", "compare")
PHOTO = skimage.data.coffee()[::2, ::2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a photo of 300 x 200."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PHOTO).save("photo.png")
    return tmp_path


def run(*args: str, code: int = 0) -> list[str]:
    """Run in this process; return the lines on stderr."""
    result = CliRunner().invoke(app.cartoonize, args, prog_name="cartoonize")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    return result.stderr.splitlines()


def process(*args: str, driver: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(cartoonize.__file__).parents[1])}
    program = ["-c", driver] if driver else ["-m", "cartoonize"]
    command = [sys.executable, *program, *args]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


def files() -> set[str]:
    return {path.name for path in Path().iterdir()}


def tiles(page: Pixels, size: tuple[int, int] = (200, 300)) -> list[list[Pixels]]:
    """Cut a sheet into rows of tiles of one size, by where the pictures of the last column are."""
    height, width = size
    paper = (page == page[0, 0]).all(axis=-1)
    columns = range(GAP, page.shape[1] - width, width + GAP)
    full = (~paper[:, columns[-1] : columns[-1] + width]).sum(axis=1) > 0.9 * width
    starts = np.flatnonzero(full & ~np.roll(full, 1))
    return [[page[top : top + height, left : left + width] for left in columns] for top in starts]


# inspect


def test_inspect_shows_six_views_in_order_and_writes_each_apart() -> None:
    lines = run("inspect", "photo.png", "--out", "sheet.png", "--separate")
    parts = [f"sheet_{name}.png" for name in NAMES]
    assert files() == {"photo.png", "sheet.png", *parts}
    assert lines == [f"photo.png -> {name}" for name in ["sheet.png", *parts]]
    shown = [tile for row in tiles(read(Path("sheet.png"))) for tile in row]
    assert len(shown) == 6
    for tile, part in zip(shown, parts, strict=True):
        assert np.array_equal(tile, read(Path(part)))
    assert np.array_equal(shown[0], PHOTO)


def test_inspect_settings_reach_their_views() -> None:
    run("inspect", "photo.png", "--out", "a.png")
    changes = {("--radius", "2"): {1}, ("--eps", "0.01"): {1}, ("--superpixels", "6"): {2}, ("--seed", "3"): {3}}
    before = [tile for row in tiles(read(Path("a.png"))) for tile in row]
    for option, changed in changes.items():
        run("inspect", "photo.png", "--out", "b.png", *option, "--overwrite")
        after = [tile for row in tiles(read(Path("b.png"))) for tile in row]
        assert {n for n in range(6) if not np.array_equal(before[n], after[n])} == changed, option
    run("inspect", "photo.png", "--out", "small.png", "--size", "100", "--separate")
    assert read(Path("small_raw.png")).shape == (100, 150, 3)


def test_the_extension_is_the_format_and_a_folder_takes_the_default_name() -> None:
    run("inspect", "photo.png", "--out", "sheet.jpg")
    run("inspect", "photo.png", "--out", "new/")
    os.mkdir("there")
    run("compare", "photo.png", "--size", "60", "--out", "there")
    with Image.open("sheet.jpg") as image:
        assert image.format == "JPEG"
    assert Path("new/photo_inspect.png").is_file()
    assert Path("there/photo_compare.png").is_file()


# compare


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes the generator ran on."""
    shapes: list[tuple[int, ...]] = []

    def counted(generator: object, work: Pixels, field: object, *progress: object) -> NDArray[np.float32]:
        shapes.append(work.shape)
        return generate(generator, work, field, *progress)  # type: ignore[arg-type]

    monkeypatch.setattr("cartoonize.generators.tiles.generate", counted)
    return shapes


def test_compare_shows_the_photo_and_every_combination_as_the_main_command_makes_it(
    passes: list[tuple[int, ...]],
) -> None:
    shutil.copy(builtin_folder() / "fast.tflite", "mine.tflite")
    options = ["--weights", "fast", "--weights", "mine.tflite", "--size", "60", "--size", "full"]
    run("compare", "photo.png", *options, "--smooth", "0", "--smooth", "0.5", "--smooth", "1")
    assert sorted(passes) == sorted([(60, 90, 3), (200, 300, 3)] * 2), "one pass for all details"
    rows = tiles(read(Path("photo_compare.png")))
    assert [len(row) for row in rows] == [4] * 4
    assert np.array_equal(rows[0][0], PHOTO)
    for row in rows[1:]:
        assert np.ptp(row[0][100:]) == 0, "a free place"
    for row, size in zip(rows[:2], (60, "full"), strict=True):
        for tile, detail in zip(row[1:], (0.0, 0.5, 1.0), strict=True):
            assert np.array_equal(tile, Cartoonizer("fast", size=size, smooth=detail)(PHOTO))  # type: ignore[arg-type]


def test_compare_without_settings_shows_every_look_that_is_here_in_three_sizes(own_cache: Path) -> None:
    photo = PHOTO[::2, ::2]
    Image.fromarray(photo).save("small.png")
    run("compare", "small.png")
    first, *others = tiles(read(Path("small_compare.png")), (100, 150))
    assert np.array_equal(first[0], photo)
    assert at_hand() == BUILTIN
    for row, name in zip((first, *others), BUILTIN, strict=True):
        looks = row[1:]
        for look, size in zip(looks, (33, 66, 100), strict=True):
            assert np.array_equal(look, Cartoonizer(name, size=size)(photo))


def test_compare_tells_where_it_is_when_nobody_sees_a_bar() -> None:
    lines = run("compare", "photo.png", "--size", "50", "--size", "full")
    assert lines[:2] == ["1 of 2: fast, size 50", "2 of 2: fast, size full"]


def test_compare_of_one_setting_shows_the_default_look() -> None:
    run("compare", "photo.png", "--style", "fast", "--keep-colors", "0.5")
    ((_, cartoon),) = tiles(read(Path("photo_compare.png")))
    assert np.array_equal(cartoon, Cartoonizer(retouch=Retouch(keep_colors=0.5))(PHOTO))


def test_compare_shows_every_knob_as_the_main_command_makes_it() -> None:
    run("compare", "photo.png", "--size", "60", "--lines", "1.5", "--strength", "0.5", "--strength", "1.5")
    ((_, *looks),) = tiles(read(Path("photo_compare.png")))
    for look, strength in zip(looks, (0.5, 1.5), strict=True):
        run("photo.png", "--size", "60", "--lines", "1.5", "--strength", str(strength), "-o", "one.png", "--overwrite")
        assert np.array_equal(look, read(Path("one.png")))


def test_long_rows_are_broken_into_rows_about_as_long() -> None:
    details = [word for n in range(5) for word in ("--smooth", str(n / 4))]
    run("compare", "photo.png", "--size", "40", *details)
    page = read(Path("photo_compare.png"))
    assert page.shape[1] == 4 * 300 + 5 * GAP
    assert len(tiles(page[:, : -(300 + GAP)])) == 2


@pytest.mark.parametrize(
    ("where", "top", "left"), [(("0", "0"), 0, 0), (("0.5", "0.5"), 30, 180), (("1", "0.25"), 0, 360)]
)
def test_zoom_shows_the_part_around_a_point_pixel_for_pixel(where: tuple[str, str], top: int, left: int) -> None:
    large = np.tile(skimage.data.coffee(), (2, 2, 1))[:700, :1000]
    Image.fromarray(large).save("large.png")
    run("compare", "large.png", "--size", "60", "--zoom", *where)
    ((photo, cartoon),) = tiles(read(Path("large_compare.png")), (640, 640))
    assert np.array_equal(photo, large[top : top + 640, left : left + 640])
    assert np.array_equal(cartoon, Cartoonizer(size=60)(large)[top : top + 640, left : left + 640])


def test_large_photos_are_shrunk_for_the_sheet() -> None:
    Image.fromarray(PHOTO).resize((1600, 1200)).save("large.png")
    run("compare", "large.png", "--size", "60")
    assert read(Path("large_compare.png")).shape[1] == 2 * 640 + 3 * GAP


# What both do


@pytest.mark.parametrize("command", COMMANDS)
def test_what_exists_is_refused_unless_told_to_replace_it(command: str) -> None:
    name = f"photo_{command}.png"
    Path(name).write_text("mine")
    assert run(command, "photo.png", code=1) == [f"Error: {name}: already exists: use --overwrite to replace it"]
    assert Path(name).read_text() == "mine"
    run(command, "photo.png", "--size", "60", "--overwrite")
    assert read(Path(name)).size


def test_one_existing_part_is_refused_before_anything_is_written() -> None:
    Path("sheet_raw.png").write_text("mine")
    assert "sheet_raw.png: already exists" in run("inspect", "photo.png", "-o", "sheet.png", "--separate", code=1)[0]
    assert files() == {"photo.png", "sheet_raw.png"}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["gone.jpg"], 1, "Error: gone.jpg: no such file: expected the path of a picture"),
        (["words.jpg"], 1, "Error: words.jpg: not a picture"),
        (["."], 1, "Error: .: is a folder: expected a picture"),
        (["photo.png", "--weights", "fsat"], 2, "Error: no weights called 'fsat': did you mean 'fast'?"),
        (["photo.png", "--weights", "broken.tflite"], 2, "Error: "),
        (["photo.png", "--out", "sheet.txt"], 2, "Error: --out sheet.txt: expected an extension"),
        (["photo.png", "--out", "photo.png", "--overwrite"], 2, "Error: photo.png is the photo itself"),
        (["photo.png", "--size", "60", "--out", "words.jpg/sheet.png"], 1, "Error: words.jpg/sheet.png: "),
        (["photo.png", "--size", "big"], 2, "Error: Invalid value for '--size'"),
        ([], 2, "Error: Missing argument 'PHOTO'"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(command: str, args: list[str], code: int, message: str) -> None:
    Path("words.jpg").write_text("no picture")
    Path("broken.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(100))
    lines = run(command, *args, code=code)
    assert lines[-1].startswith(message)
    assert [line for line in lines if not line.startswith(("Usage: ", "Try ")) and line] == [lines[-1]]
    assert files() == {"photo.png", "words.jpg", "broken.tflite"}
    assert np.array_equal(read(Path("photo.png")), PHOTO)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", ["file/sheet.png", "link/sheet.png", f"{'x' * 300}.png", "folder.png/sheet.png"])
def test_where_nothing_can_be_written_is_found_before_any_work(
    command: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartoonize.cli.sheets.load", lambda *_: pytest.fail("has begun to work"))
    Path("file").touch()
    Path("link").symlink_to("nowhere")
    Path("folder.png/sheet.png").mkdir(parents=True)
    Path(f"folder.png/sheet.png/photo_{command}.png").mkdir()
    assert run(command, "photo.png", "--out", place, "--overwrite", code=1)[-1].startswith("Error: ")


@pytest.mark.parametrize(
    ("side", "sizes"),
    [(100, (33, 66, 100)), (720, (240, 480, 720)), (1080, (360, 720, 1080)), (4000, (360, 720, 1440))],
)
def test_the_three_sizes_are_distinct_and_none_is_larger_than_the_photo(side: int, sizes: tuple[int, ...]) -> None:
    assert _three_sizes(np.zeros((side, side + 1, 3), np.uint8)) == sizes


@pytest.mark.parametrize(
    ("command", "option"), [("inspect", "--eps"), ("compare", "--smooth"), ("compare", "--zoom"), (".", "--smooth")]
)
def test_not_a_number_is_none(command: str, option: str) -> None:
    values = ["nan", "nan"] if option == "--zoom" else ["nan"]
    assert run(command, "photo.png", option, *values, code=2)[-1].endswith("'nan' is not a number")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_takes_very_long_is_said_before_the_work(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise EngineError("begins to work")

    monkeypatch.setattr(Cartoonizer, "generate", stop)
    told = run(command, "photo.png", "--size", "6000", code=1)
    assert told[0] == "--size 6000: enlarged to 9000x6000 to be drawn, 900 times the work of the default --size"
    assert "begins to work" in told[1]


def test_the_photo_is_not_written_over_by_a_part_of_its_sheet() -> None:
    os.rename("photo.png", "s_surface.png")
    args = ["inspect", "s_surface.png", "--out", "s.png", "--separate", "--overwrite"]
    assert "is the photo itself" in run(*args, code=2)[-1]
    assert files() == {"s_surface.png"}


@pytest.mark.parametrize("command", COMMANDS)
def test_transparency_lies_on_white_and_an_animation_shows_its_first_frame(command: str) -> None:
    quick = ["--size", "60"] if command == "compare" else []
    picture = Image.new("RGBA", (300, 200), (255, 0, 0, 0))
    picture.save("clear.png")
    assert "clear.png: transparency flattened on white" in run(command, "clear.png", *quick)
    assert (tiles(read(Path(f"clear_{command}.png")))[0][0] == 255).all()
    frames = [Image.new("RGB", (300, 200), color) for color in ("navy", "red")]
    frames[0].save("moving.gif", save_all=True, append_images=frames[1:], duration=100)
    assert "moving.gif: only its first frame is shown" in run(command, "moving.gif", *quick)
    assert (tiles(read(Path(f"moving_{command}.png")))[0][0] == (0, 0, 128)).all()


def test_later_runs_over_the_folder_leave_the_sheets_alone() -> None:
    shutil.copy("photo.png", "other_compare.png")  # somebody's photo: no `other` is here
    run("inspect", "photo.png", "--size", "60", "--separate")
    run("compare", "photo.png", "--size", "60")
    result = CliRunner().invoke(app.cartoonize, [".", "--dry-run"])
    written = [line.split(" -> ")[0] for line in result.stdout.splitlines() if line.endswith("  write")]
    assert sorted(written) == ["other_compare.png", "photo.png"]


# Real processes


@pytest.mark.parametrize("command", COMMANDS)
def test_process_exit_codes_and_streams(command: str) -> None:
    first, second = (process(command, "photo.png", "--size", "60") for _ in range(2))
    assert (first.returncode, first.stdout, first.stderr) == (0, "", f"photo.png -> photo_{command}.png\n")
    assert (second.returncode, second.stdout) == (1, "")
    assert process(command, "gone.png").returncode == 1
    assert process(command, "photo.png", "--weights", "none").returncode == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_names_that_are_no_latin_letters(command: str) -> None:
    name = 'мой "снимок" <b>☕\n'
    os.rename("photo.png", f"{name}.png")
    shutil.copy(builtin_folder() / "fast.tflite", "стиль☕.tflite")
    ended = process(command, f"{name}.png", "--weights", "стиль☕.tflite")
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert f"{name}_{command}.png" in files()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("argument", "heavy"),
    [("photo.png", ("tensorflow", "keras")), ("--help", ("tensorflow", "numpy", "PIL", "cv2", "skimage"))],
)
def test_no_heavy_imports(command: str, argument: str, heavy: tuple[str, ...]) -> None:
    driver = f"""
import atexit, sys
atexit.register(lambda: print("heavy:", sorted(set({heavy}) & set(sys.modules)), file=sys.stderr))
from cartoonize.cli.app import main
main()
"""
    ended = process(command, argument, "--size", "60", driver=driver)
    assert ended.returncode == 0
    assert ended.stderr.splitlines()[-1] == "heavy: []"
