"""The loop that delivers."""

import asyncio
from collections.abc import Callable

from courier import retry
from courier.config import Config
from courier.journal import Journal
from courier.limiter import Limiter
from courier.models import Answer, Delivery
from courier.signing import sign
from courier.store import Store
from courier.transport import Transport, Unreachable

IDLE_S = 0.5


class Worker:
    """Claims deliveries one after the other and sends them."""

    def __init__(
        self,
        name: str,
        store: Store,
        transport: Transport,
        limiter: Limiter,
        journal: Journal,
        config: Config,
        *,
        secret: bytes,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self._store = store
        self._transport = transport
        self._limiter = limiter
        self._journal = journal
        self._config = config
        self._secret = secret
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop."""
        while not stop.is_set():
            if not await self.step():
                await asyncio.sleep(IDLE_S)

    async def step(self) -> bool:
        """Make one attempt; False where nothing is due."""
        delivery = await self._store.claim(self.name)
        if delivery is None:
            return False
        delivery.attempts += 1
        answer = await self._send(delivery)
        self._journal.write(
            delivery=delivery.id,
            attempt=delivery.attempts,
            status=None if answer is None else answer.status,
        )
        if answer is not None and answer.taken:
            await self._store.finish(delivery)
        elif retry.is_final(answer, delivery, self._config):
            await self._store.finish(delivery)
        else:
            await self._store.release(delivery, retry.wait_s(delivery, self._config))
        return True

    async def _send(self, delivery: Delivery) -> Answer | None:
        headers = {"courier-signature": sign(delivery.body, self._secret, int(self._clock()))}
        async with self._limiter.slot(delivery.url):
            try:
                return await self._transport.post(
                    delivery.url, delivery.body, headers, self._config.timeout_s
                )
            except Unreachable:
                return None
