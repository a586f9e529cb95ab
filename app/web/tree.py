"""The part of a run's tree that one page shows: values for the template, bounded, and no I/O.

Levels come first: whatever a tree looks like, a page shows its top whole before it goes deeper, and
links to what is below.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

from app.render import words
from app.render.trace_facts import WARNINGS, facts, price, shortened, totals
from app.trace_nodes import Node, State, Trace

SHOWN = 300
"""Nodes of one page."""

CHILDREN_SHOWN = 100
"""Of one node, at a time."""

SAID: dict[State, str] = {
    "active": "working",
    "done": "done",
    "partial": "partial",
    "failed": "failed",
    "cut": "cut off",
}

LABEL_CHARS = 160


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a node; `warns`: a reader should not miss it."""

    name: str
    text: str
    warns: bool


@dataclass(slots=True)
class Branch:
    """A node and those of its children that are shown.

    `first` numbers the first of them, `hidden` counts what is left out around them, `next_at` is
    where the following ones begin (None: there are none, or none are shown at all).
    """

    name: str
    label: str
    state: State
    said: str
    usd: str
    took: str
    facts: list[Fact]
    below: str
    children: list["Branch"] = field(default_factory=list)
    hidden: int = 0
    next_at: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a tree. `above` are the names from the root down to where it begins."""

    branches: list[Branch]
    above: list[str]
    sums: list[str]
    missing: list[str]
    notes: list[str]
    nodes: int
    working: int


def shown(trace: Trace, begin: str = "", skip: int = 0, *, running: bool) -> Shown:
    """Return the tree from the node `begin` on ("" or one that is not there: from the roots).

    Of the children of `begin` the first `skip` are passed over. Where nobody is `running`, what has
    no end was cut off.
    """
    top = trace.nodes.get(begin)
    made: dict[str, Branch] = {}
    start = [top.name] if top is not None else trace.roots[:CHILDREN_SHOWN]
    branches = [_grow(made, trace, name, running) for name in start]
    waiting = deque(start)
    while waiting:
        name = waiting.popleft()
        node, branch = trace.nodes[name], made[name]
        passed = min(skip, len(node.children)) if top is not None and name == top.name else 0
        room = max(0, min(CHILDREN_SHOWN, SHOWN - len(made)))
        children = node.children[passed : passed + room]
        branch.children = [_grow(made, trace, child, running) for child in children]
        branch.hidden = len(node.children) - len(children)
        after = passed + len(children)
        branch.next_at = after if children and after < len(node.children) else None
        waiting.extend(children)
    return Shown(
        branches=branches,
        above=_above(trace, top),
        sums=list(totals(trace)),
        missing=trace.missing(),
        notes=_notes(trace),
        nodes=len(trace.nodes),
        working=sum(node.state == "active" for node in trace.nodes.values()) if running else 0,
    )


def _grow(made: dict[str, Branch], trace: Trace, name: str, running: bool) -> Branch:
    node = trace.nodes[name]
    state = _state(node, running)
    label = node.label or node.task or "its beginning is missing"
    made[name] = Branch(
        name=name,
        label=shortened(label, LABEL_CHARS),
        state=state,
        said=SAID[state],
        usd=_usd(node),
        took="" if node.seconds is None else words.duration(node.seconds),
        facts=known(node, running=running),
        below=_below(trace, node),
    )
    return made[name]


def known(node: Node, *, running: bool, full: bool = False) -> list[Fact]:
    """Return what is known of a node; `full`: nothing is shortened."""
    every = [Fact(name, text, name in WARNINGS) for name, text in facts(node, full)]
    if running and node.state == "active":
        return [one for one in every if one.name != "why"]  # it has no end yet, as it should
    return every


def _state(node: Node, running: bool) -> State:
    return "cut" if node.state == "active" and not running else node.state


def _usd(node: Node) -> str:
    """Return what a node and all below it cost."""
    if node.below_usd > node.spent.usd:
        return words.money(node.below_usd)
    return price(node.spent) if node.spent.calls else ""


def _below(trace: Trace, node: Node) -> str:
    """Say how many children there are, by how they are."""
    if not node.children:
        return ""
    states = Counter(SAID[trace.nodes[child].state] for child in node.children)
    said = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
    number = len(node.children)
    return f"{number:,} {'part' if number == 1 else 'parts'}: {said}"


def _above(trace: Trace, node: Node | None) -> list[str]:
    names: list[str] = []
    while node is not None and node.parent is not None:
        names.append(node.parent)
        node = trace.nodes[node.parent]
    return names[::-1]


def _notes(trace: Trace) -> list[str]:
    counted = Counter(text for _, text in trace.notes)
    said = [text + (f" (×{number})" if number > 1 else "") for text, number in counted.items()]
    return said[:20]
