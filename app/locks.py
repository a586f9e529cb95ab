"""Locks on files: they go with the process that holds them."""

import fcntl
import os
from pathlib import Path


def taken(lock: int, kind: int = fcntl.LOCK_EX) -> bool:
    """Take the lock on an open file, if nobody is in the way; shared with others by `kind`."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_at(file: int, path: Path) -> bool:
    """Does an open file still have its name? Who has a lock may remove its file."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
