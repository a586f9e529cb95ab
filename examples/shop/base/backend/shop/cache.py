"""A cache in memory, shared by all requests of one process."""

import time
from collections.abc import Callable
from typing import Any

from shop import settings

_entries: dict[str, tuple[float, Any]] = {}


def cached(key: str, compute: Callable[[], Any]) -> Any:
    """Return the value stored under `key`, computing it when it is absent or too old."""
    now = time.monotonic()
    entry = _entries.get(key)
    if entry is not None and now - entry[0] < settings.CACHE_SECONDS:
        return entry[1]
    value = compute()
    _entries[key] = (now, value)
    return value
