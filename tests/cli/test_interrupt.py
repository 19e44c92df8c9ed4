"""An interrupt that Python swallows, because it surfaces inside __del__, stops the run all the same."""

from __future__ import annotations

import signal

import pytest

from ..cli.test_app import FAKE, folder, process, save  # noqa: F401  `folder` is a fixture

SWALLOWED = FAKE.replace(
    "cartoonizer.Cartoonizer = Fake",
    """
import signal
from cartoonize.jobs import committing

class Dying:
    def __del__(self):
        signal.raise_signal(signal.{name})

def commit(job, converted, commit=committing.commit, **settings):
    commit(job, converted, **settings)
    Dying()

from cartoonize.cli import convert
convert.commit = commit
cartoonizer.Cartoonizer = Fake
""",
)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_interrupt_inside_del_stops_the_run(name: str, code: int) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    save("in/a.jpg")
    save("in/b.jpg", "in/c.jpg", width=17)  # of a width that takes a minute
    ended = process("in", "--out", "out", driver=SWALLOWED.replace("{name}", name))
    assert ended.returncode == code
    assert b"interrupted: 0 done, 3 left" in ended.stderr or b"interrupted: 1 done, 2 left" in ended.stderr
    assert b"Exception ignored" not in ended.stderr
