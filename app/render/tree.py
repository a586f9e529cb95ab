"""What a run looks like at this moment: the trace folded into a tree and a few sums. No I/O."""

from dataclasses import dataclass, field
from typing import Literal

from app.render.escape import one_line
from reviewer.model.base import Usage
from reviewer.rlm.trace import (
    BorderChanged,
    CallEnded,
    CallStarted,
    CodeRun,
    Delegated,
    Event,
    FunctionCalled,
    NodeEnded,
    NodeSplit,
    NodeStarted,
    Note,
    Replayed,
    Submitted,
)

State = Literal["active", "done", "partial", "failed"]


@dataclass(slots=True)
class Node:
    """One node of the recursion. `doing` is what it did last, `since` when (seconds).

    `given` counts the children that it gave parts to: the model led the division.
    """

    name: str
    parent: str | None
    label: str
    units: int
    since: float
    state: State = "active"
    doing: str = ""
    usd: float = 0.0
    given: int = 0
    calls: set[int] = field(default_factory=set)  # under way

    @property
    def order(self) -> tuple[int, ...]:
        """Where it stands in the tree; "1.10" comes after "1.9"."""
        return tuple(int(part) if part.isdigit() else 0 for part in self.name.split("."))


@dataclass(slots=True)
class Tree:
    """Every node so far and the sums over them. `priced` is False once a call had no price.

    `replayed` counts answers that were there already; they are in no other sum.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0
    priced: bool = True
    calls: int = 0
    replayed: int = 0
    note: str = ""

    def take(self, event: Event, now: float) -> None:
        """Fold one event in; `now` is a monotonic clock's seconds."""
        match event:
            case NodeStarted(name, parent, task, label, _, units):
                said = one_line(label or task)
                self.nodes[name] = Node(name, parent, said, units, now, doing="started")
            case Note(text):
                self.note = one_line(text)
            case BorderChanged():
                pass  # for the file of the trace: there may be thousands
            case Replayed() if event.node not in self.nodes:
                self.replayed += 1
            case _ if event.node in self.nodes:
                self._at(self.nodes[event.node], event, now)
            case CallEnded():  # a call outside the tree costs all the same
                self._spent(event)

    def _at(self, node: Node, event: Event, now: float) -> None:
        match event:
            case NodeSplit(_, parts):
                node.doing, node.since = f"split into {parts}", now
            case Delegated():
                node.given += 1
                children = f"{node.given:,} {'child' if node.given == 1 else 'children'}"
                node.doing, node.since = f"gave parts to {children}", now
            case NodeEnded(_, outcome, why):
                node.state, node.doing, node.since = outcome, one_line(why), now
            case CallStarted(_, call, _):
                node.calls.add(call)
                node.doing, node.since = "asking the model", now
            case CallEnded():
                self._spent(event)
                node.calls.discard(event.call)
                node.usd += event.usd or 0.0
                node.doing = one_line(event.error) if event.error else "read the answer"
                node.since = now
            case Replayed():
                self.replayed += 1
                node.doing, node.since = "read an answer that was there", now
            case FunctionCalled(_, name, arguments):
                node.doing, node.since = one_line(f"{name}({arguments})"), now
            case CodeRun(_, _, _, failed):
                node.doing, node.since = "its code failed" if failed else "ran code", now
            case Submitted(_, _, problems):
                node.doing, node.since = "its result was refused" if problems else "handed in", now

    def _spent(self, event: CallEnded) -> None:
        self.calls += 1
        self.usage += event.usage
        self.usd += event.usd or 0.0
        if event.usd is None and event.usage.total:
            self.priced = False

    def ended(self) -> int:
        return sum(node.state != "active" for node in self.nodes.values())

    def visible(self, rows: int) -> tuple[list[Node], list[Node]]:
        """Return at most `rows` nodes to show, in tree order, and the others.

        Those at work come first, each with the way to it; then the latest that ended.
        """
        working = [node for node in self.nodes.values() if node.state == "active"]
        # A parent that waits for its children is shown with them, not instead of them.
        working.sort(key=lambda node: (not node.calls, -len(node.order), node.order))
        ended = [node for node in self.nodes.values() if node.state != "active"]
        ended.sort(key=lambda node: -node.since)
        shown: dict[str, Node] = {}
        for node in [*working, *ended]:
            way = [one for one in self._way(node) if one.name not in shown]
            if len(shown) + len(way) <= rows:
                shown |= {one.name: one for one in way}
        rest = [node for node in self.nodes.values() if node.name not in shown]
        return sorted(shown.values(), key=lambda node: node.order), rest

    def _way(self, node: Node) -> list[Node]:
        way = [node]
        while way[-1].parent in self.nodes and len(way) <= len(self.nodes):
            way.append(self.nodes[way[-1].parent or ""])
        return way
