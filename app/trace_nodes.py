"""The tree of a run as a trace tells it: nodes, and sums over them. Values, and no I/O."""

from array import array
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from app.render import words
from app.render.escape import one_line
from app.trace_lines import RunEnded, RunStarted
from reviewer.model.base import Usage

State = Literal["active", "done", "partial", "failed", "cut"]

MAX_NODES = 200_000
"""A change of ten million tokens has some thousand. What belongs to more is counted in the sums."""


@dataclass(slots=True)
class Spent:
    """Calls and what they cost. `priced` is False once one had no price."""

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0
    priced: bool = True

    def add(self, usage: Usage, usd: float | None) -> None:
        self.calls += 1
        self.usage += usage
        self.usd += usd or 0.0
        if usd is None and usage.total:
            self.priced = False


@dataclass(slots=True)
class Node:
    """One node of the recursion. Seconds count from the start of the run's first try.

    `failed_calls` brought no answer, `open_calls` were under way when the trace ended. `looked`
    counts lookups by function and short arguments, `more_looked` those beyond them by function.
    `returned` says in a line what its result was.
    """

    name: str
    parent: str | None
    depth: int
    began_s: float
    task: str = ""
    label: str = ""
    size: int = 0
    units: int = 0
    ended_s: float | None = None
    state: State = "active"
    why: str = ""
    tries: int = 0
    split: int = 0
    by: str = ""
    parts: tuple[str, ...] = ()
    parts_count: int = 0
    lens: str = ""
    delegated: Counter[str] = field(default_factory=Counter)
    looked: Counter[tuple[str, str]] = field(default_factory=Counter)
    more_looked: Counter[str] = field(default_factory=Counter)
    code_runs: int = 0
    code_failed: int = 0
    printed: int = 0
    spent: Spent = field(default_factory=Spent)
    failed_calls: int = 0
    open_calls: set[int] = field(default_factory=set)
    replayed: Counter[str] = field(default_factory=Counter)
    turns: int = 0
    call_seconds: float = 0.0
    refused: int = 0
    problems: list[str] = field(default_factory=list)
    returned: str = ""
    has_result: bool = False
    below_usd: float = 0.0
    children: list[str] = field(default_factory=list)
    lines: "array[int]" = field(default_factory=lambda: array("Q"))
    more_lines: int = 0

    @property
    def seconds(self) -> float | None:
        return None if self.ended_s is None else max(0.0, self.ended_s - self.began_s)


@dataclass(slots=True)
class Totals:
    """Sums over the run. `saved` is what the replayed answers cost when they were paid."""

    spent: Spent = field(default_factory=Spent)
    failed_calls: int = 0
    open_calls: int = 0
    replayed: Counter[str] = field(default_factory=Counter)
    saved: Spent = field(default_factory=Spent)
    models: dict[str, Spent] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def cache_share(self) -> float | None:
        """Which part of all input tokens was read from the cache, from 0 to 1."""
        usage = self.spent.usage
        sent = usage.total - usage.output
        return usage.cache_read / sent if sent else None


@dataclass(slots=True)
class Trace:
    """All of a trace but its texts. `nodes` are in the order in which they began."""

    first: RunStarted | None = None
    end: RunEnded | None = None
    tries: int = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)
    notes: list[tuple[float, str]] = field(default_factory=list)
    more_notes: int = 0
    borders: int = 0
    border_lines: "array[int]" = field(default_factory=lambda: array("Q"))
    events: int = 0
    damaged: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    cut_off: bool = False
    without_node: int = 0

    @property
    def depth(self) -> int:
        return max((node.depth for node in self.nodes.values()), default=0)

    def missing(self) -> list[str]:
        """Say in sentences what the trace does not have."""
        said = []
        if not self.events and not self.damaged:
            said.append(
                "The trace is empty: its run ended, or was ended, before anything happened."
            )
        elif self.first is None:
            said.append("The first line, which says what was reviewed, is missing.")
        if self.damaged:
            said.append(f"{words.count(self.damaged, 'line')} could not be read.")
        if self.cut_off:
            said.append("The last line was cut off in its middle.")
        for kind, number in sorted(self.unknown.items()):
            said.append(
                f"{words.count(number, 'event')} of a kind unknown here: {one_line(kind)[:40]} "
                "(written by a newer version)."
            )
        if self.without_node:
            said.append(f"{words.count(self.without_node, 'event')} beyond {MAX_NODES:,} nodes.")
        if self.totals.open_calls:
            said.append(
                f"{words.count(self.totals.open_calls, 'call')} under way when it ended: what "
                "they cost is not in the sums."
            )
        return said


def in_tree_order(trace: Trace) -> Iterator[Node]:
    """Yield every node, each before its children."""
    waiting = deque(trace.roots)
    while waiting:
        node = trace.nodes[waiting.popleft()]
        yield node
        waiting.extendleft(reversed(node.children))


def place(name: str) -> list[tuple[int, str]]:
    """Where a node stands among others: "1.10" after "1.9", words after numbers."""
    return [
        (int(part), "") if part.isdecimal() and part.isascii() else (MAX_NODES, part)
        for part in name.split(".")
    ]
