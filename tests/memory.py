"""Makes a folder in memory for what tests write, and prints its path; ends with 1 where none fits.

A container may have such a folder with little room, or one in which no program may be started.
"""

import os
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
CGROUPS = Path("/sys/fs/cgroup")
ROOM = 4 << 30
"""Bytes: all tests together have written one."""


def fits(place: Path) -> bool:
    """Is there room, for who runs the tests to write in, and may programs be there?"""
    try:
        there = os.statvfs(place)
    except OSError:
        return False
    free = there.f_bavail * there.f_frsize >= ROOM and _free_memory() >= ROOM
    return free and not there.f_flag & os.ST_NOEXEC and os.access(place, os.W_OK | os.X_OK)


def _free_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return min(int(rest.split()[0]) << 10, left_to_container(CGROUPS))
    return 0


def left_to_container(groups: Path) -> int:
    """Return how many bytes a container may take still, to which what lies in memory counts; a very
    large number where it has no limit. What is kept of files on disks makes room.
    """
    for limit, used, kept in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most, now = ((groups / name).read_text().strip() for name in (limit, used))
            stat = (groups / used).with_name("memory.stat").read_text()
        except OSError:
            continue
        rows = dict(row.rsplit(" ", 1) for row in stat.splitlines())
        return sys.maxsize if most == "max" else int(most) - int(now) + int(rows.get(kept, 0))
    return sys.maxsize


if __name__ == "__main__":
    if not fits(MEMORY):
        sys.exit(1)
    print(tempfile.mkdtemp(prefix="rlm-tests-", dir=MEMORY))
