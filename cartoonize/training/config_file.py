"""YAML configurations, validated, with overrides from the command line; mistakes are named with their line."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from cartoonize.errors import ConfigError, DecodeError
from cartoonize.media.files import read_bounded


def _from_config_folder(path: Path, info: ValidationInfo) -> Path:
    """Make a path absolute; a relative one starts at the configuration's folder, wherever the command runs."""
    folder: Path = (info.context or {}).get("folder", Path())
    if "\0" in str(path):
        raise ValueError("not a path")
    return folder / os.path.expanduser(path)  # unlike Path.expanduser, no error for ~NOBODY


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected one line of text")
    return text


ConfigPath = Annotated[Path, AfterValidator(_from_config_folder)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what NumPy's and Keras' global generators take
# Bounds far beyond any use: a slip of a digit is said, and nothing overflows or never begins.
Steps = Annotated[int, Field(ge=1, le=10**9)]
Count = Annotated[int, Field(ge=1, le=1000)]
Line = Annotated[str, Field(max_length=1000), AfterValidator(_one_line)]
Side = Annotated[int, Field(ge=32, le=4096, multiple_of=4)]  # pixels


class Section(BaseModel):
    """Base of every part of a configuration: immutable, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# A tag of its own, the 30th of February, nested a thousand deep, and what PyYAML raises for "!!timestamp foo",
# "!!bool x", "!!int ''" and an integer of more digits than Python reads.
_NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError)

_LARGEST_FILE = 2**20  # bytes; a configuration has a few thousand

Place: TypeAlias = tuple[int | str, ...]  # keys and list positions, outermost first
AnySection = TypeVar("AnySection", bound=Section)


def load(path: Path, model: type[AnySection], overrides: Sequence[str] = ()) -> AnySection:
    """Read and validate a YAML file, `overrides` ("key.0.key=value", value in YAML) put over it.

    Relative paths start at the file's folder. Raises ConfigError with the line, or the override, of the first mistake.
    """
    root = _compose(path)
    try:
        content = yaml.SafeLoader("").construct_document(root) if root else None
    except _NOT_YAML as error:
        raise ConfigError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected `key: value` lines")
    origin = {_put(content, override): override for override in overrides}
    try:
        return model.model_validate(content, context={"folder": path.absolute().parent})
    except ValidationError as error:
        problem = _first(error)
        place = problem["loc"]
        given = next((f"--set {text}" for key, text in origin.items() if place[: len(key)] == key[: len(place)]), None)
        raise ConfigError(f"{given or f'{path}:{_line(root, place)}'}: {_described(problem, model)}") from error


def resolved(config: Section) -> str:
    """Return every key of a configuration as YAML that loads to the same configuration from any folder."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def changed(config: Section, saved: Path) -> list[str]:
    """List the lines in which a configuration differs from the one saved beside a run ("key: old" and "key: new")."""
    before, now = saved.read_text(encoding="utf-8").splitlines(), resolved(config).splitlines()
    return [line for line in difflib.ndiff(before, now) if line[:2] in ("- ", "+ ")]


def _compose(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            text = read_bounded(stream, _LARGEST_FILE).decode()
        return yaml.compose(text, yaml.SafeLoader)
    except (OSError, DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    except _NOT_YAML as error:
        raise ConfigError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error


def _put(content: dict[str, Any], override: str) -> Place:
    """Write one override into the content and return its place; raises ConfigError when it has no such form."""
    key, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set {override}: expected key=value")
    place: Place = tuple(int(part) if part.isdecimal() and len(part) < 6 else part for part in key.split("."))
    try:
        value = yaml.safe_load(text)
    except _NOT_YAML as error:
        raise ConfigError(f"--set {override}: not a YAML value; quote it") from error
    section: Any = content
    try:
        for part, following in pairwise(place):
            if isinstance(section, dict) and isinstance(following, str):
                section.setdefault(part, {})  # a section that the file leaves at its defaults
            section = section[part]
        section[place[-1]] = value
    except (LookupError, TypeError) as error:
        raise ConfigError(f"--set {override}: there is no such place in the configuration") from error
    return place


def _first(error: ValidationError) -> ErrorDetails:
    """Return the first mistake; a misspelt key is also a missing one, so that the misspelling is named."""
    problems = error.errors()
    return next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])


def _line(root: Any, place: Place) -> int:
    """Return the line (from 1) of the innermost part of `place` that is written in the file."""
    node, mark = root, root.start_mark
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            mark = node.start_mark
    return int(mark.line) + 1


def _described(problem: ErrorDetails, model: type[Section]) -> str:
    place = ".".join(map(str, problem["loc"]))
    if problem["type"] != "extra_forbidden":
        return f"{place}: {problem['msg']}" if place else problem["msg"]
    keys = _keys(model, problem["loc"][:-1])
    near = difflib.get_close_matches(str(problem["loc"][-1]), keys, n=1)
    advice = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(keys)}"
    return f"unknown key {place}; {advice}"


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Return the valid keys of the section at `loc`, following field names and skipping list positions."""
    for name in (part for part in loc if isinstance(part, str)):
        model = _section_in(model.model_fields[name].annotation)
    return list(model.model_fields)


def _section_in(annotation: Any) -> type[BaseModel]:
    """Return the section that a field holds, alone or in a tuple."""
    section: type[BaseModel] = next(iter(get_args(annotation)), annotation)
    return section
