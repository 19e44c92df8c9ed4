"""The default configuration as commented YAML, written from the fields of `TrainConfig` themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from cartoonize.training.whitebox.config import PRESETS, Group, Losses, TrainConfig

_HEAD = """\
# A white-box training, with every key and its default: cartoonize train --config train.yaml [--resume]
# Relative paths start at this file's folder. Constants are those of Wang & Yu, CVPR 2020, as their code has them.
"""
_EXAMPLE: dict[str, Any] = {
    "run": "runs/first",
    "groups": [
        {"name": "scenery", "photos": "data/scenery_photos", "cartoons": "data/scenery_cartoons", "weight": 4},
        {"name": "faces", "photos": "data/face_photos", "cartoons": "data/face_cartoons", "weight": 1},
    ],
}


def default_yaml() -> str:
    """Return the YAML; it loads to a valid configuration."""
    defaults = TrainConfig.model_validate(_EXAMPLE).model_dump(mode="json") | _EXAMPLE
    return _HEAD + "\n".join(_section(TrainConfig, defaults)) + "\n"


def _section(model: type[BaseModel], values: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yield a line per key: value, and its description as a comment; subsections below, indented."""
    for name, field in model.model_fields.items():
        value = values[name]
        if isinstance(value, dict) and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield f"{indent}{name}:  # {_sentence(field.annotation)}"
            yield from _section(field.annotation, value, f"{indent}  ")
        elif name == "groups":
            yield f"{indent}{name}:  # {_sentence(Group)}"
            for group in value:
                first, *others = _section(Group, group, f"{indent}    ")
                yield from (f"{indent}  - {first.lstrip()}", *others)
        else:
            written = value if value and isinstance(value, str) else json.dumps(value)
            # A weight that is written out would hold against another preset.
            off = "# " if model is Losses and name in PRESETS["release"] else ""
            yield f"{indent}{off}{name}: {written}" + (f"  # {field.description}" if field.description else "")


def _sentence(model: type[BaseModel]) -> str:
    text = (model.__doc__ or "").splitlines()[0].rstrip(".")
    return text[0].lower() + text[1:]
