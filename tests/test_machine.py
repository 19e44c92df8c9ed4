from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from cartoonize import machine

KB, MB = 1024, 2**20


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_units_for_bfloat16_are_a_flag_of_the_processor(tmp_path: Path) -> None:
    assert not machine.multiplies_bfloat16(tmp_path)
    for flags, expected in (("fpu avx512_bf16 amx_bf16 amx_tile", True), ("fpu avx512_bf16", False)):
        write(tmp_path, {"proc/cpuinfo": f"processor : 0\nflags\t\t: {flags}\n"})
        assert machine.multiplies_bfloat16(tmp_path) is expected


def test_what_the_machine_has_free(tmp_path: Path) -> None:
    write(tmp_path, {"proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    5000 kB\nBuffers: 1 kB\n"})
    assert machine.free_memory(tmp_path) == 5000 * KB


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="Linux only")
def test_agrees_with_psutil_outside_a_group_with_a_limit() -> None:
    assert machine.free_memory() <= psutil.virtual_memory().available * 1.1


def test_limit_of_a_control_group_binds_whichever_level_sets_it(tmp_path: Path) -> None:
    group = "sys/fs/cgroup/outer/inner"
    usage = {f"{group}/memory.current": str(60 * MB), f"{group}/memory.stat": f"anon 1\ninactive_file {10 * MB}\n"}
    write(
        tmp_path,
        {
            "proc/meminfo": f"MemAvailable: {9000 * KB} kB\n",
            "proc/self/cgroup": "0::/outer/inner\n",
            f"{group}/memory.max": str(100 * MB),
            **usage,
        },
    )
    assert machine.free_memory(tmp_path) == 50 * MB
    write(tmp_path, {f"{group}/memory.max": "max"})
    assert machine.free_memory(tmp_path) == 9000 * MB
    outer = "sys/fs/cgroup/outer"
    write(tmp_path, {f"{outer}/memory.max": str(70 * MB), f"{outer}/memory.current": str(65 * MB)})
    write(tmp_path, {f"{outer}/memory.stat": "inactive_file 0\n"})
    assert machine.free_memory(tmp_path) == 5 * MB


def test_control_group_of_version_1_seen_from_inside_a_container(tmp_path: Path) -> None:
    top = "sys/fs/cgroup/memory"
    write(
        tmp_path,
        {
            "proc/meminfo": f"MemAvailable: {9000 * KB} kB\n",
            "proc/self/cgroup": "5:devices:/\n4:memory:/docker/0815\n0::/\n",
            f"{top}/memory.limit_in_bytes": str(100 * MB),
            f"{top}/memory.usage_in_bytes": str(120 * MB),
            f"{top}/memory.stat": f"total_inactive_file {50 * MB}\n",
        },
    )
    assert machine.free_memory(tmp_path) == 30 * MB


def test_elsewhere_half_of_the_memory_is_taken_to_be_free(tmp_path: Path) -> None:
    assert machine.free_memory(tmp_path) > 100 * MB
