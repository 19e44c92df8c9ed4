"""The names given while listing are those given to what is known at once, whatever the photos are called."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from cartoonize.jobs.planning import plan
from cartoonize.jobs.remote_naming import groups
from cartoonize.jobs.remote_planning import plan_stream
from cartoonize.jobs.remote_sources import Spot
from cartoonize.media.stores import File

STEMS = ["a", "b", "a_png", "a-2", "a-3", "a.b", "a.b.c", "a_cartoon", "a-2_cartoon", "a_png_cartoon", "c_cartoon"]
STEMS += ["a_compare", "a_inspect", "a_inspect_x", "a-2_cartoon_cartoon"]
names = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "s/", "a/", "s/a.b/"]),
    st.sampled_from(STEMS),
    st.sampled_from([".jpg", ".png", ".webp"]),
)


@settings(max_examples=400)
@given(
    photos=st.sets(names, max_size=12),
    out=st.sampled_from([None, "out", "in", "in/s", "."]),
    extension=st.sampled_from([None, ".jpg", ".png"]),
    single=st.sampled_from([(), ("in/a.png",)]),
)
def test_a_stream_is_named_as_what_is_known_at_once(
    photos: set[str], out: str | None, extension: str | None, single: tuple[str, ...]
) -> None:
    with TemporaryDirectory() as name:
        here = os.getcwd()
        os.chdir(name)
        try:
            for photo in {*photos, *(one.removeprefix("in/") for one in single)}:
                path = Path("in", photo)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            Path("in").mkdir(exist_ok=True)
            inputs: list[str | Path] = ["in", *single]
            at_once = plan(inputs, out=out, extension=extension)
            stream = plan_stream(inputs, out=out, extension=extension)
            streamed = {(str(job.source), str(job.target), job.action) for job in stream.jobs}
            assert streamed == {(str(job.source), str(job.target), job.action) for job in at_once.jobs}
            assert sorted(stream.earlier) == sorted(map(str, at_once.earlier))
        finally:
            os.chdir(here)


@given(st.sets(st.text(alphabet="ab./-", min_size=1, max_size=8).map(lambda text: f"{text}x.jpg"), max_size=30))
def test_groups_are_all_places_with_one_stem(places: set[str]) -> None:
    together = [*places, *(place[:-3] + "png" for place in places if "a" in place)]
    grouped = list(groups(Spot(place, File(Path(place))) for place in sorted(together)))
    found = [frozenset(spot.place for spot in group) for group in grouped]
    stems = {place.rpartition(".")[0] for place in places}
    assert len(found) == len(stems)
    assert set(found) == {frozenset(p for p in together if p.rpartition(".")[0] == stem) for stem in stems}
