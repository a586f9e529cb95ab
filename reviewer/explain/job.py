"""The job that answers a question: change and question in, `Explanation` out."""

import asyncio
import time
from contextlib import suppress

from reviewer.change import Change
from reviewer.detectors.secrets import redacted
from reviewer.explain.task import Explainer, ExplainScope
from reviewer.explain.values import Explanation, Question, Reply, Shown
from reviewer.model.base import Model, Usage
from reviewer.ports import Cancelled, Objects
from reviewer.request import Cost, ReviewRequest
from reviewer.review.anchor import Absent
from reviewer.review.finder import PACES
from reviewer.review.functions import Code
from reviewer.review.guidance import guidance
from reviewer.review.scope import SPAN_BYTES
from reviewer.rlm.journal import Journal
from reviewer.rlm.run import CALL_TIMEOUT_S, CONCURRENCY, Pricing, Run, open_run
from reviewer.rlm.solve import solve
from reviewer.rlm.trace import TraceSink
from reviewer.spans import spans as spans_of
from reviewer.text import printable
from reviewer.triage import triage

NOTHING = "The model came to no answer."


async def explain(
    question: Question,
    request: ReviewRequest,
    change: Change,
    objects: Objects,
    *,
    model: Model,
    prices: Pricing,
    sink: TraceSink,
    cancelled: Cancelled,
    concurrency: int = CONCURRENCY,
    code: Code | None = None,
    journal: Journal | None = None,
    tenant: str = "",
    call_timeout_s: float = CALL_TIMEOUT_S,
) -> Explanation:
    """Answer a question about a change, with the model and within the caps of `request`.

    What a run can meet (no budget, no service, a cancellation, a deadline) ends in an explanation
    without an answer that says why, never in an exception.
    """
    began = time.monotonic()
    if request.model is None:
        raise ValueError("a question is put to a model")
    sorted_out = await asyncio.to_thread(
        triage, change, objects, (), request.policy, request.policy_before
    )
    spans = [span for file in sorted_out.scope for span in spans_of(file, SPAN_BYTES)]
    told = guidance(request.guidelines, [], request.policy.comments.language)
    task = Explainer(change, objects, spans, code=code, guidance=told)
    pace = PACES[request.effort]
    async with open_run(
        model,
        request.model,
        prices,
        caps=request.caps,
        sink=sink,
        cancelled=cancelled,
        thinking=pace.thinking,
        output_tokens=pace.output_tokens,
        concurrency=concurrency,
        cheap=request.cheap_model,
        journal=journal,
        tenant=tenant,
        call_timeout_s=call_timeout_s,
    ) as run:
        solved = await solve(task, ExplainScope(question), run, "1")
        cost = _cost(run, time.monotonic() - began)
        if solved.missed or not solved.result.answer:
            why = "; ".join(sorted(set(solved.missed.values()))) or NOTHING
            stops = sorted(solved.stops)
            return Explanation(answer="", stopped=stops[0] if stops else None, why=why, cost=cost)
    places = await asyncio.to_thread(_places, task, change, solved.result)
    answer = redacted(printable(solved.result.answer.strip()))
    return Explanation(answer=answer, places=places, cost=cost)


def _places(task: Explainer, change: Change, reply: Reply) -> list[Shown]:
    """Return where the quotes stand; one that stands nowhere is no proof and is left out."""
    found: list[Shown] = []
    for one in reply.quotes:
        with suppress(Absent):
            path, anchor = task.placer.where(one.path, one.quote)
            place = Shown(commit=change.head, path=path)
            if anchor is not None:
                at_base = anchor.side == "LEFT"
                file = change.by_path.get(path) if at_base else None
                place = Shown(
                    commit=change.merge_base if at_base else change.head,
                    path=printable(file.old_path) if file and file.old_path else path,
                    side=anchor.side,
                    start_line=anchor.start_line,
                    line=anchor.line,
                )
            if place not in found:
                found.append(place)
    return found


def _cost(run: Run, seconds: float) -> Cost:
    usage = run.account.usage
    priced = all(run.prices.cost(one, Usage()) is not None for one in (run.name, run.cheap))
    return Cost(
        model=run.name,
        usd=run.spent.usd if priced else None,
        calls=run.spent.calls,
        replayed_calls=run.replayed,
        input_tokens=usage.input,
        output_tokens=usage.output,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        seconds=round(seconds, 3),
    )
