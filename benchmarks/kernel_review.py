"""Whole reviews for the kernel's benchmarks: a push to a change of forty files, a huge change."""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.code import code_of
from app.journal import StoredJournal
from app.objects import LocalObjects
from benchmarks.kernel_releases import built
from benchmarks.kernel_rows import AT_ONCE, MODEL, Line, Options, critical_path
from benchmarks.kernel_server import ROOT, Book, serving
from benchmarks.large_change import MIB, resident
from reviewer.diff import build_change
from reviewer.git import open_repo
from reviewer.model.anthropic import AnthropicModel, preload
from reviewer.model.prices import load
from reviewer.request import Caps, Effort, Review, ReviewRequest
from reviewer.review.job import review
from reviewer.revisions import parse_range
from reviewer.rlm.budget import Limit
from reviewer.rlm.trace import Event, NodeEnded, NodeStarted
from tests.repo import Repo


@dataclass(frozen=True)
class Reviewed:
    """A review, its events with the clock's seconds, and the second at which it was asked for."""

    review: Review
    events: list[tuple[float, Event]]
    began: float
    change_s: float
    """What building the change took, before the review was asked for."""

    cpu_s: float
    """Of this process, from the first node to the end."""


def reviewed(
    repo: Path, revisions: str, book: Book, home: Path, *, effort: Effort, run: str
) -> Reviewed:
    """Review as the app does, with its journal and what it knows of the rest of the code."""
    events: list[tuple[float, Event]] = []
    cpu: list[float] = []
    home.mkdir(parents=True, exist_ok=True)

    def see(event: Event) -> None:
        events.append((time.monotonic(), event))
        if isinstance(event, NodeStarted) and not cpu:
            cpu.append(time.process_time())

    with open_repo(repo) as opened:
        start = time.monotonic()
        base, head = parse_range(opened, revisions)
        change = build_change(opened, base, head)
        change_s = time.monotonic() - start
        with (
            LocalObjects(opened, change) as objects,
            code_of(opened, change, objects, home, cancelled=lambda: False, warm=True) as code,
            StoredJournal(home / "journal.sqlite", run, Limit()) as journal,
        ):
            preload()
            began = time.monotonic()

            async def main() -> Review:
                async with AnthropicModel(api_key="key", base_url=book.url) as model:
                    return await review(
                        ReviewRequest(effort=effort, model=MODEL, caps=Caps()),
                        change,
                        objects,
                        model=model,
                        prices=load(),
                        sink=see,
                        cancelled=lambda: False,
                        concurrency=AT_ONCE,
                        code=code,
                        journal=journal,
                    )

            done = asyncio.run(main())
            return Reviewed(done, events, began, change_s, time.process_time() - cpu[0])


# A push ------------------------------------------------------------------------------------------

FILES = 40
FOLDERS = 5
PUSH_BOUND = 0.10


def push(options: Options) -> list[Line]:
    """Review a change of forty files, change one of them, and review again with one journal."""
    lines: list[Line] = []
    with serving() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repo = _forty(folder / "repo", options.seed, functions=(10, 36))
        small = _forty(folder / "small", options.seed, functions=(1, 3))
        for mode, effort, role in (
            ("host code divides", Effort.QUICK, "review"),
            ("a model leads, and leaves the division as it is", Effort.STANDARD, "review"),
            ("a model divides, and looks at what was found", Effort.STANDARD, "regroups"),
        ):
            book = server.open(role=role)
            counts = _pushes(repo, folder / f"home-{len(lines)}", book, effort)
            first, *later = counts
            tally = book.tally()
            assert tally.received == sum(counts), (tally, counts)
            ratio = max(later) / first
            few, *few_later = _pushes(
                small, folder / f"small-home-{len(lines)}", server.open(role=role), effort
            )
            lines.append(
                Line(
                    f"a push that changes one of {FILES} files: {mode}",
                    f"{ratio:.1%} of the calls ({max(later)} of {first})",
                    f"{PUSH_BOUND:.0%}",
                    ratio <= PUSH_BOUND,
                    note=f"effort {effort.value}; a line: {later[0]} calls, a new function: "
                    f"{later[1]}, a changed signature: {later[2]}. Where forty files are so "
                    f"small that {few} calls read them all, a push pays {max(few_later)}",
                    figures={"first": first, "later": later, "small": [few, *few_later]},
                )
            )
    return lines


PUSHES = ("line", "function", "signature")


def _pushes(repo: Repo, home: Path, book: Book, effort: Effort) -> list[int]:
    """Return the calls that were paid for the change, and then for each push to it."""
    counts = []
    for head in ("change", *PUSHES):
        done = reviewed(repo.path, f"main..{head}", book, home, effort=effort, run=head)
        assert done.review.status == "complete" and done.review.coverage.skipped == []
        counts.append(done.review.cost.calls)
    return counts


def _forty(path: Path, seed: int, functions: tuple[int, int]) -> Repo:
    """Build a repository whose branch `change` alters forty files, and a branch for each push."""
    repo = Repo(path)
    chance = random.Random(seed)
    names = [f"shop/part{number % FOLDERS}/file{number:02d}.py" for number in range(FILES)]
    sizes = [chance.randint(*functions) for _ in names]
    for name, size in zip(names, sizes, strict=True):
        repo.write(name, _module(name, size, "base"))
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "base")
    repo.git("switch", "-q", "-c", "change")
    for name, size in zip(names, sizes, strict=True):
        repo.write(name, _module(name, size, "change"))
    repo.git("commit", "-q", "-a", "-m", "change")
    for kind in PUSHES:
        repo.git("switch", "-q", "-c", kind, "change")
        repo.write(names[17], _pushed(_module(names[17], sizes[17], "change"), kind))
        repo.git("commit", "-q", "-a", "-m", kind)
    return repo


def _module(name: str, functions: int, end: str) -> str:
    """Return a module in which every function differs between the two ends, in its middle."""
    stem = name.rpartition("/")[2].removesuffix(".py")
    parts = [f'"""What {stem} knows of an order."""\n\nimport decimal\n']
    for number in range(functions):
        step = (
            f"total += price * {number + 2}" if end == "base" else f"total += price * {number + 3}"
        )
        check = "if total < 0:" if end == "base" else "if total <= 0:"
        parts.append(
            f"def {stem}_step{number}(order, prices, limit):\n"
            f'    """Return step {number} of {stem} for an order: a sum that the limit bounds."""\n'
            f"    total = decimal.Decimal(0)\n"
            f"    for name, count in sorted(order.items()):\n"
            f"        price = prices.get(name, {number}) * count\n"
            f"        {step}\n"
            f"    {check}\n"
            f'        raise ValueError("{stem} step {number} has no sum")\n'
            f"    return min(total, limit)\n"
        )
    return "\n\n".join(parts)


def _pushed(text: str, kind: str) -> str:
    if kind == "line":
        return text.replace("total += price * 3\n", "total += price * 4\n", 1)
    if kind == "signature":
        return text.replace("_step0(order, prices, limit)", "_step0(order, prices, limit, rate)", 1)
    return text + "\n\ndef added(order):\n    return len(order)\n"


# Ten million tokens ------------------------------------------------------------------------------

PACKAGE, OLD, NEW = "ansible", "10.4.0", "11.1.0"
LARGE_LATENCY_S = 2.0
TOKENS = 10_000_000
PROMPT_BOUND = 40_000
MEMORY_BOUND_MIB = 1_024.0
WALL_BOUND = 1.1


def large(options: Options) -> list[Line]:
    """Review two releases of a package with a model of fixed latency, in a watched process."""
    repo = built(options.cache / f"{PACKAGE}-{OLD}-{NEW}", PACKAGE, OLD, NEW)
    with serving() as server, tempfile.TemporaryDirectory() as home:
        book = server.open(role="review", latency_s=LARGE_LATENCY_S)
        command = [sys.executable, "-m", "benchmarks.kernel_review", str(repo), book.url, home]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            watch = Watch(process.pid)
            out, _ = process.communicate()
            peak_mib = watch.stop() / MIB
        if process.returncode:
            raise RuntimeError(f"the review ended with {process.returncode}")
        found: dict[str, Any] = json.loads(out)
        tally = book.tally()
    tokens = found["tokens"] = tally.shown_bytes // 4
    ideal = max(found["chain_s"], tally.received * LARGE_LATENCY_S / AT_ONCE)
    wall = found["model_s"] / ideal
    what = f"a change of {tokens / 1e6:.1f} million tokens"
    big_enough = tokens >= TOKENS
    return [
        Line(
            f"{what}: spans covered",
            f"{found['covered']:,} of {found['spans']:,}",
            "100%",
            found["covered"] == found["spans"] > 0 and big_enough,
            note=f"{PACKAGE} {OLD} to {NEW}: {found['files']:,} files, {found['hunks']:,} hunks, "
            f"{found['aside']:,} set aside by triage with the reason; "
            f"{tally.shown_bytes / 1e6:.1f} MB are shown to nodes, in "
            f"each of {found['passes']} passes"
            + ("" if big_enough else f"; SMALLER than {TOKENS:,} tokens"),
            figures=found,
        ),
        Line(
            f"{what}: largest prompt",
            f"{tally.prompt_tokens:,} tokens",
            f"{PROMPT_BOUND:,}",
            tally.prompt_tokens <= PROMPT_BOUND,
            note="bytes / 4, by the server",
        ),
        Line(
            f"{what}: peak memory",
            f"{peak_mib:,.0f} MiB",
            f"{MEMORY_BOUND_MIB:,.0f} MiB",
            peak_mib < MEMORY_BOUND_MIB,
            note="resident, of all our processes together, sampled ten times a second; what they "
            "share counts for each; "
            + ", ".join(f"{phase} {mib:,.0f}" for phase, mib in watch.by_phase(found).items()),
            figures={"mib": peak_mib},
        ),
        Line(
            f"{what}: the model's phase",
            f"{wall:.3f} x ({found['model_s']:.1f} s)",
            f"{WALL_BOUND} x the ideal",
            wall <= WALL_BOUND,
            note=f"ideal {ideal:.1f} s: {tally.received:,} calls of {LARGE_LATENCY_S:g} s / "
            f"{AT_ONCE}, longest chain {found['chain_s']:.0f} s; at most {tally.peak} at once. "
            f"Before it {found['change_s']:.1f} s for the change and {found['prepare_s']:.1f} s "
            f"for triage, detectors and clusters, after it {found['after_s']:.1f} s; "
            f"{found['cpu_s'] / tally.received * 1_000:.1f} ms of CPU a call; one run",
            figures={"ratio": wall, "ideal_s": ideal},
        ),
    ]


class Watch:
    """Sums the resident memory of a process and all below it, ten times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: list[tuple[float, int]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Return the most that was seen, in bytes."""
        self._stop.set()
        self._thread.join()
        return max((size for _, size in self._seen), default=0)

    def by_phase(self, found: dict[str, Any]) -> dict[str, float]:
        """Return the most of each phase, in MiB: before the model, with it, after it."""
        first, last = found["first_at"], found["last_at"]
        phases = {"before": (0.0, first), "with the model": (first, last), "after": (last, 1e18)}
        return {
            phase: max((size for at, size in self._seen if start <= at < end), default=0) / MIB
            for phase, (start, end) in phases.items()
        }

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self._seen.append((time.monotonic(), resident(self._pid)))


def _measured(repo: Path, url: str, home: Path) -> dict[str, Any]:
    """Review the two releases; return what the process that started this cannot see."""
    done = reviewed(repo, "old..new", Book(url), home, effort=Effort.STANDARD, run="large")
    ended = time.monotonic()
    first = next(at for at, event in done.events if isinstance(event, NodeStarted))
    last = max(at for at, event in done.events if isinstance(event, NodeEnded))
    coverage = done.review.coverage
    return {
        "first_at": first,
        "last_at": last,
        "change_s": done.change_s,
        "prepare_s": first - done.began,
        "model_s": last - first,
        "after_s": ended - last,
        "cpu_s": done.cpu_s,
        "chain_s": critical_path(done.events, LARGE_LATENCY_S),
        "status": done.review.status,
        "calls": done.review.cost.calls,
        "files": done.review.change.files,
        "hunks": coverage.hunks,
        "aside": sum(one.hunks for one in coverage.skipped),
        **_covered(done.events),
    }


def _covered(events: Sequence[tuple[float, Event]]) -> dict[str, int]:
    """Count the spans, and those that nodes which came to a result were given, in every pass."""
    started = {event.node: event for _, event in events if isinstance(event, NodeStarted)}
    parents = {event.parent for event in started.values()}
    roots = [node for node, event in started.items() if event.parent is None]
    covered = dict.fromkeys(roots, 0)
    for _, event in events:
        if isinstance(event, NodeEnded) and event.node not in parents and event.outcome == "done":
            covered[event.node.partition(".")[0]] += started[event.node].units
    return {
        "passes": len(roots),
        "spans": max(started[root].units for root in roots),
        "covered": min(covered.values()),
    }


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
