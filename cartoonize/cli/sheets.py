"""What `inspect` and `compare` share: their arguments, where a sheet goes, reading, writing and errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cartoonize.cli.refusals import ConfigurationError, refusing
from cartoonize.errors import shown
from cartoonize.generators import weights
from cartoonize.media.formats import PREFERRED_EXTENSION, extra_problem, format_of

if TYPE_CHECKING:
    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.method.pixels import Image, Size

LONGEST = 640  # pixels of a tile: three of them fit side by side on a usual screen

photo_argument = click.argument("photo", type=click.Path(path_type=Path))
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what exists; without it that is an error.")


def target_of(photo: Path, out: str | None, suffix: str) -> Path:
    """Return where the sheet of a photo goes, by default beside it; raises click.UsageError, ConfigurationError."""
    name = f"{photo.stem}{suffix}.png"
    if out is None:
        return photo.parent / name
    target = Path(out, name) if out.endswith(("/", os.sep)) or os.path.isdir(out) else Path(out)
    if format_of(target) is None:
        known = ", ".join(PREFERRED_EXTENSION.values())
        raise click.UsageError(f"--out {shown(out)}: expected an extension out of {known} (or a folder)")
    if problem := extra_problem(format_of(target)):
        raise ConfigurationError(problem)
    return target


def check(photo: Path, targets: Sequence[Path], weights_used: Sequence[str], overwrite: bool) -> None:
    """Find out before any work what would fail; raises ConfigurationError, click.UsageError or ClickException."""
    for name in weights_used:
        with refusing(ConfigurationError):
            weights.locate(name)
    for target in targets:
        if os.path.exists(target) and os.path.exists(photo) and os.path.samefile(target, photo):
            raise click.UsageError(f"{shown(target)} is the photo itself: give another --out")
        if os.path.lexists(target) and not (overwrite or os.path.isdir(target)):
            raise click.ClickException(f"{shown(target)}: already exists: use --overwrite to replace it")
        check_place(target)


def check_place(target: Path) -> None:
    """Find out before any work where a file cannot be written; raises click.ClickException."""
    from cartoonize.media.files import write_problem

    if problem := write_problem(target):
        raise click.ClickException(f"{shown(target)}: {problem}")


def load(weights_used: str, size: Size) -> Cartoonizer:
    """Load a generator; raises ConfigurationError where it cannot run."""
    from cartoonize.cartoonizer import Cartoonizer

    with refusing(ConfigurationError):
        return Cartoonizer(weights_used, size=size)


def tell_if_costly(image: Image, size: Size, cartoonizer: Cartoonizer) -> None:
    """Say before the work that a photo, uint8 (H, W, 3), is drawn so large that it takes very long."""
    from cartoonize.method.pixels import enlarging

    if costly := enlarging((image.shape[0], image.shape[1]), size, lambda: cartoonizer.card.short_side):
        click.echo(f"--size {size}: {costly}", err=True)


def read(photo: Path) -> Image:
    """Return a photo's pixels, uint8 (H, W, 3), the first frame of an animation, transparency laid on white.

    Says what was changed on the way; raises DecodeError.
    """
    from cartoonize.media import codec, opening
    from cartoonize.media.color import on_white

    opening.configure_pillow()
    decoded = codec.decode(photo)
    frame = decoded.frames[0]
    notes = [*decoded.notes] + ["only its first frame is shown"] * (len(decoded.frames) > 1)
    if frame.alpha is not None:
        notes.append("transparency flattened on white")
    for note in notes:
        click.echo(f"{shown(photo)}: {shown(note)}", err=True)
    return on_white(frame.pixels, frame.alpha)


def write(photo: Path, target: Path, picture: Image, overwrite: bool) -> None:
    """Write a picture made of a photo, in the format of the target's extension; raises click.ClickException."""
    from cartoonize.media import codec
    from cartoonize.media.files import write_atomically

    image_format = format_of(target) or "PNG"
    made = codec.Photo((codec.Frame(picture),), codec.Metadata(), image_format)
    with refusing(prefix=str(target)):
        data = codec.encode(made, codec.EncodeOptions(image_format)).data
        write_atomically(target, data, overwrite=overwrite)
    click.echo(f"{shown(photo)} -> {shown(target)}", err=True)
