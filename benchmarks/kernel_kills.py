"""Kill a run at random points, run it again until it ends, and ask the server what it paid.

A run is a tree of sixty leaves in which nodes lead, delegate in code and ask across, with the
journal on the disk, in a process of its own. SIGKILL comes at a random moment of its work. The
server counts and bills what it was asked, so nothing here takes the kernel's word for it.

Every third run has a cap that does not reach: it ends in part, and its cap holds over all of its
processes together.
"""

import multiprocessing
import os
import random
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app.journal import StoredJournal
from benchmarks.kernel_budget import TINY
from benchmarks.kernel_rows import Line, Options, run, words
from benchmarks.kernel_server import Book, Server, serving
from benchmarks.kernel_tree import Compares
from reviewer.model.anthropic import preload
from reviewer.request import Caps
from reviewer.rlm.budget import Limit

LEAVES = 60
FAN = 4
LATENCY_S = 0.03
CONCURRENCY = 8
AMPLE_USD = 100.0
SHORT_USD = 0.4
"""A third of what the whole tree is billed."""

AGAIN = (1, 1, 1, 2, 3)
"""How often one run is killed, before it may end."""

PATIENCE_S = 60.0

CODE = """\
calls = [delegate([name]) for name in ("p2", "p1")]
for call in calls:
    print((await call)["result"]["words"])
"""


@dataclass(frozen=True)
class Answer:
    """What a run came to, apart from what it cost."""

    words: tuple[str, ...]
    covered: frozenset[str]
    missed: frozenset[str]


@dataclass
class Fate:
    """One run with its kills, in what the server and the file say of it."""

    cap_usd: float
    kills: list[float] = field(default_factory=list)
    """Seconds after the run began."""

    answer: Answer | None = None
    expected: Answer | None = None
    asked: int = 0
    distinct: int = 0
    answered: int = 0
    billed_usd: float = 0.0
    lost: int = 0
    """Calls that the file has reserved and never settled: those in flight at a kill."""

    last_s: float = 0.0
    """What the process took that came to the end."""

    twice: int = 0
    """Replies that were settled, and then paid for once more."""

    @property
    def problems(self) -> list[str]:
        """Say what is not as it must be."""
        said = []
        if self.answer is None:
            said.append("it did not end")
        elif self.expected is not None and self.answer != self.expected:
            said.append("its result is not that of a run that nobody killed")
        elif self.answer.covered | self.answer.missed != set(words(LEAVES)):
            said.append("its result does not account for every leaf")
        if self.twice:
            said.append(f"{self.twice} settled replies were paid twice")
        if self.answered > self.distinct + self.lost:
            said.append(f"{self.answered} answers to {self.distinct} requests, {self.lost} lost")
        if self.asked > self.distinct + self.lost:
            said.append(f"{self.asked} calls for {self.distinct} requests, {self.lost} lost")
        if self.billed_usd > self.cap_usd:
            said.append(f"${self.billed_usd:.4f} on ${self.cap_usd:g}")
        return said


def kills(options: Options) -> list[Line]:
    """Kill runs until there are so many kills, and count what went wrong."""
    with serving() as server:
        fates = list(sample(server, options.kills, options.seed))
    count = sum(len(fate.kills) for fate in fates)
    wrong = [fate for fate in fates if fate.problems]
    ended = sum(fate.answer is not None for fate in fates)
    twice = sum(fate.twice for fate in fates)
    short = [fate for fate in fates if fate.expected is None]
    nearest = max((fate.billed_usd / fate.cap_usd for fate in short), default=0.0)
    return [
        Line(
            f"SIGKILL at {count} random points",
            f"{ended} of {len(fates)} runs ended, {twice} settled replies paid twice"
            + (f"; WRONG: {wrong[0].problems}" if wrong else ""),
            "all, 0",
            not wrong and count >= options.kills,
            note=f"seed {options.seed}; {sum(fate.asked for fate in fates)} calls for "
            f"{sum(fate.distinct for fate in fates)} requests, {sum(fate.lost for fate in fates)} "
            f"in flight at a kill; {len(fates) - len(short)} results equal to an undisturbed "
            f"run's; {len(short)} runs with too small a cap billed {nearest:.1%} of it at the most",
            figures={"kills": count, "runs": len(fates), "ended": ended, "twice": twice},
        )
    ]


def sample(server: Server, count: int, seed: int) -> Iterator[Fate]:
    """Yield runs with `count` kills in all, at the moments that `seed` gives."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected, ample_s = _undisturbed(server, folder / "ample", AMPLE_USD)
        _, short_s = _undisturbed(server, folder / "short", SHORT_USD)
        done = number = 0
        while done < count:
            number += 1
            short = number % 3 == 0
            fate = Fate(SHORT_USD) if short else Fate(AMPLE_USD, expected=expected)
            wanted = min(chance.choice(AGAIN), count - done)
            latest = short_s if short else ample_s
            moments = [chance.uniform(0.0, latest) for _ in range(wanted)]
            _to_its_end(server, folder / str(number), fate, moments)
            done += len(fate.kills)
            if fate.kills:  # else it had ended before the first moment came
                yield fate


def _undisturbed(server: Server, folder: Path, cap_usd: float) -> tuple[Answer, float]:
    """Return what a run comes to that nobody kills, and how long it takes."""
    fate = Fate(cap_usd)
    _to_its_end(server, folder, fate, ())
    assert fate.answer is not None and not fate.problems, fate
    assert bool(fate.answer.missed) == (cap_usd == SHORT_USD), fate
    return fate.answer, fate.last_s


def _to_its_end(server: Server, folder: Path, fate: Fate, moments: Sequence[float]) -> None:
    """Start a run, kill it at each moment and start it again; after the last one it has to end."""
    folder.mkdir()
    file = folder / "journal.sqlite"
    book = server.open(
        latency_s=LATENCY_S,
        code=CODE,
        input_usd=TINY.input,
        output_usd=TINY.output,
        whole=True,
    )
    for after_s in (*moments, None):
        with _started(file, book, fate.cap_usd) as (process, told):
            assert told.poll(PATIENCE_S) and told.recv() == "began"
            began = time.monotonic()
            if told.poll(PATIENCE_S if after_s is None else after_s):
                with suppress(EOFError):  # it broke down, and there is no answer
                    fate.answer = told.recv()
                fate.last_s = time.monotonic() - began
                break
            if after_s is not None:
                os.kill(process.pid, signal.SIGKILL)
                process.join()
                fate.kills.append(after_s)
    _account(fate, file, book)


def _account(fate: Fate, file: Path, book: Book) -> None:
    """Read what the server was asked, and what the file says was paid."""
    tally = book.tally()
    fate.asked, fate.distinct, fate.answered = tally.received, tally.distinct, tally.answered
    fate.billed_usd = tally.usd
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
        (fate.lost,) = opened.execute("SELECT count(*) FROM ledger WHERE usd IS NULL").fetchone()
        (settled,) = opened.execute("SELECT count(*) FROM ledger WHERE calls > 0").fetchone()
        (kept,) = opened.execute("SELECT count(*) FROM replies").fetchone()
    fate.twice = settled - kept


# The process that is killed ----------------------------------------------------------------------


@contextmanager
def _started(file: Path, book: Book, cap_usd: float) -> Iterator[tuple[Any, Connection]]:
    """Fork a process from one that has imported everything; it is gone at the end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.kernel_kills"])
    told, tells = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(file, book, cap_usd, tells))
    process.start()
    tells.close()
    try:
        yield process, told
    finally:
        process.kill()
        process.join()
        told.close()


def work(file: Path, book: Book, cap_usd: float, tells: Connection) -> None:
    """Make the run, as often as it is started: resuming is running again."""
    preload()
    tells.send("began")
    with StoredJournal(file, "the run", Limit(usd=cap_usd)) as journal:
        seen = run(
            book,
            words(LEAVES),
            Compares(fan=FAN, led=True),
            prices=TINY,
            caps=Caps(usd=cap_usd),
            concurrency=CONCURRENCY,
            journal=journal,
        )
    solved = seen.solved
    tells.send(Answer(tuple(solved.result.words), solved.covered, frozenset(solved.missed)))


def told(fates: Sequence[Fate]) -> str:
    """Return what a failing test shows."""
    return "\n".join(f"{fate.kills}: {fate.problems}" for fate in fates if fate.problems)
