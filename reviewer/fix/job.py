"""The fix job: findings (or checks that fail) and a commit in, a patch with its account out.

look up each finding ── coder: edits ── do they fit, parse, please the detectors? ── fresh reviewer
                          ▲                                                             │
                          └──────────────── with the reason, at most twice ◄────────────┤ refuted
                                                                                        ▼
                                                                            a commit for the finding

In the end, with what is left of the money, a test for each that was closed (`tester.py`).
"""

import asyncio
import time
from dataclasses import dataclass

from reviewer.fix.checks import as_target, told_checks
from reviewer.fix.locate import Target, located, spellings
from reviewer.fix.request import FixRequest
from reviewer.fix.rounds import Rounds
from reviewer.fix.tester import add_tests
from reviewer.fix.values import Fixing, Open
from reviewer.model.base import Model
from reviewer.ports import Cancelled
from reviewer.refactor.job import OUTPUT_TOKENS, cost_of, guidance_of
from reviewer.refactor.patch import Patch
from reviewer.refactor.tree import Overlay, Start, Trees
from reviewer.refactor.unchecked import told, unchecked
from reviewer.request import StopReason
from reviewer.review.finder import PACES
from reviewer.rlm.journal import Journal
from reviewer.rlm.run import CALL_TIMEOUT_S, CONCURRENCY, Pricing, open_run
from reviewer.rlm.trace import TraceSink
from reviewer.text import printable

LEVELS = 2
"""At the least: all findings of a round, and one."""


@dataclass
class Outcome:
    """What a fix came to: its account, and the patch."""

    fixing: Fixing
    patch: Patch


async def fix(
    request: FixRequest,
    start: Start,
    trees: Trees,
    *,
    model: Model,
    prices: Pricing,
    sink: TraceSink,
    cancelled: Cancelled,
    concurrency: int = CONCURRENCY,
    journal: Journal | None = None,
    tenant: str = "",
    call_timeout_s: float = CALL_TIMEOUT_S,
) -> Outcome:
    """Close findings, each with a commit of its own.

    What a run can meet (no budget, no service, a cancellation, a deadline) ends in a partial result
    with the findings that nobody came to, never in an exception.
    """
    began = time.monotonic()
    overlay = Overlay(start)
    targets, left = await asyncio.to_thread(_sorted_out, request, overlay)
    async with open_run(
        model,
        request.model,
        prices,
        caps=request.caps.model_copy(update={"depth": max(LEVELS, request.caps.depth)}),
        sink=sink,
        cancelled=cancelled,
        thinking=PACES[request.effort].thinking,
        output_tokens=OUTPUT_TOKENS,
        concurrency=concurrency,
        cheap=request.cheap_model,
        journal=journal,
        tenant=tenant,
        call_timeout_s=call_timeout_s,
    ) as run:
        rounds = Rounds(trees, run, overlay, guidance_of(request.guidelines))
        await rounds.close(targets)
        halted = run.stopped.reason if run.stopped is not None else None
        ended = [str(run.stopped)] if run.stopped is not None else []
        if request.tests:
            ended += await add_tests(rounds, request.commit, request.findings)
            # That tests are lacking makes nothing partial, that somebody has stopped it does.
            if run.stopped is not None and run.stopped.reason is StopReason.CANCELLED:
                halted = StopReason.CANCELLED
        notes = [*rounds.notes, *ended]
        cost = cost_of(run, time.monotonic() - began)
    order = {each.id: index for index, each in enumerate(request.findings)}
    everything = sorted([*left, *rounds.open], key=lambda one: order.get(one.id, -1))
    stopped = halted or _stopped(rounds, everything)
    patch = Patch(request.commit, tuple(rounds.commits))
    unparsed = unchecked(patch.changed)
    fixing = Fixing(
        status="complete" if stopped is None else "partial",
        stopped=stopped,
        commit=request.commit,
        reviewed=request.reviewed,
        checks=[printable(each.name) for each in request.failed],
        closed=rounds.closed,
        closed_with=rounds.closed_with,
        open=everything,
        findings=rounds.findings,
        unchecked=unparsed,
        notes=list(dict.fromkeys([*told(unparsed), *notes])),
        cost=cost,
    )
    return Outcome(fixing, patch)


def _sorted_out(request: FixRequest, tree: Overlay) -> tuple[list[Target], list[Open]]:
    """Return the findings that can be worked on, and those of which it is known why not.

    What checks say comes first, for it is of what was handed out already.
    """
    spelled = spellings(tree)
    looked_up = [located(each, tree, spelled) for each in request.findings]
    if request.failed:
        failed, patched, new = request.failed, request.patched, request.new_tests
        what = told_checks(failed, patched, request.kept, new_tests=new)
        looked_up.insert(0, as_target(failed, patched, what, tree, spelled, alone=new))
    targets = [one for one in looked_up if isinstance(one, Target)]
    return targets, [one for one in looked_up if isinstance(one, Open)]


def _stopped(rounds: Rounds, left: list[Open]) -> StopReason | None:
    """Return why a run that was not halted is partial all the same."""
    if any(one.state == "missed" for one in left):
        stops = rounds.stops or {StopReason.INCOMPLETE}
        return min(stops, key=list(StopReason).index)
    return StopReason.INCOMPLETE if rounds.findings else None
