"""What the kernel adds to the calls: `solve` over thousands of leaves, beside a bare loop.

    python -m benchmarks.kernel [LEAVES]

A server in a process of its own answers at once. The peer makes the very same calls, the bodies
taken from the kernel's own requests, through the same SDK and as many at a time, in one
asyncio.gather. Both run in processes of their own; figures are seconds of the clock and of the
processor, for each leaf, and the peak of memory.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from multiprocessing import Process, Queue
from typing import Any

import anthropic

from reviewer.model.anthropic import AnthropicModel, preload
from reviewer.request import Caps
from reviewer.rlm.run import CONCURRENCY, open_run
from reviewer.rlm.solve import solve
from reviewer.rlm.trace import Event, as_json
from tests.model_server import Answer, ModelServer
from tests.reviewer.rlm.tasks import WORD_TOKENS, Prices, Report, honest

LEAVES = 5_000
BOUND_MS = 5.0
"""Of the processor for a leaf, beyond the call itself: a model takes seconds to answer."""


def main() -> None:
    leaves = int(sys.argv[1]) if len(sys.argv) > 1 else LEAVES
    if len(sys.argv) > 2:
        print(json.dumps(ROLES[sys.argv[2]](leaves, sys.argv[3])))
        return
    urls: Queue[str] = Queue()
    server = Process(target=_serve, args=(urls,), daemon=True)
    server.start()
    url = urls.get(timeout=30)
    command = [sys.executable, "-m", "benchmarks.kernel", str(leaves)]
    found: dict[str, dict[str, float]] = {}
    for role in ROLES:
        done = subprocess.run([*command, role, url], capture_output=True, text=True, check=True)
        found[role] = json.loads(done.stdout)
        figures = found[role]
        print(
            f"{role:8} {figures['clock_s']:7.2f} s, processor {figures['cpu_s']:7.2f} s, "
            f"peak {figures['mib']:5.0f} MiB, {figures['calls']:.0f} calls"
        )
    server.terminate()
    server.join()
    more = (found["solve"]["cpu_s"] - found["bare"]["cpu_s"]) / leaves * 1_000
    print(f"overhead {more:.2f} ms of the processor a leaf; bound {BOUND_MS:g} ms")
    if more > BOUND_MS:
        sys.exit(1)


def _serve(urls: "Queue[str]") -> None:
    def script(request: dict[str, Any]) -> Answer:
        return honest(request)

    with ModelServer(script) as server:
        urls.put(server.url)
        while True:
            time.sleep(1)
            server.requests.clear()  # it keeps all that it was sent


def _measured(began: tuple[float, float], calls: int) -> dict[str, float]:
    return {
        "clock_s": time.perf_counter() - began[0],
        "cpu_s": time.process_time() - began[1],
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "calls": calls,
    }


def _words(leaves: int) -> tuple[str, ...]:
    return tuple(f"word{number:05d}" for number in range(leaves))


def _solved(leaves: int, url: str) -> dict[str, float]:
    written = 0

    def sink(event: Event) -> None:
        nonlocal written
        written += len(json.dumps(as_json(event)))

    async def run() -> dict[str, float]:
        preload()
        began = time.perf_counter(), time.process_time()
        async with (
            AnthropicModel(api_key="key", base_url=url) as model,
            open_run(
                model,
                "claude-test",
                Prices(),
                caps=Caps(usd=1e9),
                sink=sink,
                cancelled=lambda: False,
                window=WORD_TOKENS,
            ) as opened,
        ):
            solved = await solve(Report(fan=leaves), _words(leaves), opened)
            if len(solved.covered) != leaves:
                raise SystemExit(f"{len(solved.missed)} leaves were missed: {solved.stops}")
            return _measured(began, opened.calls)

    return asyncio.run(run())


def _bare(leaves: int, url: str) -> dict[str, float]:
    """Make the same calls: the body of the first leaf's request with the words of each."""
    body = _recorded()

    async def one(client: anthropic.AsyncAnthropic, gate: asyncio.Semaphore, word: str) -> None:
        content = [{**body["messages"][0]["content"][0], "text": f"words: {word}"}]
        written = {**body, "messages": [{"role": "user", "content": content}]}
        async with gate:
            stream = await client.messages.create(**written)
            async for event in stream:
                if event.type == "message_stop":
                    break

    async def run() -> dict[str, float]:
        began = time.perf_counter(), time.process_time()
        gate = asyncio.Semaphore(CONCURRENCY)
        async with anthropic.AsyncAnthropic(api_key="key", base_url=url) as client:
            await asyncio.gather(*(one(client, gate, word) for word in _words(leaves)))
        return _measured(began, leaves)

    return asyncio.run(run())


def _recorded() -> dict[str, Any]:
    """Return the body of a leaf's request, as the kernel makes it."""

    async def run(url: str) -> None:
        async with (
            AnthropicModel(api_key="key", base_url=url) as model,
            open_run(
                model,
                "claude-test",
                Prices(),
                caps=Caps(),
                sink=lambda _event: None,
                cancelled=lambda: False,
            ) as opened,
        ):
            await solve(Report(), ("word",), opened)

    with ModelServer(honest) as server:
        asyncio.run(run(server.url))
        return server.calls[0]


ROLES = {"bare": _bare, "solve": _solved}


if __name__ == "__main__":
    main()
