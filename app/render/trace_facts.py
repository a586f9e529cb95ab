"""What a trace says of a node, of a call and of the whole run, in words. No I/O.

Every text in it comes out on one line, without its control characters.
"""

from collections import Counter
from collections.abc import Iterator

from app.render import words
from app.render.escape import one_line
from app.trace_document import CallDoc, UsageDoc
from app.trace_nodes import Node, Spent, Totals, Trace
from reviewer.model.base import Usage

LOOKUPS_SHOWN = 6
PARTS_SHOWN = 6
LOOKUP_CHARS = 50

WARNINGS = frozenset({"why", "refused", "trouble"})
"""Those of `facts` that a reader should not miss."""


def facts(node: Node, full: bool) -> Iterator[tuple[str, str]]:
    """Yield what is known of a node: a word, and what it is; `full`: nothing is shortened."""
    yield "given", _given(node, full)
    if node.split or node.delegated:
        yield "divided", _divided(node)
    if node.looked:
        yield "looked up", _lookups(node, full)
    if node.code_runs:
        failed = f" ({node.code_failed:,} failed)" if node.code_failed else ""
        printed = words.count(node.printed, "character")
        yield "code", f"{words.count(node.code_runs, 'run')}{failed}, {printed} printed"
    if node.turns or node.spent.calls:
        yield "calls", _calls(node)
    if node.refused:
        shown = "; ".join(f"“{one}”" for one in node.problems)
        yield "refused", f"{words.count(node.refused, 'result')}: {shown}"
    if node.returned:
        yield "returned", node.returned
    if node.why:
        yield "why", f"{node.state}: {node.why}"
    elif node.state in {"active", "cut"}:
        yield "why", "no end of it is in the trace"


def _given(node: Node, full: bool) -> str:
    said = []
    if node.tries:
        said.append(f"about {words.count(node.size, 'token')}, {words.count(node.units, 'unit')}")
    if node.task and node.label:
        said.append(f"task {node.task}")
    if node.by:
        limit = len(node.parts) if full else PARTS_SHOWN
        parts = list(node.parts[:limit])
        more = node.parts_count - len(parts)
        names = ", ".join(parts) + (f" and {more:,} more" if more else "")
        lens = f", lens {node.lens}" if node.lens else ""
        said.append(f"by the {node.by}{lens}: {names}")
    if node.tries > 1:
        said.append(f"begun {node.tries:,} times")
    return ", ".join(said) or "not known"


def _divided(node: Node) -> str:
    said = [f"into {words.count(node.split, 'part')} by the host"] if node.split else []
    if node.delegated:
        children = node.delegated.total()
        among = "one child" if children == 1 else f"{children:,} children"
        who = ", ".join(f"{number:,} by the {by}" for by, number in sorted(node.delegated.items()))
        said.append(f"given to {among}: {who}")
    return ", ".join(said)


def _lookups(node: Node, full: bool) -> str:
    common = node.looked.most_common()
    shown = common if full else common[:LOOKUPS_SHOWN]
    parts = []
    for (name, arguments), number in shown:
        short = arguments if full else shortened(arguments, LOOKUP_CHARS)
        text = f"{name}({short})"
        parts.append(text + (f" ×{number:,}" if number > 1 else ""))
    rest = Counter(node.more_looked)
    for (name, _), number in common[len(shown) :]:
        rest[name] += number
    parts += [f"{number:,} more {name}" for name, number in rest.most_common(LOOKUPS_SHOWN)]
    return ", ".join(parts)


def shortened(text: str, limit: int, *, from_end: bool = False) -> str:
    """Return a text without its middle, or its beginning, if it is longer than `limit`."""
    if len(text) <= limit:
        return text
    begin = 0 if from_end else limit // 2
    return f"{text[:begin]}…{text[begin + 1 - limit :]}"


def _calls(node: Node) -> str:
    said = [f"{words.count(node.spent.calls, 'call')} in {words.count(node.turns, 'turn')}"]
    if node.spent.usage.total:
        said.append(_tokens(node.spent.usage))
    if node.spent.calls:
        said += [price(node.spent), words.duration(node.call_seconds)]
    if node.failed_calls:
        said.append(f"{node.failed_calls:,} without an answer")
    if node.replayed:
        said.append(_replays(node.replayed))
    return ", ".join(said)


def _replays(replayed: Counter[str]) -> str:
    sources = ", ".join(f"{number:,} {source}" for source, number in sorted(replayed.items()))
    return f"{words.count(replayed.total(), 'answer')} replayed ({sources})"


def _tokens(usage: Usage | UsageDoc) -> str:
    sent = usage.input + usage.cache_read + usage.cache_write
    cached = f" ({usage.cache_read / sent:.0%} from the cache)" if usage.cache_read else ""
    return f"{sent:,} tokens in{cached}, {usage.output:,} out"


def price(spent: Spent) -> str:
    """Return dollars, or how much of them is known."""
    if spent.priced:
        return words.money(spent.usd)
    return f"over {words.money(spent.usd)}" if spent.usd else "price unknown"


def cap(key: str, value: float | None) -> str:
    """Return a cap of a run; "" for none."""
    if value is None:
        return ""
    if key == "usd":
        return f"cap {words.money(value)}"
    return f"{key} up to {value:,.10g}"


def totals(trace: Trace, hint: str = "") -> Iterator[str]:
    """Yield the sums over a run, a sentence each; `hint` says where the borders are listed."""
    sums = trace.totals
    if not trace.nodes:
        yield "no node"
    else:
        states = Counter(node.state for node in trace.nodes.values())
        said = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
        yield f"{words.count(len(trace.nodes), 'node')} ({said}), depth {trace.depth:,}"
    yield _asked(sums)
    yield f"{_tokens_in(sums)}, {sums.spent.usage.output:,} out"
    models = ", ".join(
        f"{name} {price(one)} ({words.count(one.calls, 'call')})"
        for name, one in sorted(sums.models.items())
    )
    yield price(sums.spent) + (f": {models}" if models else "")
    if trace.borders:
        yield f"{words.count(trace.borders, 'border')} changed{hint}"
    yield words.duration(trace.end.seconds if trace.end else sums.seconds)


def _asked(totals: Totals) -> str:
    said = words.count(totals.spent.calls, "call")
    if totals.failed_calls:
        said += f", {totals.failed_calls:,} without an answer"
    if totals.replayed:
        said += f"; {_replays(totals.replayed)}, once paid {price(totals.saved)}"
    return said


def _tokens_in(totals: Totals) -> str:
    usage = totals.spent.usage
    share = totals.cache_share
    cached = "" if share is None else f" ({share:.0%} read from the cache)"
    return f"{usage.total - usage.output:,} tokens in{cached}"


def call_words(call: CallDoc) -> str:
    """Return what an attempt at a call came to."""
    said = [one_line(call.model)] if call.model else []
    if call.replayed:
        said.append(f"replayed ({call.replayed})")
    if call.usage is not None and (call.usage.output or call.usage.input or call.usage.cache_read):
        said.append(_tokens(call.usage))
    if call.usd is not None:
        said.append(f"{'once ' if call.replayed else ''}{words.money(call.usd)}")
    if call.seconds is not None:
        said.append(words.duration(call.seconds))
    if call.stop:
        said.append(f"stopped: {call.stop}")
    if call.error:
        said.append(one_line(call.error))
    return ", ".join(said) or "nothing is known of it"
