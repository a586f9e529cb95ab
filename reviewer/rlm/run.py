"""One run: what every node of the tree shares, and the one place where a run is told to stop."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from reviewer.errors import GiveUp, TellUser
from reviewer.model.base import Model, Reply, Usage
from reviewer.model.gate import Gate
from reviewer.ports import Cancelled
from reviewer.request import Caps, StopReason
from reviewer.rlm.budget import Account, Amount, Limit
from reviewer.rlm.journal import Journal
from reviewer.rlm.memory import MemoryJournal
from reviewer.rlm.recording import Recording
from reviewer.rlm.sandbox import Sandbox
from reviewer.rlm.task import Tier
from reviewer.rlm.trace import Note, TraceSink

T = TypeVar("T")

WINDOW_TOKENS = 8_000
"""A scope up to this size is read whole by one node. Small on purpose: eight of eight models find
fewer defects the more they are shown at once (arXiv:2603.26130), and a plain model beats
recursion below about 16,000 tokens (arXiv:2512.24601, figure 1)."""

Thinking = Literal["low", "medium", "high"]
"""How hard the model thinks, where it can be told; None is the model's own default."""

OUTPUT_TOKENS = 8_000
"""Room for a reply: thinking and a result with a dozen findings. A longer one is truncated."""

CONCURRENCY = 8
"""Calls in flight at the most; the gate lowers it when the service is busy."""

READERS = 2
"""Nodes that read at a time, for each call that may be in flight: some run code meanwhile. The rest
wait before they have built their prompts: those take memory, and time before the first call."""

CALL_TIMEOUT_S = 300.0
"""One attempt. 8,000 tokens at a slow 40 a second take 200 s."""

FIRST_WAIT_S = 1.0
"""Before the second try of a call; each further wait is twice the one before."""

GRACE_S = 0.1
"""Between the word to stop and the end of what is under way. What stops one call, a refused key,
say, is often about to be told to others too; cut off just before, they would count as charged."""

POLL_S = 0.1
"""How often a run asks whether it was cancelled. A person waits no longer than this for Ctrl-C."""


class Stopped(GiveUp):
    """The run, or this part of it, ended before its work was done."""

    def __init__(self, reason: StopReason, why: str) -> None:
        super().__init__(why)
        self.reason = reason


class Pricing(Protocol):
    """What calls cost. `None` is an unknown price, never a free one."""

    def cost(self, model: str, usage: Usage) -> float | None: ...

    def worst(self, model: str, input_tokens: int, max_tokens: int) -> float | None: ...

    def window(self, model: str) -> int: ...


@dataclass
class Run:
    """What the nodes of one run share. Made by `open_run`; lives on one event loop.

    `name` is the strong model, `cheap` the other one, which may be the same. `flying` and `warming`
    belong to `rlm.call`; a node that reads is inside of `reading`, one that waits for others never.
    """

    model: Model
    name: str
    cheap: str
    prices: Pricing
    caps: Caps
    sink: TraceSink
    sandbox: Sandbox
    gate: Gate
    reading: asyncio.Semaphore
    account: Account
    journal: Journal
    tenant: str = ""
    recording: Recording | None = None
    window: int = WINDOW_TOKENS
    thinking: Thinking | None = None
    output_tokens: int = OUTPUT_TOKENS
    call_timeout_s: float = CALL_TIMEOUT_S
    first_wait_s: float = FIRST_WAIT_S
    started: float = field(default_factory=time.monotonic)
    calls: int = 0
    answered: int = 0
    replayed: int = 0
    warming: dict[str, asyncio.Event] = field(default_factory=dict)
    flying: dict[bytes, "asyncio.Future[Reply | None]"] = field(default_factory=dict)
    counted: set[bytes] = field(default_factory=set)
    _working: dict[object, "asyncio.Task[Any]"] = field(default_factory=dict)
    _stopped: Stopped | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def spent(self) -> Amount:
        """What the run cost so far, with what it lost in an earlier process that was cut off."""
        return self.account.spent + self.journal.lost

    def model_of(self, tier: Tier) -> str:
        """Return the name of the model that a task of this tier asks."""
        return self.name if tier == "strong" else self.cheap

    @property
    def stopped(self) -> Stopped | None:
        """Why the whole run was told to stop, if it was."""
        return self._stopped

    def halt(self, reason: StopReason, why: str) -> Stopped:
        """Tell every node to end with what it has; the first reason given stays."""
        if self._stopped is None:
            self._stopped = Stopped(reason, why)
            self.sink(Note(why))
            asyncio.get_running_loop().call_later(GRACE_S, self._cut_off)
        return self._stopped

    def _cut_off(self) -> None:
        working, self._working = self._working, {}
        for task in working.values():
            task.cancel()

    def check(self) -> None:
        """Raise Stopped if the run was told to stop."""
        if self._stopped is not None:
            raise self._stopped

    async def unless_stopped(self, work: Awaitable[T]) -> T:
        """Await `work`, but cancel it and raise Stopped as soon as the run is told to stop.

        As `asyncio.timeout` does it, without a task for each: there are thousands of calls.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a run lives in tasks")
        if self._stopped is not None and asyncio.iscoroutine(work):
            work.close()
        self.check()
        asked, mark = task.cancelling(), object()
        self._working[mark] = task
        try:
            return await work
        except asyncio.CancelledError:
            if mark not in self._working and task.uncancel() <= asked:
                self.check()
            raise
        finally:
            self._working.pop(mark, None)


@dataclass(frozen=True)
class Seat:
    """Where a node sits: its run, its account, its name in the trace, its parent, its depth.

    `behind`: what it asks now may wait until all that is still to be read has been asked.
    """

    run: Run
    account: Account
    name: str = "1"
    parent: str | None = None
    depth: int = 1
    behind: bool = False

    def below(self, index: int, account: Account) -> "Seat":
        """Return the seat of the child with that index (from 0)."""
        return Seat(self.run, account, f"{self.name}.{index + 1}", self.name, self.depth + 1)


@asynccontextmanager
async def open_run(
    model: Model,
    name: str,
    prices: Pricing,
    *,
    caps: Caps,
    sink: TraceSink,
    cancelled: Cancelled,
    cheap: str | None = None,
    journal: Journal | None = None,
    tenant: str = "",
    recording: Recording | None = None,
    window: int = WINDOW_TOKENS,
    thinking: Thinking | None = None,
    output_tokens: int = OUTPUT_TOKENS,
    concurrency: int = CONCURRENCY,
    call_timeout_s: float = CALL_TIMEOUT_S,
    first_wait_s: float = FIRST_WAIT_S,
) -> AsyncIterator[Run]:
    """Open a run: its workers, its account and the watch over its deadline and its user.

    Without a `journal` replies are remembered for the length of the run. `tenant` keeps what one
    installation paid for from the others.
    """
    for one in (name, cheap or name):
        if caps.usd is not None and prices.worst(one, 1, 1) is None:
            raise TellUser(
                f"The price of the model {one!r} is not known, so a cap in dollars cannot be kept.",
                "Give its price in the file that RLM_PRICES names, or run without a dollar cap.",
            )
    kept = journal or MemoryJournal()
    caps_left = Limit(caps.usd, caps.tokens, caps.calls).left(kept.lost)
    # What is there when a run begins, a large change, say, stays: no need to look for cycles in it.
    gc.freeze()
    async with Sandbox() as sandbox:
        run = Run(
            model=model,
            name=name,
            cheap=cheap or name,
            prices=prices,
            caps=caps,
            sink=sink,
            sandbox=sandbox,
            gate=Gate(concurrency),
            reading=asyncio.Semaphore(READERS * concurrency),
            account=Account(caps_left),
            journal=kept,
            tenant=tenant,
            recording=recording,
            window=window,
            thinking=thinking,
            output_tokens=output_tokens,
            call_timeout_s=call_timeout_s,
            first_wait_s=first_wait_s,
        )
        watch = asyncio.create_task(_watch(run, cancelled))
        try:
            yield run
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
            gc.unfreeze()


async def _watch(run: Run, cancelled: Cancelled) -> None:
    while run.stopped is None:
        if cancelled():
            run.halt(StopReason.CANCELLED, "Stopped on request.")
        elif run.caps.seconds is not None and run.seconds > run.caps.seconds:
            run.halt(StopReason.DEADLINE, f"The deadline of {run.caps.seconds:g} s has passed.")
        await asyncio.sleep(POLL_S)
