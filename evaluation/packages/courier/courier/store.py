"""Deliveries that are under way."""

import asyncio
from collections.abc import Callable

from courier.models import Delivery


class Store:
    """All deliveries, in memory. `now` is the clock that `due_at` is on, in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._deliveries: dict[str, Delivery] = {}
        self._changed = asyncio.Condition()

    async def add(self, delivery: Delivery) -> None:
        async with self._changed:
            self._deliveries[delivery.id] = delivery
            self._changed.notify()

    async def claim(self, worker: str) -> Delivery | None:
        """Return the delivery that is due first and nobody has; None if there is none."""
        async with self._changed:
            free = [
                one
                for one in self._deliveries.values()
                if one.claimed_by is None and one.due_at <= self._now()
            ]
            if not free:
                return None
            first = min(free, key=lambda one: one.due_at)
            first.claimed_by = worker
            return first

    async def release(self, delivery: Delivery, after_s: float) -> None:
        """Give a delivery back, to be claimed after some seconds."""
        async with self._changed:
            delivery.claimed_by = None
            delivery.due_at = self._now() + after_s
            self._changed.notify()

    async def finish(self, delivery: Delivery) -> None:
        """Forget a delivery: it was taken, or will never be."""
        async with self._changed:
            self._deliveries.pop(delivery.id, None)

    def waiting(self) -> int:
        return sum(one.claimed_by is None for one in self._deliveries.values())
