"""What `rlm trace --json` says, as values: run, nodes in full, sums. docs/json.md describes it."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from app.trace_lines import Line
from app.trace_nodes import Node, Spent, State, Trace
from app.trace_words import pretty
from reviewer.model.base import Usage
from reviewer.rlm.trace import (
    BorderChanged,
    CallEnded,
    CallStarted,
    CodeRun,
    Delegated,
    FunctionCalled,
    Replayed,
    Result,
    Submitted,
)

RunState = Literal["complete", "partial", "failed", "running", "cut"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UsageDoc(_Value):
    """Tokens as billed; input without what the cache took or gave."""

    input: int
    output: int
    cache_read: int
    cache_write: int


class RunDoc(_Value):
    """Which run it was. What the trace does not say is null."""

    id: str | None
    state: RunState
    stopped: str | None
    findings: int | None
    began: str | None
    what: str | None
    base: str | None
    head: str | None
    model: str | None
    effort: str | None
    caps: dict[str, int | float | None]
    version: str | None
    tries: int
    missing: list[str]


class CallDoc(_Value):
    """One attempt at a call, or an answer that was there already (`replayed` says where)."""

    call: int | None
    model: str
    stop: str | None
    usage: UsageDoc | None
    usd: float | None
    reserved_usd: float | None
    seconds: float | None
    error: str
    replayed: str | None


class CodeDoc(_Value):
    """Code that the model ran, and what it got back."""

    code: str
    printed: str
    failed: bool


class FunctionDoc(_Value):
    """A function of the host that code called."""

    name: str
    arguments: str


class SubmitDoc(_Value):
    """A result as it was handed in; without `problems` it was taken."""

    result: str
    problems: list[str]


class TurnDoc(_Value):
    """One answer of the model, the attempts that it took, and what it had done."""

    calls: list[CallDoc]
    functions: list[FunctionDoc]
    code: list[CodeDoc]
    submits: list[SubmitDoc]


class GivenDoc(_Value):
    """Who gave a node its scope, and which parts of the parent's that was."""

    by: str
    lens: str
    parts: list[str]


class DelegatedDoc(_Value):
    """Parts that a node gave to a child."""

    child: str
    parts: list[str]
    lens: str
    by: str


class SpentDoc(_Value):
    """Calls and what they cost; `usd` is null where a price was unknown."""

    calls: int
    usage: UsageDoc
    usd: float | None


class NodeDoc(_Value):
    """One node in full, without its children."""

    node: str
    parent: str | None
    task: str
    label: str
    size: int
    units: int
    given: GivenDoc | None
    state: State
    why: str
    tries: int
    began_s: float
    seconds: float | None
    split: int
    delegated: list[DelegatedDoc]
    spent: SpentDoc
    replayed: int
    usd_with_children: float
    turns: list[TurnDoc]
    result: Any
    result_is_whole: bool
    left_out: int


class NoteDoc(_Value):
    """Something that belongs to no node."""

    at_s: float
    text: str


class BorderDoc(_Value):
    """What the change does to something that code elsewhere may rely on."""

    path: str
    symbol: str
    kind: str
    what: str
    before: str
    after: str
    spans: list[str]


class TotalsDoc(_Value):
    """Sums over the run."""

    nodes: int
    depth: int
    states: dict[str, int]
    spent: SpentDoc
    failed_calls: int
    open_calls: int
    replayed: dict[str, int]
    saved: SpentDoc
    cache_read_share: float | None
    models: dict[str, SpentDoc]
    seconds: float
    notes: int
    borders: int


class TreeDoc(NodeDoc):
    """One node in full, and what is below it."""

    children: list["TreeDoc"]


class Document(_Value):
    """All of it. `app.trace_json` writes it piece by piece, and never makes one of these."""

    schema_version: Literal[1]
    run: RunDoc
    nodes: list[TreeDoc]
    notes: list[NoteDoc]
    borders: list[BorderDoc]
    totals: TotalsDoc


def run_state(trace: Trace, running: bool) -> RunState:
    """Return how the run ended, or that it has not."""
    if running:
        return "running"
    return trace.end.status if trace.end else "cut"


def run_doc(trace: Trace, running: bool) -> RunDoc:
    end = trace.end
    said = asdict(trace.first) if trace.first else {}
    return RunDoc(
        id=said.get("run"),
        state=run_state(trace, running),
        stopped=end.stopped if end else None,
        findings=end.findings if end and end.status != "failed" else None,
        began=said.get("began"),
        what=said.get("what"),
        base=said.get("base"),
        head=said.get("head"),
        model=said.get("model"),
        effort=said.get("effort"),
        caps=said.get("caps", {}),
        version=said.get("version"),
        tries=trace.tries,
        missing=trace.missing(),
    )


def totals_doc(trace: Trace) -> TotalsDoc:
    totals = trace.totals
    states: dict[str, int] = {}
    for node in trace.nodes.values():
        states[node.state] = states.get(node.state, 0) + 1
    share = totals.cache_share
    return TotalsDoc(
        nodes=len(trace.nodes),
        depth=trace.depth,
        states=states,
        spent=_spent(totals.spent),
        failed_calls=totals.failed_calls,
        open_calls=totals.open_calls,
        replayed=dict(totals.replayed),
        saved=_spent(totals.saved),
        cache_read_share=None if share is None else round(share, 4),
        models={name: _spent(one) for name, one in sorted(totals.models.items())},
        seconds=round(totals.seconds, 3),
        notes=len(trace.notes) + trace.more_notes,
        borders=trace.borders,
    )


def node_doc(node: Node, lines: Iterable[Line]) -> NodeDoc:
    """Return a node in full; `lines` are its events, in order."""
    turns = _Turns()
    delegated: list[DelegatedDoc] = []
    result: str | None = None
    read = 0
    for line in lines:
        read += 1
        match line.event:
            case Delegated(_, child, parts, lens, by):
                delegated.append(DelegatedDoc(child=child, parts=list(parts), lens=lens, by=by))
            case Result(_, value):
                result = value
            case event:
                turns.take(event)
    taken = [one.result for turn in turns.done() for one in turn.submits if not one.problems]
    value, is_whole = pretty(result if result is not None else taken[-1] if taken else "null")
    return NodeDoc(
        node=node.name,
        parent=node.parent,
        task=node.task,
        label=node.label,
        size=node.size,
        units=node.units,
        given=_given(node),
        state=node.state,
        why=node.why,
        tries=node.tries,
        began_s=round(node.began_s, 3),
        seconds=None if node.seconds is None else round(node.seconds, 3),
        split=node.split,
        delegated=delegated,
        spent=_spent(node.spent),
        replayed=node.replayed.total(),
        usd_with_children=round(node.below_usd, 6),
        turns=turns.done(),
        result=value,
        result_is_whole=is_whole,
        left_out=len(node.lines) - read + node.more_lines,
    )


def border_doc(event: BorderChanged) -> BorderDoc:
    return BorderDoc(
        path=event.path,
        symbol=event.symbol,
        kind=event.kind,
        what=event.what,
        before=event.before,
        after=event.after,
        spans=list(event.spans),
    )


def _given(node: Node) -> GivenDoc | None:
    return GivenDoc(by=node.by, lens=node.lens, parts=list(node.parts)) if node.by else None


def _spent(spent: Spent) -> SpentDoc:
    usd = round(spent.usd, 6) if spent.priced else None
    return SpentDoc(calls=spent.calls, usage=usage_doc(spent.usage), usd=usd)


def usage_doc(usage: Usage) -> UsageDoc:
    return UsageDoc(
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
    )


class _Turns:
    """The events of a node sorted into turns: an attempt that failed belongs to the next answer."""

    def __init__(self) -> None:
        self._turns: list[TurnDoc] = []
        self._open: dict[int, CallStarted] = {}
        self._answered = True

    def take(self, event: object) -> None:
        match event:
            case CallStarted():
                self._open[event.call] = event
            case CallEnded():
                self._asking().calls.append(self._ended(event))
                self._answered = event.stop is not None
            case Replayed():
                self._asking().calls.append(_replayed(event))
                self._answered = True
            case FunctionCalled(_, name, arguments):
                self._last().functions.append(FunctionDoc(name=name, arguments=arguments))
            case CodeRun(_, code, printed, failed):
                self._last().code.append(CodeDoc(code=code, printed=printed, failed=failed))
            case Submitted(_, result, problems):
                self._last().submits.append(SubmitDoc(result=result, problems=list(problems)))

    def done(self) -> list[TurnDoc]:
        if self._open:
            turn = self._asking()
            turn.calls.extend(_under_way(one) for one in self._open.values())
            self._open.clear()
        return self._turns

    def _asking(self) -> TurnDoc:
        if self._answered:
            self._turns.append(TurnDoc(calls=[], functions=[], code=[], submits=[]))
            self._answered = False
        return self._turns[-1]

    def _last(self) -> TurnDoc:
        return self._turns[-1] if self._turns else self._asking()

    def _ended(self, event: CallEnded) -> CallDoc:
        began = self._open.pop(event.call, None)
        return CallDoc(
            call=event.call,
            model=began.model if began else "",
            stop=event.stop,
            usage=usage_doc(event.usage),
            usd=event.usd,
            reserved_usd=began.reserved_usd if began else None,
            seconds=round(event.seconds, 3),
            error=event.error,
            replayed=None,
        )


def _replayed(event: Replayed) -> CallDoc:
    return CallDoc(
        call=None,
        model=event.model,
        stop=event.stop,
        usage=usage_doc(event.usage),
        usd=event.usd,
        reserved_usd=None,
        seconds=None,
        error="",
        replayed=event.source,
    )


def _under_way(event: CallStarted) -> CallDoc:
    return CallDoc(
        call=event.call,
        model=event.model,
        stop=None,
        usage=None,
        usd=None,
        reserved_usd=event.reserved_usd,
        seconds=None,
        error="it was under way when the trace ended",
        replayed=None,
    )
