"""Makes a folder in memory for what tests write, and prints its path; ends with 1 where none fits.

A container may have such a folder with little room, or one in which no program may be started.
"""

import os
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
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
            return int(rest.split()[0]) << 10
    return 0


if __name__ == "__main__":
    if not fits(MEMORY):
        sys.exit(1)
    print(tempfile.mkdtemp(prefix="rlm-tests-", dir=MEMORY))
