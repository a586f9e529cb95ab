"""What the rows of `benchmarks.kernel` share: a line of its table, and a run to measure."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.kernel_server import Book
from reviewer.model.anthropic import AnthropicModel, preload
from reviewer.request import Caps
from reviewer.rlm.journal import Journal
from reviewer.rlm.run import Pricing, open_run
from reviewer.rlm.solve import solve
from reviewer.rlm.solved import Solved
from reviewer.rlm.trace import CallEnded, Event, NodeStarted, TraceSink, silent
from tests.reviewer.rlm.tasks import WORD_TOKENS, Prices, Report, Scope, Words

AT_ONCE = 64
MODEL = "claude-sonnet-5-5"


@dataclass(frozen=True)
class Options:
    """What the command line says. Times are the `best` of so many runs: others use the machine."""

    cache: Path
    peers: Path
    kills: int = 50
    seed: int = 1
    best: int = 3


@dataclass(frozen=True)
class Line:
    """A line of the table. `peers` says by name what they measured in the same call, or why not."""

    what: str
    measured: str
    bound: str
    ok: bool
    peers: dict[str, str] = field(default_factory=dict)
    note: str = ""
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One run that was measured: seconds of the clock and of this process alone."""

    solved: Solved[Words]
    events: list[tuple[float, Event]]
    seconds: float
    cpu_s: float
    calls: int
    usd: float


def words(count: int) -> Scope:
    return tuple(f"word{number:05d}" for number in range(count))


def run(
    book: Book,
    scope: Scope,
    task: Report,
    *,
    prices: Pricing | None = None,
    caps: Caps | None = None,
    window: int = WORD_TOKENS,
    concurrency: int = AT_ONCE,
    journal: Journal | None = None,
    sink: TraceSink = silent,
    tenant: str = "",
) -> Seen:
    """Solve a task of the tests against the server; what is imported on first use is not timed."""
    events: list[tuple[float, Event]] = []

    def see(event: Event) -> None:
        events.append((time.monotonic(), event))
        sink(event)

    async def main() -> Seen:
        async with AnthropicModel(api_key="key", base_url=book.url) as model:
            began, cpu = time.monotonic(), time.process_time()
            async with open_run(
                model,
                MODEL,
                prices or Prices(),
                caps=caps or Caps(),
                sink=see,
                cancelled=lambda: False,
                window=window,
                concurrency=concurrency,
                journal=journal,
                tenant=tenant,
            ) as opened:
                solved = await solve(task, scope, opened)
                spent = opened.spent
            took, used = time.monotonic() - began, time.process_time() - cpu
        return Seen(solved, events, took, used, opened.calls, spent.usd)

    preload()
    return asyncio.run(main())


def critical_path(events: list[tuple[float, Event]], latency_s: float) -> float:
    """Return the longest chain of calls, in seconds: a node's own, one after the other, and those
    of its slowest child. Roots come one after the other, as the passes of a review do.
    """
    own: dict[str, int] = {}
    below: dict[str, list[str]] = {}
    roots: list[str] = []
    for _, event in events:
        if isinstance(event, NodeStarted):
            own.setdefault(event.node, 0)
            (roots if event.parent is None else below.setdefault(event.parent, [])).append(
                event.node
            )
        elif isinstance(event, CallEnded) and event.stop is not None:
            own[event.node] += 1

    def chain(node: str) -> int:
        return own[node] + max((chain(child) for child in below.get(node, ())), default=0)

    return latency_s * sum(chain(root) for root in roots)


def best(times: int, measure: Callable[[], Seen]) -> Seen:
    """Return the quickest of some runs."""
    return min((measure() for _ in range(times)), key=lambda seen: seen.seconds)
