"""What a review would cost, from the same triage and the same splits; nothing is spent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reviewer.change import Change, FileChange, Span
from reviewer.model.base import Usage
from reviewer.ports import Objects
from reviewer.request import ReviewRequest
from reviewer.review.ahead import MOST_BYTES
from reviewer.review.arrangement import arrange
from reviewer.review.duplicates import MOST_COMPARED
from reviewer.review.finder import LENSES, PACES
from reviewer.review.folding import folded_size
from reviewer.review.guidance import guidance, guides_for
from reviewer.review.intent import HUNKS_TOKENS, compares
from reviewer.review.scope import BYTES_A_TOKEN, SPAN_BYTES, size_of
from reviewer.rlm.node import PROMPT_TOKENS
from reviewer.rlm.run import WINDOW_TOKENS, Pricing
from reviewer.rlm.solve import BRIEF_TOKENS
from reviewer.spans import spans as spans_of
from reviewer.triage import triage

TURNS_LOW, TURNS_HIGH = 1, 4
LEADING_LOW, LEADING_HIGH = 2, 5
REPLY_LOW, REPLY_HIGH = 200, 1_500
PRINTED_HIGH = 1_500
"""Calls of a node that reads and of one that leads, tokens of a reply and of a print-out: what
nodes on real pull requests used."""

CLAIMS_HIGH = 1
"""Of a node that reads, to be verified; most report nothing, and two passes much the same."""

BESIDE_TOKENS = int(MOST_BYTES / BYTES_A_TOKEN)
"""What a finder is told beside its hunks, at the most."""

PROMISE_TOKENS = 3_000
"""What the node that compares is shown beside hunks."""

SUMMARY_TOKENS = 3_000
"""What the one call is shown that tells what several readers said."""

COMPARED_TOKENS = 300
"""What the one call is shown of each claim that asks which are about one defect."""

REPORT_TOKENS = 2_000
"""What a verifier is shown of one claim, with its hunks."""


Divide = Callable[[tuple[Span, ...], int], list[tuple[Span, ...]]]


@dataclass(frozen=True)
class Estimate:
    """A range, not a promise; the promise is the cap. Dollars are None for an unknown price.

    `nodes` read, lead, compare or tell what was read; how many claims there will be to verify
    nobody knows.
    """

    nodes: int
    input_tokens: int
    output_tokens: int
    usd_low: float | None
    usd_high: float | None
    note: str


def estimate(request: ReviewRequest, change: Change, objects: Objects, prices: Pricing) -> Estimate:
    """Return what this request would use, its claims verified; detectors cost nothing."""
    sorted_out = triage(change, objects, request.paths, request.policy, request.policy_before)
    spans = tuple(s for file in sorted_out.scope for s in spans_of(file, SPAN_BYTES))
    clusters = arrange(sorted_out.scope, spans, objects, lambda: False).clusters
    scopes, above = divided(clusters.order, clusters.divide, size=folded_size)
    passes = len(LENSES[request.effort])
    led = above * len(PACES[request.effort].led)
    model = request.model or ""
    told = _told(request, sorted_out.scope)
    sizes = [folded_size(leaf) + told for leaf in scopes]
    low = [one for size in sizes for one in _calls(size, TURNS_LOW, REPLY_LOW, passes)]
    beside = [size + BESIDE_TOKENS for size in sizes]
    high = [one for size in beside for one in _calls(size, TURNS_HIGH, REPLY_HIGH, passes)]
    low += _calls(BRIEF_TOKENS + told, LEADING_LOW, REPLY_LOW, 1) * led
    high += _calls(BRIEF_TOKENS + told, LEADING_HIGH, REPLY_HIGH, 1) * led
    checks = len(scopes) * CLAIMS_HIGH if PACES[request.effort].verifies else 0
    if compares(request):
        size = min(size_of(spans), HUNKS_TOKENS) + told + PROMISE_TOKENS
        low += _calls(size, TURNS_LOW, REPLY_LOW, 1)
        high += _calls(size, TURNS_HIGH, REPLY_HIGH, 1)
    retold = len(scopes) > 1
    cheap = _calls(SUMMARY_TOKENS, 1, REPLY_HIGH, 1) * retold
    cheap += _calls(REPORT_TOKENS, TURNS_HIGH, REPLY_HIGH, 1) * checks
    compared = min(len(scopes) * CLAIMS_HIGH, MOST_COMPARED)
    cheap += _calls(COMPARED_TOKENS * compared, 1, REPLY_LOW, 1) * (compared > 1)
    used = sum([*high, *cheap], Usage())
    usd_low, usd_high = _priced(low, model, prices), _priced(high, model, prices)
    if cheap and usd_high is not None:
        more = _priced(cheap, request.cheap_model or model, prices)
        usd_high = None if more is None else usd_high + more
    cap = request.caps.usd
    note = f"{passes} pass{'' if passes == 1 else 'es'} over {len(spans)} spans"
    if cap is not None and usd_high is not None and usd_high > cap:
        note += f"; the cap of ${cap:.2f} may end it early"
    return Estimate(
        len(scopes) * passes + led + compares(request) + retold,
        used.total - used.output,
        used.output,
        usd_low,
        usd_high,
        note,
    )


def leaves(
    spans: tuple[Span, ...], divide: Divide, window: int = WINDOW_TOKENS
) -> list[tuple[Span, ...]]:
    """Return the scopes that one pass reads whole: what the recursion comes down to."""
    return divided(spans, divide, window)[0]


def divided(
    spans: tuple[Span, ...],
    divide: Divide,
    window: int = WINDOW_TOKENS,
    size: Callable[[Sequence[Span]], int] = size_of,
) -> tuple[list[tuple[Span, ...]], int]:
    """Return the scopes that one pass reads whole, and how many there are above them.

    `divide` gives the parts of spans that a window of so many tokens does not hold, by `size`.
    """
    found: list[tuple[Span, ...]] = []
    above = 0
    todo = [spans] if spans else []
    while todo:
        scope = todo.pop()
        parts = [scope] if size(scope) <= window else divide(scope, window)
        if len(parts) == 1:
            found.append(scope)
        else:
            above += 1
            todo += reversed(parts)
    return found, above


def _told(request: ReviewRequest, files: Sequence[FileChange]) -> int:
    """Return the tokens of what the project has to say, as if all of it were about every file."""
    guides, _ = guides_for(request.guides, files)
    policy = request.policy
    text = guidance(request.guidelines, policy.instructions, policy.comments.language, guides)
    return int(len(text) / BYTES_A_TOKEN)


def _calls(scope: int, turns: int, reply: int, passes: int) -> list[Usage]:
    """Return the calls of one scope in every pass: what one wrote to the cache the next reads."""
    calls = []
    for index in range(passes):
        known = PROMPT_TOKENS + scope if index else 0
        for turn in range(turns):
            prompt = PROMPT_TOKENS + scope + turn * (reply + PRINTED_HIGH)
            calls.append(Usage(cache_write=prompt - known, cache_read=known, output=reply))
            known = prompt
    return calls


def _priced(calls: Sequence[Usage], model: str, prices: Pricing) -> float | None:
    """Return the cost of the calls one by one: a price may depend on a call's own length."""
    costs = [prices.cost(model, call) for call in calls or [Usage()]]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
