"""A `Model` that hands requests in together, through the Message Batches API, at half price.

For runs that nobody waits for: a batch is answered within a day, usually within an hour. What
arrives within a moment goes into one batch; the recursion makes a batch of each of its levels.

A batch outlives the process: what was handed in is written down, by digests of the requests, and a
run that is taken up again takes its answers from there, before it hands anything in.
"""

import asyncio
import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reviewer.errors import RlmError
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Reply, Request, Unanswered
from reviewer.model.wire import Malformed, reply_of

BATCH_SHARE = 0.5
"""What a token of a batch costs, in prices of usual ones."""

BATCH_CALLS = 10_000
"""Requests that wait at a time. The service takes 100,000 in a batch; our own memory does not."""

BATCH_TIMEOUT_S = 26 * 3_600.0
"""A batch that is not answered within 24 hours expires; two more for the last look."""

BATCH_BYTES = 200_000_000
"""Of one batch's bodies; the service takes 256 MB."""

GATHER_S = 2.0
"""How long after the last request the next one is waited for before they are handed in."""

FIRST_POLL_S, LAST_POLL_S = 5.0, 60.0
"""Between two looks at a batch: each wait is a half longer than the one before."""

KEPT_S = 2 * 86_400.0
"""What was handed in longer ago has been answered or has expired."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")

Say = Callable[[str], None]


@dataclass
class _Batch:
    """A batch that was handed in, with those of its requests that somebody waits for."""

    name: str
    ids: frozenset[str]
    waiting: dict[str, list["asyncio.Future[Any]"]] = field(default_factory=dict)
    results: dict[str, Any] | None = None
    recalled: bool = False
    task: "asyncio.Task[None] | None" = None


class BatchModel:
    """Implements `Model` over another's address and dialect. Lives on one event loop.

    Its calls take hours: `complete` keeps no time limit but BATCH_TIMEOUT_S, whatever it is given.
    `folder` is where open batches are written down, `say` is told about each.
    """

    def __init__(
        self,
        model: AnthropicModel,
        folder: Path,
        say: Say,
        *,
        gather_s: float = GATHER_S,
        first_poll_s: float = FIRST_POLL_S,
        most_bytes: int = BATCH_BYTES,
    ) -> None:
        self._model = model
        self._folder = folder
        self._say = say
        self._gather_s = gather_s
        self._first_poll_s = first_poll_s
        self._most_bytes = most_bytes
        self._new: dict[str, tuple[dict[str, Any], int]] = {}
        self._waiting: dict[str, list[asyncio.Future[Any]]] = {}
        self._bytes = 0
        self._latest = 0.0
        self._gathering: asyncio.Task[None] | None = None
        self._open: dict[str, _Batch] = {}
        self._known: dict[str, _Batch] = {}
        self._read = False

    async def complete(
        self, request: Request, timeout_s: float, begun: Callable[[], None] | None = None
    ) -> Reply:
        """Have a request answered in the next batch, or in one that it was handed in with before.

        `begun` is called at once: nobody has to wait for anybody in a batch.
        """
        if begun is not None:
            begun()

        async def send(body: dict[str, Any]) -> Reply:
            return await self._answered(body)

        try:
            async with asyncio.timeout(BATCH_TIMEOUT_S):
                return await self._model.adapted(request, send)
        except TimeoutError:
            raise Unanswered("the batch was not answered within a day", billed=True) from None

    async def count(self, request: Request) -> int:
        """Return the exact number of input tokens of a request; costs nothing."""
        return await self._model.count(request)

    async def aclose(self) -> None:
        """End what waits. Batches that nobody took the answers of are given up at the service.

        Not those of another process, unless somebody waited for them here: it may still be there,
        or come back for them.
        """
        tasks = [batch.task for batch in self._open.values()] + [self._gathering]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)
        for batch in self._open.values():
            if batch.results is None and (batch.waiting or not batch.recalled):
                with suppress(RlmError, TimeoutError):
                    async with asyncio.timeout(10.0):
                        await (await self._model.service()).cancel_batch(batch.name)

    async def __aenter__(self) -> "BatchModel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _answered(self, body: dict[str, Any]) -> Reply:
        self._recall()
        written = json.dumps(body, ensure_ascii=True)
        name = hashlib.sha256(written.encode()).hexdigest()[:60]
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if name in self._known:
            self._await_in(self._known[name], name, future)
        else:
            self._waiting.setdefault(name, []).append(future)
            self._new[name] = body, len(written)
            self._bytes += len(written)
            self._latest = time.monotonic()
            if self._gathering is None or self._gathering.done():
                self._gathering = asyncio.create_task(self._gather())
        return await self._meant(await future, str(body["model"]))

    async def _meant(self, result: Any, model: str) -> Reply:
        """Return the reply that a result is, or raise what it means."""
        match result:
            case {"type": "succeeded", "message": message}:
                try:
                    return reply_of(message)
                except Malformed as error:
                    raise Unanswered(
                        f"the answer could not be read: {error}", billed=True
                    ) from None
            case {"type": "errored", "error": error}:
                raise (await self._model.service()).meaning(error, model)
            case {"type": "canceled"}:
                raise Unanswered("the batch was given up before this was answered")
            case {"type": "expired"}:
                raise Unanswered("the batch expired before this was answered")
            case RlmError():
                raise result
        raise Unanswered("the batch has no answer to this", billed=True)

    # Handing in

    async def _gather(self) -> None:
        """Wait until no more requests come, and hand in those that there are."""
        while self._new:
            while (left := self._latest + self._gather_s - time.monotonic()) > 0:
                if self._bytes >= self._most_bytes or len(self._new) >= BATCH_CALLS:
                    break
                await asyncio.sleep(left)
            bodies = self._next()
            await self._hand_in(bodies, {name: self._waiting.pop(name) for name in bodies})

    def _next(self) -> dict[str, dict[str, Any]]:
        """Take out as many of the new requests, in their order, as one batch may have."""
        taken: dict[str, dict[str, Any]] = {}
        total = 0
        for name, (body, size) in self._new.items():
            if taken and (total + size > self._most_bytes or len(taken) >= BATCH_CALLS):
                break
            taken[name] = body
            total += size
        for name in taken:
            del self._new[name]
        self._bytes -= total
        return taken

    async def _hand_in(
        self, bodies: dict[str, dict[str, Any]], waiting: dict[str, list["asyncio.Future[Any]"]]
    ) -> None:
        try:
            name = await (await self._model.service()).send_batch(bodies)
        except RlmError as error:
            for future in (one for futures in waiting.values() for one in futures):
                if not future.done():
                    future.set_result(error)
            return
        batch = _Batch(name, frozenset(bodies), waiting)
        self._write_down(batch)
        calls = "1 request" if len(bodies) == 1 else f"{len(bodies):,} requests"
        self._say(f"handed in a batch of {calls}; answers may take up to a day")
        self._follow(batch)

    def _follow(self, batch: _Batch) -> None:
        self._open[batch.name] = batch
        self._known.update(dict.fromkeys(batch.ids, batch))
        batch.task = asyncio.create_task(self._polled(batch))

    def _await_in(self, batch: _Batch, name: str, future: "asyncio.Future[Any]") -> None:
        if batch.results is None:
            batch.waiting.setdefault(name, []).append(future)
        else:
            future.set_result(batch.results.get(name))

    async def _polled(self, batch: _Batch) -> None:
        """Look at a batch until it has ended, and give its results to who waits for them."""
        wait_s = self._first_poll_s
        service = await self._model.service()
        while True:
            await asyncio.sleep(wait_s)
            wait_s = min(LAST_POLL_S, wait_s * 1.5)
            try:
                if await service.batch_ended(batch.name):
                    batch.results = await service.batch_results(batch.name)
                    break
            except Unanswered:
                continue  # a day is long, and the network is not always there
            except RlmError as error:
                # One that an earlier process handed in may be another account's by now.
                gone = {"type": "expired"} if batch.recalled else error
                batch.results = dict.fromkeys(batch.ids, gone)
                break
        for name in batch.ids:
            result = batch.results.get(name)
            # What was not answered may be handed in again.
            if not (isinstance(result, dict) and result.get("type") == "succeeded"):
                self._known.pop(name, None)
        for name, futures in batch.waiting.items():
            result = batch.results.get(name)
            for future in futures:
                if not future.done():
                    future.set_result(result)
        with suppress(OSError):
            if all(name in batch.waiting for name in batch.ids):
                self._file(batch.name).unlink(missing_ok=True)

    # On the disk

    def _recall(self) -> None:
        """Take up the batches that an earlier process handed in."""
        if self._read:
            return
        self._read = True
        for file in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            with suppress(OSError, ValueError, TypeError):
                if time.time() - file.stat().st_mtime > KEPT_S:
                    file.unlink()
                    continue
                ids = json.loads(file.read_text(encoding="ascii"))
                sound = isinstance(ids, list) and all(_ID.fullmatch(one) for one in ids)
                if sound and _ID.fullmatch(file.stem):
                    self._follow(_Batch(file.stem, frozenset(ids), recalled=True))

    def _write_down(self, batch: _Batch) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._file(batch.name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="ascii") as opened:
                json.dump(sorted(batch.ids), opened)
        except OSError as error:
            self._say(f"warning: the batch {batch.name} is not written down: {error.strerror}")

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"
