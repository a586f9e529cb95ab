"""A tree of five hundred leaves, and what the host does for each call of the model."""

import asyncio
import cProfile
import json
import pstats
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic

from app.journal import StoredJournal
from app.trace_file import about, recording
from benchmarks.kernel_rows import (
    AT_ONCE,
    MODEL,
    Line,
    Options,
    Seen,
    best,
    critical_path,
    run,
    words,
)
from benchmarks.kernel_server import Book, serving
from reviewer.model.anthropic import AnthropicModel
from reviewer.model.base import Model, Reply, Request
from reviewer.request import Caps, ReviewRequest
from reviewer.rlm.budget import Limit
from reviewer.rlm.run import open_run
from reviewer.rlm.solve import solve
from reviewer.rlm.trace import silent
from tests.reviewer.rlm.tasks import WORD_TOKENS, Prices, Report, Scope, Words

LEAVES = 500
FAN = 8
LATENCY_S = 2.0
"""A real call takes ten: what the host adds to each weighs five times as much here."""

BOUND = 1.05
CPU_BOUND_MS = 3.0
BARE_LEAVES = 2_000
BARE_BOUND_MS = 5.0


class Compares(Report):
    """The same task with a question above every split, no two of them alike."""

    def across(self, scope: Scope, parts: Sequence[Words]) -> str | None:
        return f"Which words from {scope[0]} to {scope[-1]} are missing?"


def tree(options: Options) -> list[Line]:
    """Measure the clock against the ideal: the longest chain of calls, or all of them by 64."""
    with serving() as server:
        book = server.open(latency_s=LATENCY_S)
        seen = best(options.best, lambda: _run(book, Report(fan=FAN)))
        asking = best(1, lambda: _run(book, Compares(fan=FAN)))
    assert len(seen.solved.covered) == len(asking.solved.covered) == LEAVES
    chain = critical_path(seen.events, LATENCY_S)
    work = seen.calls * LATENCY_S / AT_ONCE
    ideal = max(chain, work)
    ratio = seen.seconds / ideal
    assert asking.calls > LEAVES + FAN
    # The last leaf ends no sooner than the leaves by 64, and the questions above it come after it.
    leaves = LEAVES * LATENCY_S / AT_ONCE
    above = critical_path(asking.events, LATENCY_S) - LATENCY_S
    least = max(asking.calls * LATENCY_S / AT_ONCE, leaves + above)
    return [
        Line(
            f"a tree of {LEAVES} leaves, {AT_ONCE} at a time",
            f"{ratio:.3f} x ({seen.seconds:.2f} s)",
            f"{BOUND} x the ideal",
            ratio <= BOUND,
            note=f"ideal {ideal:.2f} s = max(critical path {chain:.1f} s, {seen.calls} calls of "
            f"{LATENCY_S:g} s / {AT_ONCE} = {work:.2f} s); {-(-seen.calls // AT_ONCE)} rounds of "
            f"{AT_ONCE} take {-(-seen.calls // AT_ONCE) * LATENCY_S:.1f} s, {1.024:.3f} x; best of "
            f"{options.best}",
            figures={"ratio": ratio, "seconds": seen.seconds, "ideal_s": ideal},
        ),
        Line(
            "the same, and each parent asks across its children",
            f"{asking.seconds / least:.3f} x ({asking.seconds:.2f} s)",
            f"{BOUND} x the least there can be",
            asking.seconds <= BOUND * least,
            note=f"{asking.calls} calls; least {least:.2f} s: the leaves by {AT_ONCE}, then the "
            f"questions above the last of them",
            figures={"ratio": asking.seconds / least, "seconds": asking.seconds},
        ),
    ]


def _run(book: Book, task: Report, **more: Any) -> Seen:
    return run(book, words(LEAVES), task, **more)


def cpu(options: Options) -> list[Line]:
    """Measure the processor time of this process for a call, with all that a real run has on."""
    with serving() as server:
        book = server.open(latency_s=0.2)
        alone = min(
            (_run(book, Report(fan=FAN)) for _ in range(options.best)), key=lambda seen: seen.cpu_s
        )
        recorded = min((_recorded(book) for _ in range(options.best)), key=lambda seen: seen.cpu_s)
    each = recorded.cpu_s / recorded.calls * 1_000
    without = alone.cpu_s / alone.calls * 1_000
    return [
        Line(
            f"host time per model call, tree of {LEAVES}",
            f"{each:.2f} ms of CPU",
            f"{CPU_BOUND_MS:g} ms",
            each <= CPU_BOUND_MS,
            note="this process alone: SDK, StoredJournal with flushes, a trace file; without "
            f"journal and trace file {without:.2f} ms; best of {options.best}",
            figures={"ms": each, "ms_without": without, "calls": recorded.calls},
        )
    ]


def _recorded(book: Book) -> Seen:
    """Run the tree as the app does: with the journal on the disk and a trace in a file."""
    with tempfile.TemporaryDirectory() as folder, _kept(Path(folder)) as (journal, see):
        return _run(book, Report(fan=FAN), journal=journal, sink=see, caps=Caps(usd=1e9))


@contextmanager
def _kept(folder: Path) -> Iterator[tuple[StoredJournal, Any]]:
    first = about("a tree", "base", "head", ReviewRequest(model=MODEL), "run")
    with (
        StoredJournal(folder / "journal.sqlite", "run", Limit(usd=1e9)) as journal,
        recording(first, folder, print) as trace,
    ):
        yield journal, trace.see


def profile(top: int = 30) -> None:
    """Print who uses the processor in the tree with journal and trace, by own time."""
    with serving() as server:
        book = server.open(latency_s=0.2)
        _recorded(book)
        profiler = cProfile.Profile()
        profiler.enable()
        seen = _recorded(book)
        profiler.disable()
        print(f"{seen.cpu_s / seen.calls * 1_000:.2f} ms a call with the profiler on")
        stats = pstats.Stats(profiler)
        stats.sort_stats("tottime").print_stats(top)
        stats.sort_stats("cumtime").print_stats(r"(reviewer|app|anthropic|httpx2|httpcore2)/", 60)


# Beside a bare loop ------------------------------------------------------------------------------


def bare(options: Options) -> list[Line]:
    """Measure what the kernel adds to the very calls that it makes, answered at once."""
    with serving() as server:
        book = server.open()
        body = _body(book)
        ours = min(_many(book) for _ in range(options.best))
        theirs = min(asyncio.run(_calls(book, body)) for _ in range(options.best))
    more = (ours - theirs) / BARE_LEAVES * 1_000
    return [
        Line(
            "overhead per leaf beside a bare loop of the same calls",
            f"{more:.2f} ms of CPU",
            f"{BARE_BOUND_MS:g} ms",
            more <= BARE_BOUND_MS,
            {"asyncio.gather over the SDK": f"{theirs / BARE_LEAVES * 1_000:.2f} ms a call"},
            note=f"{BARE_LEAVES:,} leaves, in memory; `solve` {ours / BARE_LEAVES * 1_000:.2f} ms",
            figures={"ms": more},
        )
    ]


def _many(book: Book) -> float:
    seen = run(book, words(BARE_LEAVES), Report(fan=BARE_LEAVES))
    assert len(seen.solved.covered) == BARE_LEAVES
    return seen.cpu_s


def _body(book: Book) -> dict[str, Any]:
    """Return the body of a leaf's request, as the kernel makes it."""
    bodies: list[dict[str, Any]] = []

    class Overheard(AnthropicModel):
        async def complete(self, request: Request, *more: Any) -> Reply:
            from reviewer.model.anthropic import known
            from reviewer.model.wire import body

            bodies.append(body(request, known(request.model)))
            return await super().complete(request, *more)

    async def one() -> None:
        async with Overheard(api_key="key", base_url=book.url) as model:
            overheard: Model = model
            async with open_run(
                overheard,
                MODEL,
                Prices(),
                caps=Caps(),
                sink=silent,
                cancelled=lambda: False,
                window=WORD_TOKENS,
            ) as opened:
                await solve(Report(), ("word",), opened)

    asyncio.run(one())
    return json.loads(json.dumps(bodies[0]))  # type: ignore[no-any-return]


async def _calls(book: Book, body: dict[str, Any]) -> float:
    async def one(client: anthropic.AsyncAnthropic, gate: asyncio.Semaphore, word: str) -> None:
        content = [{**body["messages"][0]["content"][0], "text": f"words: {word}"}]
        written = {**body, "messages": [{"role": "user", "content": content}]}
        async with gate:
            stream = await client.messages.create(**written, stream=True)
            async for event in stream:
                if event.type == "message_stop":
                    break

    began = time.process_time()
    gate = asyncio.Semaphore(AT_ONCE)
    async with anthropic.AsyncAnthropic(api_key="key", base_url=book.url) as client:
        await asyncio.gather(*(one(client, gate, word) for word in words(BARE_LEAVES)))
    return time.process_time() - began


if __name__ == "__main__":
    profile()
