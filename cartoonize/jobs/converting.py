"""One photo, from its source to the bytes of its result; and the description by which any process builds the same."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cartoonize.errors import AlreadyThereError
from cartoonize.jobs.manifest import Fingerprint, Origin, Settings
from cartoonize.jobs.requests import Made, Request
from cartoonize.media.formats import fits_all, format_of
from cartoonize.media.stores import File

if TYPE_CHECKING:
    from collections.abc import Callable

    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.generators.engines.engine import Precision
    from cartoonize.jobs.planning import Job
    from cartoonize.media.codec import EncodeOptions
    from cartoonize.media.fitting import Wanted
    from cartoonize.media.stores import Source
    from cartoonize.media.thumbnails import Thumbnails
    from cartoonize.method.pixels import Size

# Of a ConverterSpec, what changes no pixel of a photo that it can do (and weights, whose content counts).
_NO_SETTINGS = ("weights", "device", "precision", "threads", "thumbnails", "salvage", "timeout")


@dataclass(frozen=True)
class Converted:
    """A result: the bytes of its file, what the user should know, small pictures where they were asked for.

    origin: what made it, None where it was made of a stream. begins: of a film's stretch, the second at which it does.
    """

    data: bytes = b""
    notes: tuple[str, ...] = ()
    thumbnails: Thumbnails | None = None
    begins: float = 0.0
    origin: Origin | None = None

    @property
    def figures(self) -> dict[str, float]:
        """What else --json tells of it."""
        return {}


@dataclass(frozen=True)
class ConverterSpec:
    """What to load and how to convert: pickles, so that every process builds the same converter from it.

    weights to threads are `Cartoonizer`'s, lines to strength those of its `retouch`, quality to strip_metadata are
    `EncodeOptions`'; salvage is `codec.decode`'s; timeout: seconds a photo may take, in a process of its own then;
    thumbnails: whether a page will show the results.
    """

    weights: str = "fast"
    size: Size = None
    output_size: Literal["photo", "work"] = "photo"
    smooth: float = 1.0
    lines: float | None = None
    keep_colors: float = 0.0
    strength: float = 1.0
    device: str = "cpu"
    precision: Precision = "float16"
    threads: int | None = None
    quality: int | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    strip_metadata: bool = False
    salvage: bool = False
    timeout: float | None = None
    thumbnails: bool = False

    def build(self) -> Converter:
        """Return what converts photos; see `cartoonizer`."""
        return Converter(self, self.requests())

    def requests(self) -> Callable[[Request], Made]:
        """Return what converts requests, in a process of its own where there is a limit to its time."""
        work = partial(convert, self, self.cartoonizer())  # with a limit too: what cannot run here is found out now
        if self.timeout is None:
            return work
        from cartoonize.jobs.limited import LimitedConversion

        return LimitedConversion(replace(self, timeout=None).requests, self.timeout)

    def cartoonizer(self) -> Cartoonizer:
        """Load the generator, in the process that calls; raises CartoonizeError where it cannot run here.

        Sets Pillow's limits and BLAS to one thread, for the whole process: beside other photos more only cost time.
        """
        from threadpoolctl import threadpool_limits

        from cartoonize.cartoonizer import Cartoonizer
        from cartoonize.media import opening
        from cartoonize.method.retouch import Retouch

        opening.configure_pillow()
        threadpool_limits(1, user_api="blas")
        return Cartoonizer(
            self.weights,
            size=self.size,
            output_size=self.output_size,
            smooth=self.smooth,
            retouch=Retouch(self.lines, self.keep_colors, self.strength),
            device=self.device,
            precision=self.precision,
            threads=self.threads,
        )

    def settings(self) -> Settings:
        """Return what changes a result, fit for JSON: the weights by their content. Raises WeightsError."""
        from cartoonize.generators import weights

        return {**_settings(self), "weights": weights.fingerprint(weights.locate(self.weights))}

    @staticmethod
    def default_settings() -> Settings:
        """Return the settings, but for the weights, where none is given."""
        return _settings(ConverterSpec())

    def wanted(self, file_format: str) -> Wanted:
        """Return what is wanted of a photo whose result has a format."""
        from cartoonize.media.fitting import Wanted

        return Wanted(file_format, self.size, self.output_size)

    def fits_all(self, file_format: str, photo_format: str | None) -> bool:
        """Whether every photo of a format has a result in another, so that no header needs to be read to know."""
        return self.size is None and fits_all(file_format, photo_format)

    def encode_options(self, file_format: str) -> EncodeOptions:
        """Return how a result is written in a format."""
        from cartoonize.media.codec import EncodeOptions

        return EncodeOptions(file_format, self.quality, self.background, self.strip_metadata)


class Converter:
    """Job -> Converted; may be called from several threads."""

    def __init__(self, spec: ConverterSpec, work: Callable[[Request], Made]) -> None:
        self._settings = spec.settings()
        self._work = work

    def __call__(self, job: Job) -> Converted:
        """Decode, cartoonize and encode; raises CartoonizeError, AlreadyThereError where another run was first."""
        if job.action == "write" and job.target and job.target.exists():
            raise AlreadyThereError  # made by another run since the plan: no need to compute it
        photo = _fingerprint(job.source)
        request = Request(job.source.content(), job.format, isinstance(job.source, File), isinstance(job.target, File))
        made = self._work(request)
        origin = Origin(photo, self._settings) if photo else None
        return Converted(made.data, made.notes, made.thumbnails, origin=origin)


def convert(spec: ConverterSpec, cartoonizer: Cartoonizer, request: Request) -> Made:
    """Decode, cartoonize and encode; raises CartoonizeError. A large photo is let go before it is encoded."""
    from cartoonize.media import codec, thumbnails
    from cartoonize.media.formats import result_format

    if request.format and _may_be_unfit(spec, request.content, request.format):
        cartoonizer.check(request.content, request.format, salvage=spec.salvage)
    picture = codec.decode(request.content, salvage=spec.salvage)
    options = spec.encode_options(request.format or result_format(picture.format))
    picture = codec.held(picture, options.format)  # before what is not kept is drawn
    if spec.output_size == "photo":
        codec.check_size(picture, options.format)
    before = thumbnails.of_photo(picture, is_file=request.is_file) if spec.thumbnails else None
    picture = cartoonizer.photo(picture)
    both, notes = None, picture.notes
    if before:
        both = thumbnails.Thumbnails(before, thumbnails.of_result(picture, options, is_file=request.makes_file))
    prepared = codec.prepare(picture, options, use_up=True)
    del picture
    encoded = prepared.encoded()
    return Made(encoded.data, (*notes, *encoded.notes), both)


def _may_be_unfit(spec: ConverterSpec, source: Path | bytes, file_format: str) -> bool:
    """Whether a header is worth a look before decoding; a pipe can be read only once."""
    if isinstance(source, bytes):
        return not spec.fits_all(file_format, None)
    return not spec.fits_all(file_format, format_of(source)) and os.path.isfile(source)


def _settings(spec: ConverterSpec) -> Settings:
    values = {field.name: getattr(spec, field.name) for field in fields(spec) if field.name not in _NO_SETTINGS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _fingerprint(source: Source) -> Fingerprint | None:
    """Take that of a file; of a stream, which is read once, there is none."""
    if not isinstance(source, File) or not os.path.isfile(source.path):
        return None
    try:
        return Fingerprint.of(source.path)
    except OSError:  # decoding will say what is wrong
        return None


def look_at(job: Job) -> Converted:
    """Return the thumbnails of a photo and of its result that exists; raises DecodeError. Files only."""
    from cartoonize.media import thumbnails

    if not isinstance(job.source, File) or not isinstance(job.target, File):
        return Converted()
    if job.film:
        return Converted(thumbnails=thumbnails.of_films(job.source.path, job.target.path))
    return Converted(thumbnails=thumbnails.of_files(job.source.path, job.target.path))
