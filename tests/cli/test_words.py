"""What the door says to words that are none of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import cartoonize
from cartoonize.cli import app, words


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app.cartoonize, args, prog_name="cartoonize")
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("inspct x.jpg", "cartoonize inspect"),
        ("weight list", "cartoonize weights"),
        ("wieghts", "cartoonize weights"),
        ("Train", "cartoonize train"),
        ("vresion", "cartoonize version"),
        ("weights lst", "Did you mean 'list'?"),
        ("weights fetch whitbox", "Did you mean 'whitebox'?"),
        ("x.jpg --format jpgg", "Did you mean 'jpg'?"),
        ("x.jpg --output-size phtoo", "Did you mean 'photo'?"),
        ("x.jpg --device gpuu", "Did you mean 'gpu'?"),
        ("x.jpg --size ful", "Did you mean 'full'?"),
        ("x.jpg --background whte", "Did you mean 'white'?"),
        ("x.jpg --weights qualty", "did you mean 'quality'?"),
        ("x.jpg --overwrit", "--overwrite"),
        ("help wieghts", "cartoonize weights"),
    ],
)
def test_a_misspelt_word_is_told_what_was_meant(typed: str, meant: str) -> None:
    assert meant in run(*typed.split(), code=2).stderr


def test_a_file_or_folder_that_exists_is_never_a_misspelt_command() -> None:
    Image.new("RGB", (8, 8)).save("trains.png")
    Path("trains.png").rename("trains")
    Path("weight").mkdir()
    assert "trains_cartoon.png" in run("trains", "--dry-run").stdout
    assert "no image found" in run("weight", "--dry-run", code=3).stderr


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0/."), min_size=1))  # neither folders elsewhere
def test_any_first_word_is_an_input_a_command_or_a_usage_error(word: str) -> None:
    result = CliRunner().invoke(app.cartoonize, [word, "--dry-run"], prog_name="cartoonize")
    assert result.exception is None or isinstance(result.exception, SystemExit), word


def test_help_and_version_are_words_too() -> None:
    assert run("help").stdout == run("--help").stdout == run("-h").stdout
    assert run("help", "inspect").stdout == run("inspect", "-h").stdout == run("inspect", "--help").stdout
    assert run("help", "weights", "fetch").stdout == run("weights", "fetch", "-h").stdout
    assert run("version").stdout == run("--version").stdout == f"cartoonize, version {cartoonize.__version__}\n"


def test_the_programs_name_alone_shows_the_ten_commonest_uses() -> None:
    result = run(code=2)
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 10
    assert max(map(len, result.stderr.splitlines())) <= 100


@pytest.mark.parametrize("use", [command for command, _ in words.COMMON_USES])
def test_every_common_use_is_one(use: str) -> None:
    """The command line takes it: what may fail is that the photos in it are not here."""
    Image.new("RGB", (8, 8)).save("photo.jpg")
    Path("holiday").mkdir()
    Image.new("RGB", (8, 8)).save("holiday/a.png")
    Image.new("RGB", (8, 8)).save("b.png")
    _, *args = use.replace("'", "").split(" > ")[0].split()
    dry = ["--dry-run"] if args[0] not in (*app.cartoonize.others, "--help") else []
    run(*args, *dry)


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://example.com/a.jpg", 2, "nothing can be written beside it: give --out"),
        ("HTTPS://x", 2, "nothing can be written beside it: give --out"),
        ("ftp://x/a.jpg", 1, "ftp:// is not supported: expected s3://"),
    ],
)
def test_addresses_are_taken_for_what_they_are(url: str, code: int, said: str) -> None:
    assert said in run(url, code=code).stderr


def test_misspelt_variables_are_told_of_and_others_are_nobodys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIZ", "OVERWRIT", "SIZE", "VERSION", "PORT_80_TCP_ADDR", "SERVICE_HOST"):
        monkeypatch.setenv(f"CARTOONIZE_{name}", "1")
    Image.new("RGB", (8, 8)).save("a.png")
    stderr = run("a.png", "--dry-run").stderr
    assert re.findall(r"CARTOONIZE_\w+ in .*", stderr) == [
        "CARTOONIZE_OVERWRIT in the environment sets nothing: did you mean CARTOONIZE_OVERWRITE?",
        "CARTOONIZE_SIZ in the environment sets nothing: did you mean CARTOONIZE_SIZE?",
    ]
    assert "SIZ " not in run("a.png", "--dry-run", "-q").stderr


def test_the_licence_stands_where_weights_are_chosen() -> None:
    assert "not for commercial use" in " ".join(run("--help").stdout.split())
    assert "non-commercial" in run("weights", "list").stdout
