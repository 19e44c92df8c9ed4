"""Training configurations: YAML files, validated; unknown keys are refused with the nearest valid one."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from cartoonize.errors import ConfigError


def _from_config_folder(path: Path, info: ValidationInfo) -> Path:
    """Make a path absolute; a relative one starts at the configuration's folder, wherever the command runs."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / path.expanduser()


ConfigPath = Annotated[Path, AfterValidator(_from_config_folder)]


def _is_short_side_range(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] > value[1]:
        raise ValueError("expected the smaller number first")
    return value


class Section(BaseModel):
    """Base of every part of a configuration: immutable, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PhotoSource(Section):
    """A folder of photos (searched recursively) to learn from.

    short_side: range in pixels a copy's short side is drawn from; photos are never enlarged.
    copies: how many versions of each photo (size, mirrored or not) the teacher draws.
    share: weight of this source in a batch, against the other sources'.
    """

    folder: ConfigPath
    short_side: Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_is_short_side_range)]
    copies: PositiveInt = 1
    share: PositiveFloat = 1.0


class Validation(Section):
    """The photos no training may see: `held_out` lists them as `sha256sum` does, `folder` holds them.

    photos: how many of them, from the top of the list, are measured at every checkpoint.
    """

    held_out: ConfigPath
    folder: ConfigPath
    photos: PositiveInt = 8


class DistillConfig(Section):
    """What `cartoonize distill` needs to know; lengths in pixels, `learning_rate` at its highest.

    teacher: weights in any form `--weights` takes; start: weights the student begins with, None for random ones.
    crop: side of the square training crops, a multiple of 4. margin: ring of a crop the loss ignores, since the
    teacher saw what is beyond it. steps: optimizer steps in total; checkpoint_steps: steps between checkpoints.
    """

    teacher: str
    student: Literal["compact", "unet"] = "compact"
    start: str | None = None
    photos: Annotated[tuple[PhotoSource, ...], Field(min_length=1)]
    validation: Validation
    cache: ConfigPath
    output: ConfigPath
    steps: PositiveInt
    checkpoint_steps: PositiveInt = 200
    batch: PositiveInt = 4
    crop: Annotated[int, Field(ge=32, multiple_of=4)] = 288
    margin: Annotated[int, Field(ge=0)] = 24
    learning_rate: PositiveFloat = 1e-3
    warmup_steps: PositiveInt = 100
    gradient_weight: Annotated[float, Field(ge=0)] = 0.5
    raw_weight: Annotated[float, Field(ge=0)] = 0.2
    ema: Annotated[float, Field(gt=0, lt=1)] = 0.995
    seed: int = 0

    @model_validator(mode="after")
    def _ends_with_a_checkpoint(self) -> DistillConfig:
        if self.steps % self.checkpoint_steps or self.steps <= self.warmup_steps:
            raise ValueError("steps: expected a multiple of checkpoint_steps, and more than warmup_steps")
        return self


AnySection = TypeVar("AnySection", bound=Section)


def load_config(path: Path, model: type[AnySection]) -> AnySection:
    """Read and validate a YAML configuration; raises ConfigError with the first thing wrong and what to do."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected `key: value` lines")
    try:
        return model.model_validate(content, context={"folder": path.absolute().parent})
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error, model)}") from error


def _first_problem(error: ValidationError, model: type[Section]) -> str:
    problems = error.errors()
    # A misspelt key is also a missing one: name the misspelling.
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
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
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    sections: type[BaseModel] = annotation.__args__[0]
    return sections
