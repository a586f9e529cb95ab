"""Code in a node: a plain loop of questions, an endless loop, and what a sandbox costs to start."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Sequence

from benchmarks.kernel_peers import Peers
from benchmarks.kernel_rows import AT_ONCE, Line, Options, Seen, run, words
from benchmarks.kernel_server import ASKED, ROOT, Book, Server, serving
from reviewer.rlm.run import CONCURRENCY
from reviewer.rlm.sandbox import COMPUTE_S, GRACE_S, Sandbox
from reviewer.rlm.trace import CallEnded, CallStarted, CodeRun
from tests.reviewer.rlm.tasks import Report

SUB_CALLS = 16
LATENCY_S = 0.5
LOOP_BOUND_S = 0.6

FIRST_BOUND_MS, WARM_BOUND_MS = 60.0, 1.0
TURNS = 300

LIMIT_S = 2.0
ENDED_BOUND_S = 2.2
GIVEN_UP_S = 12.0
"""When a peer that has not come back is killed."""

ASKS = f"""\
calls = [ask(f"{ASKED} {{number}}") for number in range({SUB_CALLS})]
for call in calls:
    print(await call)
"""
ASKS_AT_ONCE = f"""\
for number in range({SUB_CALLS}):
    print(await ask(f"{ASKED} {{number}}"))
"""
DELEGATES = f"""\
calls = [delegate([f"p{{number}}"]) for number in range(1, {SUB_CALLS} + 1)]
for call in calls:
    print((await call)["result"])
"""
ENDLESS = "while True:\n    pass\n"


# A plain loop ------------------------------------------------------------------------------------


def loop(options: Options) -> list[Line]:
    """Measure code that asks, or delegates, in a plain loop; the model's turn is not counted."""
    peers = Peers(options.peers)
    with serving() as server:
        asked = min(_asking(server, ASKS) for _ in range(options.best))
        given = min(_delegating(server) for _ in range(options.best))
        few = _asking(server, ASKS, concurrency=CONCURRENCY)
        awaited = _asking(server, ASKS_AT_ONCE)
        theirs = peers.loops(server, SUB_CALLS, LATENCY_S)
    what = f"{SUB_CALLS} sub-calls of {LATENCY_S:g} s in a plain loop"
    return [
        Line(
            f"{what}: ask",
            f"{asked:.3f} s",
            f"{LOOP_BOUND_S:g} s",
            asked <= LOOP_BOUND_S,
            theirs,
            note=f"calls made in one loop and awaited in the next, {AT_ONCE} at a time, best of "
            f"{options.best}; with the default of {CONCURRENCY} at a time {few:.2f} s; awaited "
            f"where they are made {awaited:.2f} s",
            figures={"s": asked, "s_default": few, "s_awaited": awaited},
        ),
        Line(
            f"{what}: delegate",
            f"{given:.3f} s",
            f"{LOOP_BOUND_S:g} s",
            given <= LOOP_BOUND_S,
            note=f"{SUB_CALLS} parts, each to a node of one call",
            figures={"s": given},
        ),
    ]


def _asking(server: Server, code: str, concurrency: int = AT_ONCE) -> float:
    book = server.open(role="coding", latency_s=LATENCY_S, code=code)
    seen = run(book, words(1), Report(), concurrency=concurrency)
    assert seen.calls == SUB_CALLS + 2, seen.calls
    return _turn_s(seen)


def _delegating(server: Server) -> float:
    book = server.open(latency_s=LATENCY_S, code=DELEGATES)
    seen = run(book, words(SUB_CALLS), Report(fan=SUB_CALLS, led=True))
    assert len(seen.solved.covered) == SUB_CALLS
    return _turn_s(seen)


def _turn_s(seen: Seen) -> float:
    """Return how long the first turn's code took: from the model's reply to its print-out."""
    replied = next(at for at, event in seen.events if isinstance(event, CallEnded))
    printed, run_ = next((at, event) for at, event in seen.events if isinstance(event, CodeRun))
    assert not run_.failed, run_.printed
    return printed - replied


# An endless loop ---------------------------------------------------------------------------------


def endless(options: Options) -> list[Line]:
    """Measure when an endless loop is ended: from the reply that holds it to the next request."""
    assert COMPUTE_S == LIMIT_S, "the limit of the sandbox is not that of the bound"
    peers = Peers(options.peers)
    with serving() as server:
        took = min(_ended(server.open(role="coding", code=ENDLESS)) for _ in range(options.best))
        theirs = peers.endless(server, LIMIT_S, GIVEN_UP_S)
    return [
        Line(
            f"an endless loop, limit {LIMIT_S:g} s",
            f"ended after {took:.3f} s, the run went on",
            f"{ENDED_BOUND_S:g} s",
            took <= ENDED_BOUND_S,
            theirs,
            note=f"best of {options.best}; the worker's grace is {GRACE_S:g} s",
            figures={"s": took},
        )
    ]


def _ended(book: Book) -> float:
    """Return the seconds of the turn; the run must come to its whole result after it."""
    seen = run(book, words(4), Report())
    assert len(seen.solved.covered) == 4 and not seen.solved.missed
    assert all(event.failed for _, event in seen.events if isinstance(event, CodeRun))
    turns = []
    for node in {event.node for _, event in seen.events if isinstance(event, CodeRun)}:
        replied = next(
            at for at, event in seen.events if isinstance(event, CallEnded) and event.node == node
        )
        later = [
            at for at, event in seen.events if isinstance(event, CallStarted) and event.node == node
        ]
        turns.append(later[1] - replied)
    assert len(turns) == 4  # four nodes at once, each with its loop
    return max(turns)


# The sandbox -------------------------------------------------------------------------------------


def sandbox(options: Options) -> list[Line]:
    """Measure a first turn in a fresh process, and turns after it."""
    command = [sys.executable, "-m", "benchmarks.kernel_code"]
    runs = [
        json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
        for _ in range(options.best)
    ]
    first = min(run["first"] for run in runs)
    again = min(run["again"] for run in runs)
    fresh = min(run["fresh"] for run in runs)
    return [
        Line(
            "sandbox: first start",
            f"{first:.1f} ms",
            f"{FIRST_BOUND_MS:g} ms",
            first <= FIRST_BOUND_MS,
            note="from nothing to the print-out of a first turn, in a fresh process that has "
            f"imported it; best of {options.best}",
            figures={"ms": first},
        ),
        Line(
            "sandbox: warm",
            f"{max(again, fresh):.2f} ms",
            f"{WARM_BOUND_MS:g} ms",
            max(again, fresh) <= WARM_BOUND_MS,
            note=f"medians of {TURNS} turns, best of {options.best}: a further turn of a node "
            f"{again:.2f} ms, the first of a new one {fresh:.2f} ms",
            figures={"ms_again": again, "ms_new": fresh},
        ),
    ]


async def _starts() -> dict[str, float]:
    began = time.perf_counter()
    async with Sandbox() as opened:
        session = opened.session({})
        assert (await session.run("1 + 1")).text == "2\n"
        first = time.perf_counter() - began
        again = [await _timed(session.run("number = 1 + 1")) for _ in range(TURNS)]
        fresh = [await _timed(opened.session({}).run("1 + 1")) for _ in range(TURNS)]
    return {"first": first * 1_000, "again": _median(again), "fresh": _median(fresh)}


async def _timed(turn: Awaitable[object]) -> float:
    began = time.perf_counter()
    await turn
    return time.perf_counter() - began


def _median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1_000


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_starts())))
