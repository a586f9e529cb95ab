"""How many requests one host gets at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Limiter:
    """At most `per_host` requests to each host."""

    def __init__(self, per_host: int) -> None:
        self._per_host = per_host
        self._slots: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def slot(self, url: str) -> AsyncIterator[None]:
        """Wait for a free place at the host of a URL and hold it."""
        host = urlsplit(url).netloc
        slots = self._slots.setdefault(host, asyncio.Semaphore(self._per_host))
        async with slots:
            yield
