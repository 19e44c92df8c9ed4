"""Films of a run over stores, of one shard, or on a cluster: after the photos, one after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from cartoonize.cli import words
from cartoonize.cli.films import about, loaded
from cartoonize.cli.refusals import ConfigurationError, refusing
from cartoonize.cli.shaping import film_options_of, film_settings_of, spec_of
from cartoonize.errors import EncodeError
from cartoonize.jobs.filming import FilmJob, look_over
from cartoonize.jobs.ray_cluster import cluster
from cartoonize.jobs.ray_running import Crew, run_on_cluster
from cartoonize.jobs.running import run
from cartoonize.jobs.sharing import share, worker_memory
from cartoonize.jobs.sources import Line
from cartoonize.jobs.staging import convert_staged
from cartoonize.jobs.streaming import is_work
from cartoonize.media.film.containers import is_film
from cartoonize.remote.urls import Url, UrlError, parse

if TYPE_CHECKING:
    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.cli.options import Options
    from cartoonize.cli.report import Report
    from cartoonize.jobs.planning import Job
    from cartoonize.jobs.running import Outcome

_SEGMENTS = 10**6  # of a film there may be, while nobody knows


def names_film(item: str | Line) -> bool:
    """Whether an input is a film by its name, a file or an address."""
    name = item.text if isinstance(item, Line) else item
    with suppress(UrlError):
        place = parse(name) if words.is_address(name) else name
        return is_film(PurePath(place.name if isinstance(place, Url) else name))
    return False


def foreseen_films(
    jobs: Iterable[Job], chosen: Options, told: dict[Job, Mapping[str, float]]
) -> Generator[Job, None, None]:
    """Pass the jobs of a dry run on, and put into `told` what is known of films before their job is passed on.

    Films that lie elsewhere are not brought here for that. With --ray nobody knows how fast the machines are.
    """
    cartoonizer: Cartoonizer | None = None
    for job in jobs:
        if not job.film or not is_work(job):
            yield job
            continue
        try:
            film = look_over(job, film_options_of(chosen))
        except EncodeError as error:
            film = replace(job, action="fail", target=None, reason=str(error))
        if isinstance(film, FilmJob):
            cartoonizer = cartoonizer or (None if chosen.ray else loaded(chosen))
            told[job] = about(film, cartoonizer)
        yield job if isinstance(film, FilmJob) else film


def run_streamed_films(films: list[Job], chosen: Options, report: Report) -> Iterator[Outcome[Job, Any]]:
    """Convert films, here or on the cluster, and yield how each ended."""
    if chosen.ray:
        yield from _on_cluster(films, chosen, report)
        return
    cartoonizer, options = loaded(chosen), film_options_of(chosen)
    for job in films:
        with report.film(str(job.source)) as tell, ExitStack() as left:
            work = partial(
                convert_staged,
                options=options,
                settings=film_settings_of(chosen),
                cartoonizer=cartoonizer,
                tell=tell,
                left=left,
                thumbnails=chosen.review is not None,
            )
            (outcome,) = run([job], work, workers=1)
        yield outcome
        if chosen.fail_fast and outcome.status == "failed":
            return


def _on_cluster(films: list[Job], chosen: Options, report: Report) -> Generator[Outcome[Job, Any]]:
    from cartoonize.generators.generator import load
    from cartoonize.jobs.ray_filming import FilmsOnCluster

    with refusing(ConfigurationError):
        generator = load(chosen.weights)
    cores, crew = 1, Crew(chosen.jobs, 1, worker_memory(generator, chosen.size), chosen.device.startswith("gpu"))
    if chosen.ray == "local":
        shared = share(_SEGMENTS, generator, chosen.size, chosen.device, chosen.jobs)
        cores = shared.workers * shared.threads
        crew = Crew(shared.workers, shared.threads, 0)
    with refusing(ConfigurationError):
        cartoonizer = spec_of(chosen, crew.cores).cartoonizer()
    on_cluster = FilmsOnCluster(
        films,
        film_options_of(chosen),
        film_settings_of(chosen),
        cartoonizer,
        report.film,
        thumbnails=chosen.review is not None,
        fail_fast=chosen.fail_fast,
    )
    spec = spec_of(chosen, crew.cores)
    with cluster(str(chosen.ray), cores):
        yield from on_cluster.outcomes(lambda items: run_on_cluster(items, spec, crew, tell=report.note))
