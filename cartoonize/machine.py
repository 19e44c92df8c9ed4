"""What this machine has to share: processor cores and memory."""

from __future__ import annotations

import os
from pathlib import Path


def available_cores() -> int:
    """Return the cores this process may use; `os.process_cpu_count` knows them from Python 3.13 on."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def multiplies_bfloat16(root: Path = Path("/")) -> bool:
    """Tell whether the processor has units for matrices of bfloat16 (AMX), as Linux knows; False elsewhere."""
    try:
        flags = (root / "proc/cpuinfo").read_text()
    except OSError:
        return False
    return "amx_bf16" in flags.split()


def free_memory(root: Path = Path("/")) -> int:
    """Return the bytes this process may still take: what the machine has free, or its control group if that is less.

    Where neither tells (not Linux), half of the machine's memory. `root` is where /proc and /sys are looked for.
    """
    known = [free for free in (_machine_free(root), *_group_free(root)) if free is not None]
    return min(known) if known else _physical_memory() // 2


def _machine_free(root: Path) -> int | None:
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    available = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(available) * 1024 if available else None


def _group_free(root: Path) -> list[int]:
    """Return what each control group around this process has free: the limit of any of them binds."""
    free = []
    for folder, limit, used, cache in _groups(root):
        try:
            most, now = (int((folder / name).read_text()) for name in (limit, used))
            statistics = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # no such controller here, or no limit: "max"
            continue
        free.append(max(0, most - now + int(statistics.get(cache, 0))))  # files in the cache give way
    return free


def _groups(root: Path) -> list[tuple[Path, str, str, str]]:
    """Return the folders of the groups this process is in, of version 2 and 1, with the names of what is read there."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    groups = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            top = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        own = top / path.lstrip("/")
        groups += [(folder, *names) for folder in (own, *own.parents) if folder == top or top in folder.parents]
    return groups


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return 4 * 2**30
