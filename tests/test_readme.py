"""README and docs say what the program does, and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cartoonize.cli.app import cartoonize
from cartoonize.media.formats import PREFERRED_EXTENSION

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}


def options_of(command: click.Command) -> set[str]:
    """The long names a user may type and the help shows."""
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    return {name for parameter in shown for name in parameter.opts if name.startswith("--")}


def rows(text: str) -> set[str]:
    """The options that begin a row of a table."""
    cells = [re.split(r"(?<!\\)\|", line)[1] for line in text.splitlines() if line.startswith("| `-")]
    return {name for cell in cells for name in re.findall(r"--[a-z][a-z-]+", cell)}


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and the heading it has in the docs."""
    yield "The main command", cartoonize
    for name, command in cartoonize.others.items():
        yield name.capitalize(), command


@pytest.mark.parametrize(("heading", "command"), list(commands()))
def test_every_option_is_in_the_docs_and_every_one_there_exists(heading: str, command: click.Command) -> None:
    section = DOCS["options"].split(f"\n## {heading}\n")[1].split("\n## ")[0]
    parts = command.commands.values() if isinstance(command, click.Group) else [command]
    assert rows(section) - {"--help"} == {name for part in parts for name in options_of(part)}


def test_the_readmes_options_are_the_first_screen_of_all() -> None:
    table = README.split("### Options")[1].split("\n## ")[0]
    assert rows(table) <= options_of(cartoonize)
    assert 8 <= len(rows(table)) <= 20


def test_the_readme_is_for_the_first_five_minutes() -> None:
    lines = README.splitlines()
    assert len(lines) <= 200
    assert any("CC BY-NC-SA" in line for line in lines[:25]), "who may use it stands on the first screen"


def test_the_two_set_up_commands_are_the_ones_the_gate_runs() -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    first, second = re.findall(r"```sh\n(.*pip install .* && .*)\n```", README)
    assert first in gate
    for part in second.split(" && "):
        assert part in gate


def test_every_format_and_exit_code_of_the_program_is_in_the_docs() -> None:
    for extension in PREFERRED_EXTENSION.values():
        assert extension[1:] in README
        assert extension[1:] in DOCS["options"]
    help_text = CliRunner().invoke(cartoonize, ["--help"]).output
    for code in ("0", "1", "2", "3", "130"):
        for text in (README, DOCS["guide"]):
            assert f"| {code} |" in text
        assert re.search(rf"\b{code}\b", help_text)


def test_every_room_is_on_the_map() -> None:
    house = DOCS["house"].split("## The house")[1]
    package = ROOT / "cartoonize"
    rooms = {f"{path.parent.name}/" for path in package.glob("**/__init__.py")} - {"cartoonize/"}
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert {name for name in rooms | modules if name not in house} == set()


def test_every_page_is_linked_from_the_readme_and_every_link_there_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)(#[^)]*)?\)", README)
    assert [path for path, _ in links if not (ROOT / path).exists()] == []
    assert {f"docs/{page}.md" for page in DOCS} - {path for path, _ in links} == {"docs/index.md"}


def test_every_test_that_the_docs_name_exists() -> None:
    named = {found for text in DOCS.values() for found in re.findall(r"(tests/[\w/]+\.py)::(test_\w+)", text)}
    assert len(named) >= 15
    assert [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")] == []


def test_the_docs_build_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # the theme's, about its successor
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert built.returncode == 0, built.stderr
    for page in DOCS:
        assert (tmp_path / "site" / f"{page}.html").is_file()
    api = (tmp_path / "site" / "python.html").read_text(encoding="utf-8")
    assert "output_size" in api, "the API is written from the code"
    loaded = re.findall(r"""(?:<link[^>]*(?:stylesheet|icon)[^>]*href|<script[^>]*src)=["']?(https?://[^"' >]+)""", api)
    assert loaded == [], "a page loads nothing from elsewhere"
