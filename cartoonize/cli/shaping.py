"""What of the options shapes the results: for the converter, and in words for the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from cartoonize import __version__
from cartoonize.errors import shown
from cartoonize.films.options import FilmOptions
from cartoonize.jobs.converting import ConverterSpec
from cartoonize.jobs.remaking import Remake

if TYPE_CHECKING:
    from cartoonize.cli.options import Options
    from cartoonize.jobs.manifest import Settings


def settings_in_words(chosen: Options) -> dict[str, str]:
    """Return what of the options shaped the results, in words, for the page."""
    texts = {
        "Weights": shown(chosen.weights),
        "Working size": str(chosen.size or "720, smaller photos as they are"),
        "Output size": chosen.output_size,
        "Smooth": f"{chosen.smooth:g}",
        "Lines": "the look's own" if chosen.lines is None else f"{chosen.lines:g}",
        "Colours of the photo": f"{chosen.keep_colors:g}",
        "Strength": f"{chosen.strength:g}",
        "Device": chosen.device,
        "Format": chosen.format[1:] if chosen.format else "each photo's own",
        "Quality": str(chosen.quality or "default"),
        "Background": "#{:02x}{:02x}{:02x}".format(*chosen.background),
        "Metadata": "left out" if chosen.strip_metadata else "kept",
    }
    return {**texts, "Program": f"cartoonize {__version__}"}


def spec_of(chosen: Options, threads: int | None) -> ConverterSpec:
    """Return what any process builds the converter from, each photo on `threads` cores."""
    return ConverterSpec(
        weights=chosen.weights,
        size=chosen.size,
        output_size=chosen.output_size,
        smooth=chosen.smooth,
        lines=chosen.lines,
        keep_colors=chosen.keep_colors,
        strength=chosen.strength,
        device=chosen.device,
        precision=chosen.precision,
        threads=threads,
        quality=chosen.quality,
        background=chosen.background,
        strip_metadata=chosen.strip_metadata,
        salvage=chosen.salvage,
        timeout=chosen.timeout,
        thumbnails=chosen.review is not None,
    )


def film_options_of(chosen: Options) -> FilmOptions:
    """Return how films are converted."""
    return FilmOptions(
        codec=chosen.codec,
        crf=chosen.crf,
        preset=chosen.preset,
        start=chosen.start,
        end=chosen.end,
        steady=chosen.steady,
        background=chosen.background,
        strip_metadata=chosen.strip_metadata,
    )


def film_settings_of(chosen: Options) -> Settings:
    """Return what changes a film's result, fit for JSON; raises WeightsError."""
    options = asdict(film_options_of(chosen))
    for name in ("start", "end"):
        options[name] = options[name] and str(options[name])
    settings = {**spec_of(chosen, threads=1).settings(), **options, "background": list(chosen.background)}
    del settings["quality"]  # of pictures
    return settings


def remake_of(chosen: Options) -> Remake:
    """Return what is done about results that exist; raises WeightsError."""
    settings = spec_of(chosen, threads=1).settings()
    defaults = ConverterSpec.default_settings()
    return Remake(chosen.overwrite, chosen.update, settings, defaults, film_settings_of(chosen))
