"""The trace: an append-only stream of what a run does. Every display and report reads this.

Events carry no clock; whoever receives one knows when it came. A node is named by its place in
the tree, "1" for the root and "1.2" for its second child, so the same input gives the same names.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from reviewer.model.base import Stop, Usage
from reviewer.text import printable

Outcome = Literal["done", "partial", "failed"]

PREVIEW_CHARS = 2_000
"""How much of a text (code, print-out, arguments) an event keeps: a trace outlives its run."""


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A scope is being worked on. `size` is in estimated tokens, `units` counts its units."""

    node: str
    parent: str | None
    task: str
    label: str
    size: int
    units: int


@dataclass(frozen=True, slots=True)
class NodeSplit:
    """A scope did not fit and was divided by the host into `parts` parts."""

    node: str
    parts: int


@dataclass(frozen=True, slots=True)
class NodeEnded:
    """A node has its result, whole or partial; `why` is empty for "done"."""

    node: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class CallStarted:
    """One attempt at a call of the model; `reserved_usd` is its worst case, None if unpriced."""

    node: str
    call: int
    reserved_usd: float | None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """An attempt ended. `stop` is None and `error` says why where it brought no answer."""

    node: str
    call: int
    stop: Stop | None
    usage: Usage
    usd: float | None
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class CodeRun:
    """The model ran code in the sandbox. `printed` is what it got back."""

    node: str
    code: str
    printed: str
    failed: bool


@dataclass(frozen=True, slots=True)
class FunctionCalled:
    """Code in the sandbox called a function of the host."""

    node: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """The model handed in a result; `problems` is empty when it was taken."""

    node: str
    result: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BorderChanged:
    """Something that code elsewhere may rely on is different, as is known before any node.

    `before` and `after` are texts of a few hundred characters, `spans` the units that do it.
    """

    path: str
    symbol: str
    kind: str
    what: str
    before: str
    after: str
    spans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader should know that belongs to no node."""

    text: str


Event = (
    NodeStarted
    | NodeSplit
    | NodeEnded
    | CallStarted
    | CallEnded
    | CodeRun
    | FunctionCalled
    | Submitted
    | BorderChanged
    | Note
)

TraceSink = Callable[[Event], None]
"""Receives events in order, on the event loop's thread; must not block and must not raise."""


def silent(_event: Event) -> None:
    """Receive an event and forget it."""


def preview(text: str) -> str:
    """Return `text` cut to PREVIEW_CHARS, printable, with a word on what is missing."""
    text = printable(text)
    if len(text) <= PREVIEW_CHARS:
        return text
    return f"{text[:PREVIEW_CHARS]}… ({len(text) - PREVIEW_CHARS} more characters)"


def as_json(event: Event) -> dict[str, Any]:
    """Return the event as JSON values, its kind under "event"."""
    return {"event": type(event).__name__, **dataclasses.asdict(event)}
