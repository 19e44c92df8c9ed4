"""The README says what the program does, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cartoonize.cli.app import cartoonize
from cartoonize.cli.compare import compare
from cartoonize.cli.inspect import inspect
from cartoonize.media.formats import PREFERRED_EXTENSION

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_option_is_in_the_readme_and_every_one_there_exists() -> None:
    options = {name for parameter in cartoonize.params for name in parameter.opts if name.startswith("--")}
    table = README.split("### Options")[1].split("### Files")[0]
    assert set(re.findall(r"--[a-z][a-z-]+", table)) == options - {"--version"}


@pytest.mark.parametrize("command", [inspect, compare])
def test_every_option_of_the_sheets_is_in_the_readme(command: click.Command) -> None:
    options = {name for parameter in command.params for name in parameter.opts if name.startswith("--")}
    table = README.split(f"| option of `{command.name}` |")[1].split("\n\n")[0]
    assert set(re.findall(r"--[a-z][a-z-]+", table)) == options


def test_the_two_set_up_commands_are_the_ones_the_gate_runs() -> None:
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    first, second = re.findall(r"```sh\n(pip install .* && .*)\n```", README)
    assert first in gate
    for part in second.split(" && "):
        assert part in gate


def test_every_format_and_exit_code_of_the_program_is_in_the_readme() -> None:
    for extension in PREFERRED_EXTENSION.values():
        assert extension[1:] in README
    help_text = CliRunner().invoke(cartoonize, ["--help"]).output
    for code in ("0", "1", "2", "3", "130"):
        assert f"| {code} |" in README
        assert re.search(rf"\b{code}\b", help_text)


def test_every_room_is_on_the_readmes_map() -> None:
    house = README.split("## The house")[1]
    package = ROOT / "cartoonize"
    rooms = {f"{path.parent.name}/" for path in package.glob("**/__init__.py")} - {"cartoonize/"}
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert {name for name in rooms | modules if name not in house} == set()
