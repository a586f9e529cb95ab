"""A trace read from its file: the tree of its nodes with sums, small whatever the file's size.

The texts stay in the file. Each node remembers where its lines are, so that one node after the
other can be looked at in full.
"""

import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from app.render.escape import one_line
from app.trace_lines import (
    MAX_LINE_BYTES,
    Line,
    Recorded,
    RunEnded,
    RunStarted,
    Unknown,
    read_line,
)
from app.trace_nodes import MAX_NODES, Node, Spent, State, Trace, in_tree_order, place
from app.trace_words import said_by, sentences, whole_length
from reviewer.rlm.trace import (
    BorderChanged,
    CallEnded,
    CallStarted,
    CodeRun,
    Delegated,
    FunctionCalled,
    NodeEnded,
    NodeSplit,
    NodeStarted,
    Note,
    Replayed,
    Result,
    Submitted,
)

KINDS_LOOKED_UP = 40
"""Lookups of one node that are told apart; more are counted by function."""

PARTS_KEPT = 40
PROBLEMS_KEPT = 3
NOTES_KEPT = 200
MODELS_KEPT = 50
ARGUMENT_CHARS = 400

MAX_LINES = 20_000
MAX_BYTES = 64_000_000
"""Of one node, looked at in full."""

MAX_DEPTH = 64
"""Of the tree, as of the names of its nodes; what claims to be deeper becomes a root."""

UNNAMED = "unnamed model"


def read_trace(file: BinaryIO) -> Trace:
    """Read a trace from its start; any bytes give one."""
    return TraceReader().read(file)


def detail(file: BinaryIO, lines: Iterable[int], *, most_bytes: int = MAX_BYTES) -> Iterator[Line]:
    """Yield the events that begin at these places of the file, up to `most_bytes` of them."""
    read = 0
    for at in lines:
        file.seek(at)
        raw = file.readline(MAX_LINE_BYTES)
        read += len(raw)
        if read > most_bytes:
            return
        line = read_line(raw)
        if isinstance(line, Line):
            yield line


class TraceReader:
    """Takes the lines of a trace one after the other; `most_nodes` of the tree are told apart."""

    def __init__(self, most_nodes: int = MAX_NODES) -> None:
        self.trace = Trace()
        self.most_nodes = most_nodes
        self.given: dict[str, Delegated] = {}
        self.asked: dict[int, str] = {}  # the model of each call under way
        self.base_s = 0.0
        self.last_s = 0.0

    def read(self, file: BinaryIO) -> Trace:
        """Read all of a file."""
        buffered = io.BufferedReader(file, 1 << 20) if isinstance(file, io.RawIOBase) else file
        at = 0
        while (after := self.line(buffered, at)) > at:
            at = after
        self.finish()
        return self.trace

    def line(self, file: BinaryIO, at: int, *, growing: bool = False) -> int:
        """Take the line that begins at `at`, where the file stands; return where the next begins.

        That is `at` itself at the end of the file and, in one that is `growing`, before a line
        whose end is not written yet.
        """
        trace = self.trace
        raw = file.readline(MAX_LINE_BYTES)
        whole, after = raw.endswith(b"\n"), at + len(raw)
        while not whole and len(raw) >= MAX_LINE_BYTES:  # no line of ours is so long
            more = file.readline(MAX_LINE_BYTES)
            after += len(more)
            if more.endswith(b"\n") or len(more) < MAX_LINE_BYTES:
                break
        if not raw or (growing and not whole):
            return at
        line = read_line(raw) if raw.strip() else Unknown("")
        match line:
            case Line():
                trace.events += 1
                self.take(at, line)
            case Unknown(""):
                pass
            case Unknown(kind):
                trace.events += 1
                key = kind if kind in trace.unknown or len(trace.unknown) < 20 else "others"
                trace.unknown[key] += 1
            case None if not whole and len(raw) < MAX_LINE_BYTES:
                trace.cut_off = True
            case None:
                trace.damaged += 1
        return after

    def take(self, at: int, line: Line) -> None:
        now = self.base_s + line.at_s
        self.last_s = max(self.last_s, now)
        match line.event:
            case RunStarted():
                self.begin(line.event)
            case RunEnded():
                self.trace.end = line.event
            case Note(text):
                if len(self.trace.notes) < NOTES_KEPT:
                    self.trace.notes.append((round(now, 3), one_line(text[:2_000])))
                else:
                    self.trace.more_notes += 1
            case BorderChanged():
                self.trace.borders += 1
                if len(self.trace.border_lines) < MAX_LINES:
                    self.trace.border_lines.append(at)
            case event:
                self.at_node(at, now, event)

    def begin(self, first: RunStarted) -> None:
        """Begin the run, or begin it again: whatever was under way was cut off."""
        self.trace.tries += 1
        self.trace.first = first
        self.trace.end = None
        self.base_s = self.last_s
        self.stop_all("cut")

    def stop_all(self, state: State) -> None:
        for node in self.trace.nodes.values():
            self.trace.totals.open_calls += len(node.open_calls)
            node.open_calls.clear()
            if node.state == "active":
                node.state = state
        self.asked.clear()

    def at_node(self, at: int, now: float, event: Recorded) -> None:
        name: str = event.node  # type: ignore[union-attr]
        node = self.trace.nodes.get(name) or self.grow(name, now, event)
        if isinstance(event, CallStarted):
            self.asked[event.call] = event.model
        self.count(event)
        if node is None:
            self.trace.without_node += 1
            return
        if len(node.lines) < MAX_LINES:
            node.lines.append(at)
        else:
            node.more_lines += 1
        self.to_node(node, now, event)

    def grow(self, name: str, now: float, event: Recorded) -> Node | None:
        """Add a node; one whose beginning is missing hangs where its name says."""
        nodes = self.trace.nodes
        if len(nodes) >= self.most_nodes:
            return None
        parent = event.parent if isinstance(event, NodeStarted) else None
        if parent not in nodes:
            parent = name.rpartition(".")[0]
        above = nodes.get(parent)
        if above is not None and above.depth >= MAX_DEPTH:
            above = None
        nodes[name] = Node(
            name, above.name if above else None, above.depth + 1 if above else 1, now
        )
        (above.children if above else self.trace.roots).append(name)
        return nodes[name]

    def to_node(self, node: Node, now: float, event: Recorded) -> None:
        match event:
            case NodeStarted(_, _, task, label, size, units):
                node.task, node.label = sentences(task), sentences(label)
                node.size, node.units = size, units
                node.tries += 1
                node.state, node.ended_s, node.why = "active", None, ""
                if given := self.given.pop(node.name, None):
                    node.by, node.lens = given.by, sentences(given.lens)
                    node.parts_count = len(given.parts)
                    node.parts = tuple(sentences(part) for part in given.parts[:PARTS_KEPT])
            case NodeSplit(_, parts):
                node.split = parts
            case Delegated():
                node.delegated[event.by] += 1
                if len(self.given) < MAX_NODES:
                    self.given[event.child] = event
            case Result(_, value):
                node.returned, node.has_result = said_by(value), True
            case NodeEnded(_, outcome, why):
                node.state, node.why, node.ended_s = outcome, sentences(why), now
            case _:
                self.at_work(node, event)

    def at_work(self, node: Node, event: Recorded) -> None:
        match event:
            case CallStarted(_, call, _):
                node.open_calls.add(call)
            case CallEnded():
                node.open_calls.discard(event.call)
                node.spent.add(event.usage, event.usd)
                node.call_seconds += event.seconds
                node.failed_calls += event.stop is None
                node.turns += event.stop is not None
            case Replayed():
                node.replayed[event.source] += 1
                node.turns += 1
            case FunctionCalled(_, name, arguments):
                self.looked_up(node, sentences(name)[:40], one_line(arguments[:ARGUMENT_CHARS]))
            case CodeRun(_, _, printed, failed):
                node.code_runs += 1
                node.code_failed += failed
                node.printed += whole_length(printed)
            case Submitted(_, result, problems):
                if problems:
                    node.refused += 1
                    node.problems += [sentences(one) for one in problems[:PROBLEMS_KEPT]]
                    del node.problems[PROBLEMS_KEPT:]
                elif not node.has_result:
                    node.returned = said_by(result)

    def looked_up(self, node: Node, name: str, arguments: str) -> None:
        key = (name, arguments)
        if key in node.looked or len(node.looked) < KINDS_LOOKED_UP:
            node.looked[key] += 1
        elif name in node.more_looked or len(node.more_looked) < KINDS_LOOKED_UP:
            node.more_looked[name] += 1
        else:
            node.more_looked["others"] += 1

    def count(self, event: Recorded) -> None:
        totals = self.trace.totals
        match event:
            case CallEnded():
                totals.spent.add(event.usage, event.usd)
                totals.failed_calls += event.stop is None
                self.of_model(self.asked.pop(event.call, "")).add(event.usage, event.usd)
            case Replayed():
                totals.replayed[event.source] += 1
                totals.saved.add(event.usage, event.usd)

    def of_model(self, named: str) -> Spent:
        first = self.trace.first
        name = one_line(named or (first.model if first else None) or UNNAMED)[:80]
        models = self.trace.totals.models
        if name not in models and len(models) >= MODELS_KEPT:
            name = "others"
        return models.setdefault(name, Spent())

    def finish(self) -> None:
        """Close the books: nothing follows."""
        self.stop_all("active")
        self.sum_up()

    def sum_up(self) -> None:
        """Bring the sums over the tree up to what was taken so far."""
        trace = self.trace
        trace.totals.seconds = self.last_s
        for node in trace.nodes.values():
            node.below_usd = 0.0
            node.children.sort(key=place)
        for node in reversed(list(in_tree_order(trace))):
            node.below_usd += node.spent.usd
            if node.parent is not None:
                trace.nodes[node.parent].below_usd += node.below_usd
        trace.roots.sort(key=place)
