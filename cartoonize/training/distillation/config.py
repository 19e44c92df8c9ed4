"""The configuration of `cartoonize distill`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from cartoonize.generators.architecture_names import ArchitectureName
from cartoonize.method.comic import ComicLook
from cartoonize.training.config_file import ConfigPath, Count, Line, Section, Seed, Side, Steps

Pixels = Annotated[int, Field(ge=1, le=2**16)]


def _is_short_side_range(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] > value[1]:
        raise ValueError("expected the smaller number first")
    return value


class PhotoSource(Section):
    """A folder of photos (searched recursively) to learn from.

    short_side: range in pixels a copy's short side is drawn from; photos are never enlarged.
    copies: how many versions of each photo (size, mirrored or not) the teacher draws. varied: a copy is also turned
    by quarter turns and has other colours (`variation.varied`), so that few photos teach like many.
    share: weight of this source in a batch, against the other sources'.
    """

    folder: ConfigPath
    short_side: Annotated[tuple[Pixels, Pixels], AfterValidator(_is_short_side_range)]
    copies: Count = 1
    varied: bool = False
    share: PositiveFloat = 1.0


class Validation(Section):
    """The photos no training may see: `held_out` lists them as `sha256sum` does, `folder` holds them.

    Where the list is missing or of another folder, as many of `folder`'s are drawn.

    photos: how many of them, from the top of the list, are measured at every checkpoint.
    """

    held_out: ConfigPath
    folder: ConfigPath
    photos: Count = 8


class Procedure(Section):
    """A procedure as the teacher: its name, and the settings of `method.comic.ComicLook`."""

    name: Literal["comic"]
    lines: float = ComicLook.lines
    thickness: float = ComicLook.thickness
    flatness: float = ComicLook.flatness
    tones: float = ComicLook.tones
    color: float = ComicLook.color

    @model_validator(mode="after")
    def _is_a_look(self) -> Procedure:
        self.look()
        return self

    def look(self) -> ComicLook:
        """Return the settings as the procedure takes them; raises ValueError."""
        return ComicLook(**self.model_dump(exclude={"name"}))


class DistillConfig(Section):
    """What `cartoonize distill` needs to know; lengths in pixels, `learning_rate` at its highest.

    teacher: weights in any form `--weights` takes, or in its stead a procedure. start: weights the student begins with,
    of its architecture or of one with fewer blocks, None for random ones. title, licence: of the exported weights;
    else the output folder's name, and the licences of teacher and start.
    crop: side of the square training crops, a multiple of 4. margin: ring of a crop the loss ignores, since the
    teacher saw what is beyond it. steps: optimizer steps in total; checkpoint_steps: steps between checkpoints.
    gradient_weight, tone_weight, psnr_weight, flat_weight, raw_weight, ink_weight: of the parts of the loss
    (`student.LossWeights`).
    precision: of the training's arithmetic; mixed_bfloat16 is faster on processors with instructions for it.
    """

    teacher: str | None = None
    procedure: Procedure | None = None
    title: Line = ""
    licence: Line = ""
    student: ArchitectureName = "compact"
    start: str | None = None
    photos: Annotated[tuple[PhotoSource, ...], Field(min_length=1)]
    validation: Validation
    cache: ConfigPath
    output: ConfigPath
    steps: Steps
    checkpoint_steps: Steps = 200
    batch: Count = 4
    crop: Side = 256
    margin: Annotated[int, Field(ge=0)] = 24
    learning_rate: PositiveFloat = 1e-3
    warmup_steps: Steps = 100
    gradient_weight: Annotated[float, Field(ge=0)] = 0.5
    tone_weight: Annotated[float, Field(ge=0)] = 0.5
    psnr_weight: Annotated[float, Field(ge=0)] = 0.007
    flat_weight: Annotated[float, Field(ge=0)] = 0
    raw_weight: Annotated[float, Field(ge=0)] = 0.2
    ink_weight: Annotated[float, Field(ge=0)] = 0.5
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    ema: Annotated[float, Field(gt=0, lt=1)] = 0.995
    seed: Seed = 0

    @model_validator(mode="after")
    def _has_one_teacher(self) -> DistillConfig:
        if (self.teacher is None) == (self.procedure is None):
            raise ValueError("teacher: expected either weights here or a `procedure`")
        return self

    @model_validator(mode="after")
    def _leaves_pixels_to_learn_from(self) -> DistillConfig:
        if 2 * self.margin >= self.crop:
            raise ValueError("margin: expected less than half of crop")
        return self

    @model_validator(mode="after")
    def _crops_fit_into_photos(self) -> DistillConfig:
        if (smallest := min(source.short_side[0] for source in self.photos)) < self.crop:
            raise ValueError(f"crop: expected at most the smallest short_side, {smallest}")
        return self

    @model_validator(mode="after")
    def _ends_with_a_checkpoint(self) -> DistillConfig:
        if self.steps % self.checkpoint_steps or self.steps <= self.warmup_steps:
            raise ValueError("steps: expected a multiple of checkpoint_steps, and more than warmup_steps")
        return self
