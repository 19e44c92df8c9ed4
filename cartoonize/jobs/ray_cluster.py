"""Joining a Ray cluster, and what its workers are."""

from __future__ import annotations

import os
import pickle
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from cartoonize.errors import CartoonizeError, first_line
from cartoonize.jobs.film_segments import SegmentItem, make_segment
from cartoonize.jobs.running import Outcome, attempt
from cartoonize.jobs.streaming import convert_and_write

if TYPE_CHECKING:
    from cartoonize.cartoonizer import Cartoonizer
    from cartoonize.jobs.converting import Converted, Converter, ConverterSpec
    from cartoonize.jobs.planning import Job
    from cartoonize.media.film.segments import Segment

_CONNECT_TIMEOUT = 10  # seconds
_STORE = 80 * 2**20  # bytes of Ray's object store, the least it takes: no pictures go through it


class ClusterError(CartoonizeError):
    """The cluster cannot be used, or has no worker left."""


@contextmanager
def cluster(address: str, cores: int) -> Iterator[None]:
    """Join a cluster while the block runs: "local" starts one here with so many cores, "auto" finds one.

    Raises ClusterError where there is none, or no Ray.
    """
    # Else what Ray has to say of workers goes to standard output, in the middle of --json; read when it is imported.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        import ray
    except ImportError as error:
        raise ClusterError("--ray needs the extra: pip install 'cartoonize[ray]'") from error
    place = _found(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
    if place == "local":
        options |= {"num_cpus": cores, "include_dashboard": False, "object_store_memory": _STORE}
        options["_node_ip_address"] = "127.0.0.1"  # no other machine has a business with it
    try:
        ray.init(place, **options)
    except Exception as error:
        raise ClusterError(f"--ray {place}: {first_line(error)}") from error
    try:
        for signum, handler in handlers.items():
            signal.signal(signum, handler)  # Ray puts one of its own in the place of ours
        yield
    finally:
        ray.shutdown()


def _found(address: str) -> str:
    """Return an address, that of RAY_ADDRESS in the place of "auto".

    Raises ClusterError where nobody listens: Ray itself would wait for minutes, and end the process.
    """
    place = (os.environ.get("RAY_ADDRESS") or "auto") if address == "auto" else address
    if place in ("local", "auto"):
        return place
    host, _, port = place.removeprefix("ray://").rpartition(":")
    if not host or "://" in host or not port.isdecimal():
        raise ClusterError(f"--ray {place}: expected local, auto, HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_TIMEOUT).close()
    except OSError as error:
        raise ClusterError(f"--ray {place}: no cluster there ({error.strerror or error})") from error
    return place


def worker_class() -> type:
    """Return the class of the workers. Made here so that it travels as code: a worker may lack this module."""

    class Worker:
        def __init__(self, version: str, spec: bytes) -> None:
            self._problem = ""
            try:
                import cartoonize.errors
            except ImportError:
                self._problem = "cartoonize is not installed there"
                return
            if cartoonize.__version__ != version:
                self._problem = f"cartoonize {cartoonize.__version__} is there, {version} here: install one on all"
                return
            from cartoonize.jobs.ray_cluster import work_of

            try:
                self._work = work_of(spec)
            except cartoonize.errors.CartoonizeError as error:
                self._problem = str(error)

        def hello(self) -> tuple[str, str]:
            import ray

            return ray.util.get_node_ip_address(), self._problem

        def do(self, job: Any) -> Any:
            return self._work(job)

    return Worker


def work_of(spec: bytes) -> Callable[[Job | SegmentItem], Outcome[Any, Any]]:
    """Return what a worker does with an item, made of a pickled ConverterSpec; raises CartoonizeError."""
    described: ConverterSpec = pickle.loads(spec)  # noqa: S301  from the driver that started this worker
    of_films = lru_cache(maxsize=1)(described.cartoonizer)  # loaded when the first segment comes
    return partial(attempt, partial(_done, described.build(), of_films))


def _done(
    converter: Converter, of_films: Callable[[], Cartoonizer], item: Job | SegmentItem
) -> Converted | Segment | None:
    if isinstance(item, SegmentItem):
        return make_segment(item, of_films())
    return convert_and_write(converter, item)
