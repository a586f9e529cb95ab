"""What a review would cost, from the same triage and the same splits; nothing is spent."""

from dataclasses import dataclass

from reviewer.change import Change, Span
from reviewer.model.base import Usage
from reviewer.ports import Objects
from reviewer.request import ReviewRequest
from reviewer.review.finder import LENSES
from reviewer.review.scope import SPAN_BYTES, divide, size_of
from reviewer.rlm.node import PROMPT_TOKENS
from reviewer.rlm.run import WINDOW_TOKENS, Pricing
from reviewer.spans import spans as spans_of
from reviewer.triage import triage

TURNS_LOW, TURNS_HIGH = 1, 4
REPLY_LOW, REPLY_HIGH = 200, 1_500
PRINTED_HIGH = 1_500
"""Calls of a node, tokens of a reply and of a print-out: what nodes on real pull requests used."""


@dataclass(frozen=True)
class Estimate:
    """A range, not a promise; the promise is the cap. Dollars are None for an unknown price."""

    nodes: int
    input_tokens: int
    output_tokens: int
    usd_low: float | None
    usd_high: float | None
    note: str


def estimate(request: ReviewRequest, change: Change, objects: Objects, prices: Pricing) -> Estimate:
    """Return what the finders of this request would use; detectors cost nothing."""
    sorted_out = triage(change, objects)
    spans = tuple(s for file in sorted_out.scope for s in spans_of(file, SPAN_BYTES))
    scopes = leaves(spans)
    passes = len(LENSES[request.effort])
    model = request.model or ""
    low, high = Usage(), Usage()
    for leaf in scopes:
        size = size_of(leaf)
        low += _node(size, TURNS_LOW, REPLY_LOW, passes)
        high += _node(size, TURNS_HIGH, REPLY_HIGH, passes)
    usd_low, usd_high = prices.cost(model, low), prices.cost(model, high)
    cap = request.caps.usd
    note = f"{passes} pass{'' if passes == 1 else 'es'} over {len(spans)} spans"
    if cap is not None and usd_high is not None and usd_high > cap:
        note += f"; the cap of ${cap:.2f} may end it early"
    return Estimate(
        len(scopes) * passes, high.total - high.output, high.output, usd_low, usd_high, note
    )


def leaves(spans: tuple[Span, ...]) -> list[tuple[Span, ...]]:
    """Return the scopes that one pass reads whole: what the recursion comes down to."""
    if not spans:
        return []
    if size_of(spans) <= WINDOW_TOKENS:
        return [spans]
    parts = divide(spans, WINDOW_TOKENS)
    return parts if len(parts) == 1 else [leaf for part in parts for leaf in leaves(part)]


def _node(scope: int, turns: int, reply: int, passes: int) -> Usage:
    """Return the use of one scope in every pass: written to the cache once, read afterwards."""
    grown = sum(PROMPT_TOKENS + scope + turn * (reply + PRINTED_HIGH) for turn in range(turns))
    fresh = PROMPT_TOKENS + scope + (turns - 1) * (reply + PRINTED_HIGH)
    return Usage(
        cache_write=fresh + (passes - 1) * (fresh - PROMPT_TOKENS - scope),
        cache_read=grown * passes - fresh - (passes - 1) * (fresh - PROMPT_TOKENS - scope),
        output=turns * reply * passes,
    )
