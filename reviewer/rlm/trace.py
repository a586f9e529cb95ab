"""The trace: an append-only stream of what a run does. Every display and report reads this.

Events carry no clock; whoever receives one knows when it came. A node is named by its place in
the tree, "1" for the root and "1.2" for its second child, so the same input gives the same names.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from reviewer.model.base import Stop, Usage
from reviewer.text import printable

Outcome = Literal["done", "partial", "failed"]

PREVIEW_CHARS = 2_000
"""How much of a text (code, print-out, arguments) an event keeps: a trace outlives its run."""

RESULT_CHARS = 200_000
"""How much of a node's result an event keeps: a root with a thousand findings has as much."""


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
class Delegated:
    """A node gave parts of its scope, named as its brief names them, to one child.

    `by` says who decided: the model, in code, or the host, for what was given to nobody.
    """

    node: str
    child: str
    parts: tuple[str, ...]
    lens: str
    by: Literal["model", "host"]


@dataclass(frozen=True, slots=True)
class Result:
    """What a node returned, joined with what is below it, as JSON; comes before its NodeEnded.

    Cut after RESULT_CHARS, with a mark that makes it no JSON.
    """

    node: str
    value: str


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
    model: str = ""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """An attempt ended. `stop` is None and `error` says why where it brought no answer.

    `busy`: the service asked for less.
    """

    node: str
    call: int
    stop: Stop | None
    usage: Usage
    usd: float | None
    seconds: float
    error: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """A reply that was there already, so that nobody was asked: it costs nothing now.

    `source`: the journal, an equal request of this run, or a recording. `usage` and `usd` are what
    it cost when it was paid.
    """

    node: str
    source: Literal["journal", "run", "recording"]
    stop: Stop
    usage: Usage
    usd: float | None
    model: str = ""


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
    | Delegated
    | Result
    | NodeEnded
    | CallStarted
    | CallEnded
    | Replayed
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


def result_text(value: BaseModel) -> str:
    """Return a node's result as JSON for `Result`, bounded."""
    text = value.model_dump_json()
    if len(text) <= RESULT_CHARS:
        return text
    return f"{text[:RESULT_CHARS]}… ({len(text) - RESULT_CHARS} more characters)"


def as_json(event: Event) -> dict[str, Any]:
    """Return the event as JSON values, its kind under "event"."""
    value: dict[str, Any] = {"event": type(event).__name__}
    for each in dataclasses.fields(event):
        held = getattr(event, each.name)
        value[each.name] = dataclasses.asdict(held) if isinstance(held, Usage) else held
    return value
