"""A trace as text: the list of runs, the tree of one, one node of it in full. No I/O.

What a trace says is shown and never obeyed: every text of it loses its control characters here.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells, set_cell_size

from app.render import words
from app.render.escape import code_line, one_line, visible
from app.render.json import dumps
from app.render.text import NARROWEST, WIDEST, wrap
from app.render.trace_facts import WARNINGS, call_words, cap, facts, price, shortened, totals
from app.trace_document import NodeDoc, TurnDoc, run_state
from app.trace_folder import Kept
from app.trace_nodes import Node, Trace

DEAREST = 10

MOST_GUIDES = 12
"""Levels that are set in; deeper nodes still have their names to tell where they are."""


LABEL_ROOM = 12
"""Columns that a label keeps; cost and time give way."""

NOTES_SHOWN = 10

_SIGNS = {
    "done": ("✓", "32"),
    "partial": ("◐", "33"),
    "failed": ("✗", "31"),
    "active": ("·", "36"),
    "cut": ("·", "33"),
}
_BOLD, _DIM, _WARN = "1", "2", "33"
_KEY_CHARS = 9

_STATES = {
    "complete": "complete",
    "partial": "partial",
    "failed": "ended without a review",
    "running": "running",
    "cut": "cut off",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a tree is shown: nodes down to `depth` (None: all), and the dearest with `costs`."""

    depth: int | None = None
    costs: bool = False


def list_lines(runs: Sequence[Kept], more: int, *, width: int, color: bool) -> Iterator[str]:
    """Yield the list of runs, one a line; `more` of them are older and not shown."""
    page = _Page(width, color)
    ids = max((cell_len(one.run) for one in runs), default=3)
    yield page.paint(page.fit(f"{'run':<{ids}}  {_ROW.format(*_TITLES)}  what"), _BOLD)
    for one in runs:
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.began))
        state = "running" if one.running else one.end.status if one.end else "cut off"
        findings = calls = usd = "–"
        if one.end is not None:
            findings = f"{one.end.findings:,}" if one.end.status != "failed" else "–"
            calls = f"{one.end.calls:,}"
            usd = "unknown" if one.end.usd is None else words.money(one.end.usd)
        what = one_line(one.head.what) if one.head else "not known"
        row = _ROW.format(when, state, findings, calls, usd)
        yield page.fit(f"{one.run:<{ids}}  {row}  {what}")
    if more:
        yield page.paint(f"and {more:,} older", _DIM)


_ROW = "{:<16}  {:<8}  {:>8}  {:>5}  {:>8}"
_TITLES = ("when (UTC)", "status", "findings", "calls", "cost")


def tree_lines(
    trace: Trace, asked: Asked, *, running: bool, width: int, color: bool
) -> Iterator[str]:
    """Yield a run as lines: what it was, its nodes, its sums, and what the trace lacks."""
    page = _Page(width, color)
    yield from page.head(trace, running)
    for sentence in trace.missing():
        yield from page.wrapped(sentence, "Missing: ", style=_WARN)
    if trace.nodes:
        yield ""
        yield from page.nodes(trace, asked.depth)
    yield ""
    yield from page.totals(trace)
    if asked.costs:
        yield ""
        yield from page.dearest(trace)
    yield from page.notes(trace)


def node_lines(trace: Trace, doc: NodeDoc, *, width: int, color: bool) -> Iterator[str]:
    """Yield one node in full: what it was given, each turn, what it returned."""
    page = _Page(width, color)
    yield from page.worked(trace, doc)
    yield ""
    yield page.paint("Result", _BOLD)
    yield from page.result(doc)


def work_lines(trace: Trace, doc: NodeDoc, *, width: int) -> Iterator[str]:
    """Yield the same without what it returned, for a file beside that."""
    yield from _Page(width, color=False).worked(trace, doc)


class _Page:
    """Width and colour, and the parts of a trace laid out with them."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = max(NARROWEST, min(width, WIDEST))
        self.color = color

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.color and text and style else text

    def fit(self, text: str, used: int = 0) -> str:
        room = max(2, self.width - used)
        return text if cell_len(text) <= room else set_cell_size(text, room - 1).rstrip() + "…"

    def wrapped(self, text: str, lead: str = "", style: str = "") -> Iterator[str]:
        """Wrap one paragraph, later lines under the first behind `lead`."""
        used = cell_len(lead)
        for at, line in enumerate(wrap(text, max(20, self.width - used))):
            yield (lead if at == 0 else " " * used) + self.paint(line, style)

    def head(self, trace: Trace, running: bool) -> Iterator[str]:
        first, end = trace.first, trace.end
        state = run_state(trace, running)
        said = _STATES[state]
        if end is not None and end.stopped:
            said += f" ({one_line(end.stopped)})"
        if end is not None and end.status != "failed":
            said += f", {words.count(end.findings, 'finding')}"
        if trace.tries > 1:
            said += f", in {trace.tries:,} tries"
        name = one_line(first.run) if first else "without a name"
        yield from self.wrapped(f"Run {name}: {said}", style=_BOLD)
        if first is None:
            return
        ends = f"{one_line(first.base)[:10]}..{one_line(first.head)[:10]}"
        began = one_line(first.began).replace("T", " ").replace("Z", " UTC")
        yield from self.wrapped(f"{one_line(first.what)}, {ends}, {began}")
        model = f"model {one_line(first.model)}" if first.model else "no model"
        caps = [cap(one_line(key), value) for key, value in first.caps.items()]
        how = [model, f"effort {one_line(first.effort)}", *filter(None, caps)]
        if first.version:
            how.append(f"rlm {one_line(first.version)}")
        yield from self.wrapped(", ".join(how), style=_DIM)

    def nodes(self, trace: Trace, depth: int | None) -> Iterator[str]:
        """Yield the tree; a stack and no recursion, for its depth is whatever a file says."""
        # A node's name, the guides before its own row, and those before what hangs below it.
        todo = [(root, "", "") for root in reversed(trace.roots)]
        while todo:
            name, before, below = todo.pop()
            node = trace.nodes[name]
            is_open = depth is None or node.depth < depth
            yield self.row(node, before)
            shown = node.children if is_open else []
            inner = f"{below}│ " if shown else f"{below}  "
            yield from self.facts(node, f"{inner}  ")
            if node.children and not is_open:
                yield from self.closed(trace, node, f"{inner}  ")
            deeper = node.depth < MOST_GUIDES
            for at, child in reversed(list(enumerate(shown))):
                is_last = at == len(shown) - 1
                if deeper:
                    own = f"{below}└─ " if is_last else f"{below}├─ "
                    todo.append((child, own, f"{below}   " if is_last else f"{below}│  "))
                else:
                    todo.append((child, f"{below}· ", below))

    def row(self, node: Node, before: str) -> str:
        sign, style = _SIGNS[node.state]
        label = node.label or node.task or "its beginning is missing"
        shown = shortened(node.name, self.width // 3, from_end=True)
        lead = f"{before}{sign} {shown}  "
        tail = self.tail(node, cell_len(lead) + LABEL_ROOM)
        label = self.fit(label, cell_len(lead) + cell_len(tail))
        return (
            before
            + self.paint(sign, style)
            + f" {self.paint(shown, _BOLD)}  {label}"
            + self.paint(tail, _DIM)
        )

    def tail(self, node: Node, used: int) -> str:
        """What a node cost and how long it took, or as much of that as there is room for."""
        own = price(node.spent) if node.spent.calls else ""
        below = ""
        if node.children and node.below_usd > node.spent.usd:
            below = f"{words.money(node.below_usd)} with all below"
        took = "" if node.seconds is None else words.duration(node.seconds)
        for parts in ((own, below, took), (own, took), (own,)):
            said = ", ".join(filter(None, parts))
            if said and used + 2 + cell_len(said) <= self.width:
                return f"  {said}"
        return ""

    def facts(self, node: Node, lead: str, *, full: bool = False) -> Iterator[str]:
        for key, text in facts(node, full):
            style = _WARN if key in WARNINGS else ""
            shown = self.wrapped(text, f"{lead}{key:<{_KEY_CHARS}} ", style)
            for at, line in enumerate(shown):
                # The guides go on beside a second line, where its lead is empty.
                yield line if at == 0 else lead + line[len(lead) :]

    def closed(self, trace: Trace, node: Node, lead: str) -> Iterator[str]:
        below = list(_below(trace, node))
        states = Counter(one.state for one in below)
        said = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
        usd = words.money(sum(one.spent.usd for one in below))
        text = f"{words.count(len(below), 'node')} not shown ({said}), {usd}"
        yield from self.wrapped(text, f"{lead}{'below':<{_KEY_CHARS}} ", _DIM)

    def totals(self, trace: Trace) -> Iterator[str]:
        yield self.paint("Sums", _BOLD)
        for line in totals(trace, " (--json lists them)"):
            yield from self.wrapped(line, "  ")

    def dearest(self, trace: Trace) -> Iterator[str]:
        yield from self.wrapped("The dearest nodes, without what is below them", style=_BOLD)
        whole = trace.totals.spent.usd
        nodes = [node for node in trace.nodes.values() if node.spent.usd]
        nodes.sort(key=lambda node: -node.spent.usd)
        for node in nodes[:DEAREST]:
            share = f"{node.spent.usd / whole:.0%}" if whole else ""
            calls = words.count(node.spent.calls, "call")
            row = f"{words.money(node.spent.usd):>9} {share:>4}  {calls:>9}  {node.name}  "
            yield self.fit(f"  {row}{node.label or node.task}")
        if not nodes:
            yield "  None of them cost anything."

    def notes(self, trace: Trace) -> Iterator[str]:
        counts = Counter(text for _, text in trace.notes)
        for text, number in list(counts.items())[:NOTES_SHOWN]:
            yield from self.wrapped(text + (f" (×{number})" if number > 1 else ""), "Note: ")
        more = max(0, len(counts) - NOTES_SHOWN) + trace.more_notes
        if more:
            yield f"and {words.count(more, 'more note')}"

    def worked(self, trace: Trace, doc: NodeDoc) -> Iterator[str]:
        node = trace.nodes[doc.node]
        yield self.row(node, "")
        yield from self.facts(node, "  ", full=True)
        for one in doc.delegated:
            parts = ", ".join(one_line(part) for part in one.parts)
            lens = f" (lens {one_line(one.lens)})" if one.lens else ""
            yield from self.wrapped(f"by the {one.by}{lens}: {parts}", f"  to {one.child}: ")
        for number, turn in enumerate(doc.turns, 1):
            yield ""
            yield from self.turn(number, turn)
        if doc.left_out:
            said = f"{words.count(doc.left_out, 'event')} of this node not shown: too many."
            yield from self.wrapped(said, "Missing: ", style=_WARN)

    def turn(self, number: int, turn: TurnDoc) -> Iterator[str]:
        yield self.paint(f"Turn {number}", _BOLD)
        for call in turn.calls:
            yield from self.wrapped(call_words(call), "  asked: ", _WARN if call.error else "")
        for function in turn.functions:
            text = f"{one_line(function.name)}({one_line(function.arguments)})"
            yield from self.wrapped(text, "  called: ")
        for run in turn.code:
            yield from self.block("code that failed" if run.failed else "code", run.code)
            yield from self.block("printed", run.printed)
        for one in turn.submits:
            yield from self.block("refused" if one.problems else "taken", one.result)
            for problem in one.problems:
                yield from self.wrapped(one_line(problem), "    because: ", _WARN)

    def block(self, title: str, text: str) -> Iterator[str]:
        yield f"  {title}:"
        for line in visible(text).rstrip("\n").split("\n"):
            shown, room = code_line(line), self.width - 6
            for piece in [shown] if cell_len(shown) <= room else chop_cells(shown, room):
                yield f"    {self.paint('│', _DIM)} {piece}".rstrip()

    def result(self, doc: NodeDoc) -> Iterator[str]:
        if doc.result is None:
            yield "  None is in the trace."
            return
        text = dumps(doc.result) if doc.result_is_whole else str(doc.result)
        yield from self.block("as JSON" if doc.result_is_whole else "cut off, no JSON", text)


def _below(trace: Trace, node: Node) -> Iterator[Node]:
    todo = list(node.children)
    while todo:
        one = trace.nodes[todo.pop()]
        yield one
        todo += one.children


def joined(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines in pieces of some size, each line with its end."""
    piece: list[str] = []
    for line in lines:
        piece.append(line.rstrip() + "\n")
        if len(piece) >= 500:
            yield "".join(piece)
            piece = []
    yield "".join(piece)
