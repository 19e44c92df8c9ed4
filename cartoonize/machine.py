"""What this machine has to share: processor cores."""

from __future__ import annotations

import os


def available_cores() -> int:
    """Return the cores this process may use; `os.process_cpu_count` knows them from Python 3.13 on."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
