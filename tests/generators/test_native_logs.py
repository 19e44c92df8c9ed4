from __future__ import annotations

import os
import subprocess
import sys
import threading

from cartoonize.generators.native_logs import native_stderr_silenced


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def test_two_threads_that_overlap_leave_standard_error_as_it_was() -> None:
    before = os.fstat(2)
    entered, left = threading.Event(), threading.Event()

    def second() -> None:
        with native_stderr_silenced():
            entered.set()
            left.wait(600)

    with native_stderr_silenced():
        other = threading.Thread(target=second)
        other.start()
        assert entered.wait(600)
    assert not same_file(os.fstat(2), before)  # the other thread is still inside
    left.set()
    other.join()
    assert same_file(os.fstat(2), before)


def test_an_error_inside_puts_it_back() -> None:
    before = os.fstat(2)
    try:
        with native_stderr_silenced():
            assert not same_file(os.fstat(2), before)
            raise KeyError
    except KeyError:
        pass
    assert same_file(os.fstat(2), before)


def test_with_standard_error_closed_the_generator_loads() -> None:
    code = "import os; os.close(2); from cartoonize import Cartoonizer; Cartoonizer('fast'); print('loaded')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.stdout == "loaded\n"
