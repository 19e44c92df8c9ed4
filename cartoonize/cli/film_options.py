"""The options of the default command that are for films."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from cartoonize.cli.numbers import NumberRange, Time
from cartoonize.cli.words import Choice
from cartoonize.films.options import STEADY
from cartoonize.media.film.containers import CODECS

film_options: tuple[Callable[[Any], Any], ...] = (
    click.option("--videos", is_flag=True, help="Take the films of folders too; named ones are always taken."),
    click.option(
        "--codec",
        type=Choice(list(CODECS)),
        metavar="|".join(CODECS),
        help="Of films.  [default: h264, in WebM vp9]",
    ),
    click.option(
        "--crf",
        type=click.IntRange(min=0),
        metavar="N",
        help="Quality of films: lower is better and larger.  [default: 18 for h264]",
    ),
    click.option(
        "--preset", metavar="NAME", help="Effort of the encoder, in its own words.  [default: veryfast for h264]"
    ),
    click.option("--from", "start", type=Time(), metavar="TIME", help="Where in a film to begin: 12.5 or 1:02:03."),
    click.option("--to", "end", type=Time(), metavar="TIME", help="Where in a film to end."),
    click.option(
        "--steady",
        type=NumberRange(0, 1),
        default=STEADY,
        show_default=True,
        metavar="0..1",
        help="How far frames of a film are blended with those before, against flicker.",
    ),
)
