import asyncio
import tempfile
from pathlib import Path

from courier.config import Config
from courier.journal import Journal
from courier.limiter import Limiter
from courier.models import Answer, Delivery
from courier.store import Store
from courier.worker import Worker
from tests.fakes import FakeTransport


def test_what_is_not_taken_is_tried_again_later():
    async def main():
        now = [100.0]
        store = Store(lambda: now[0])
        with tempfile.TemporaryDirectory() as folder:
            worker = Worker(
                "w",
                store,
                FakeTransport(Answer(500), Answer(200)),
                Limiter(1),
                Journal(Path(folder) / "j"),
                Config(),
                secret=b"s",
                clock=lambda: now[0],
            )
            await store.add(Delivery("d", "https://a.example/hook", b"{}"))
            assert await worker.step()
            assert not await worker.step()
            now[0] += 5
            assert await worker.step()
            assert store.waiting() == 0

    asyncio.run(main())
