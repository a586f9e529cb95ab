"""The testing job: a change in, tests of what it does and no test covers out, with an account.

finders: what does it do, and which test says so? ── quotes looked up by host code ── by test file
                                                                                          │
   ┌── writer: tests to be added ◄─────────────────── with the reason, at most twice ◄──┐ │
   ▼                                                                                    │ ▼
do they only add, parse, please the detectors? ── fresh readers: would they fail without it? ──► a
                                                                        commit for each test file
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from reviewer.change import Span
from reviewer.languages import is_prose, is_test
from reviewer.model.base import Model
from reviewer.ports import Cancelled
from reviewer.refactor.job import OUTPUT_TOKENS, cost_of, guidance_of
from reviewer.refactor.patch import Patch
from reviewer.refactor.tree import Overlay, Start, Tree, Trees
from reviewer.refactor.unchecked import told, unchecked
from reviewer.request import StopReason
from reviewer.review.arrangement import arrange
from reviewer.review.clusters import Clusters
from reviewer.review.finder import PACES
from reviewer.review.job import unmatched
from reviewer.review.scope import SPAN_BYTES, FindScope
from reviewer.rlm.journal import Journal
from reviewer.rlm.run import CALL_TIMEOUT_S, CONCURRENCY, Pricing, Run, open_run
from reviewer.rlm.solve import solve
from reviewer.rlm.trace import TraceSink
from reviewer.spans import spans as spans_of
from reviewer.testing.finder import LENS, Finder, Sorted
from reviewer.testing.request import TestingRequest
from reviewer.testing.rounds import Rounds
from reviewer.testing.values import Testing
from reviewer.triage import triage

FINDING = 0.4
"""Of the budget, at the most: behaviours for which nobody can write a test are worth little."""

LEVELS = 2
"""At the least: all test files of a round, and one."""


@dataclass
class Outcome:
    """What the testing of a change came to: its account, and the patch."""

    testing: Testing
    patch: Patch


@dataclass
class _Found:
    """What the change does, as far as it was read."""

    sorted: Sorted = field(default_factory=Sorted)
    notes: list[str] = field(default_factory=list)
    stopped: StopReason | None = None


async def write_tests(
    request: TestingRequest,
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
    """Write tests for what a change does and no test covers, a commit for each test file.

    `start` is the change's head. What a run can meet (no budget, no service, a cancellation, a
    deadline) ends in a partial result that says what was left, never in an exception.
    """
    began = time.monotonic()
    overlay = Overlay(start)
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
        found = await _find(request, overlay, trees, run, cancelled)
        rounds = Rounds(trees, run, overlay, request.base, guidance_of(request.guidelines))
        await rounds.write(found.sorted.targets)
        notes = [*found.notes, *rounds.notes]
        if run.stopped is not None:
            notes.append(str(run.stopped))
        cost = cost_of(run, time.monotonic() - began)
        halted = run.stopped.reason if run.stopped is not None else None
    stopped = halted or found.stopped or _stopped(rounds)
    patch = Patch(request.commit, tuple(rounds.commits))
    unparsed = unchecked(patch.changed)
    testing = Testing(
        status="complete" if stopped is None else "partial",
        stopped=stopped,
        base=request.base,
        commit=request.commit,
        written=rounds.written,
        left=[*found.sorted.left, *rounds.left],
        covered=list(found.sorted.covered),
        findings=rounds.findings,
        unchecked=unparsed,
        notes=list(dict.fromkeys([*told(unparsed), *notes])),
        cost=cost,
    )
    return Outcome(testing, patch)


async def _find(
    request: TestingRequest, overlay: Overlay, trees: Trees, run: Run, cancelled: Cancelled
) -> _Found:
    """Have the change read for what it does, and for the tests that say so."""
    with trees.tree({}, request.base) as tree:
        found = _Found(notes=unmatched(tree.change, request.paths))
        clusters = await asyncio.to_thread(_laid_out, request, tree, cancelled)
        if not any(not is_test(span.path) for span in clusters.order):
            found.notes.append("The change has no code that could be tested.")
            return found
        guidance = guidance_of(request.guidelines)
        finder = Finder(tree, overlay, clusters, guidance=guidance, window=run.window)
        scope = FindScope(clusters.order, LENS)
        held = run.account.child(run.account.left.share(1 - FINDING))
        solved = await solve(finder, scope, run, "1")
        held.close()
        found.sorted = await asyncio.to_thread(finder.sorted_out, scope, solved.result)
    if lost := found.sorted.lost:
        found.notes.append(
            f"{lost} behaviour(s) were dropped: they quote nothing that was changed."
        )
    if solved.missed:
        why = "; ".join(sorted(set(solved.missed.values())))
        found.notes.append(f"{len(solved.missed)} hunk(s) were not read: {why}")
        found.stopped = min(solved.stops, key=list(StopReason).index, default=None)
    return found


def _laid_out(request: TestingRequest, tree: Tree, cancelled: Cancelled) -> Clusters:
    """Return the spans of a change that are read: code and tests, what belongs together near."""
    policies = (request.policy, request.policy_before)
    files = triage(tree.change, tree.objects, request.paths, *policies).scope
    files = tuple(file for file in files if not is_prose(file.path))
    spans: Sequence[Span] = [span for file in files for span in spans_of(file, SPAN_BYTES)]
    return arrange(files, spans, tree.objects, cancelled, tree.code.context).clusters


def _stopped(rounds: Rounds) -> StopReason | None:
    """Return why a run that was not halted is partial all the same."""
    if any(one.state == "missed" for one in rounds.left):
        stops = rounds.stops or {StopReason.INCOMPLETE}
        return min(stops, key=list(StopReason).index)
    return StopReason.INCOMPLETE if rounds.findings else None
