"""The two arms of length.py: one node that reads all it can, and the product's recursion."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import reviewer.rlm.node
from app.code import code_of
from app.defaults import DEFAULT_MODEL
from app.objects import LocalObjects
from reviewer.change import Change, Span
from reviewer.diff import build_change
from reviewer.finding import Finding
from reviewer.git import open_repo
from reviewer.model.base import Model, Usage
from reviewer.model.prices import load
from reviewer.ports import Objects
from reviewer.request import Caps, Effort, ReviewRequest
from reviewer.review import job
from reviewer.review.coverage import account
from reviewer.review.finder import LENSES, PACES, Finder
from reviewer.review.functions import Code
from reviewer.review.job import LOCKFILE, MIN_CONFIDENCE, Prepared, prepare
from reviewer.review.join import join, masked
from reviewer.review.place import Placer
from reviewer.review.scope import FindScope, size_of
from reviewer.revisions import parse_range
from reviewer.rlm.node import PROMPT_TOKENS
from reviewer.rlm.run import open_run
from reviewer.rlm.sandbox import PRINT_CHARS
from reviewer.rlm.solve import solve
from reviewer.rlm.trace import TraceSink

EFFORT = Effort.STANDARD
LENS = "general"

LARGE_WINDOW = 200_000
"""Tokens of the one node, as the product counts them, for all that it is told and says."""

LOOKS = 2
"""Print-outs and replies of full length that still fit beside what it reads; most are shorter."""


@dataclass(frozen=True)
class Opened:
    """One size, opened."""

    gitdir: Path
    change: Change
    objects: Objects
    code: Code
    prepared: Prepared


@dataclass(frozen=True)
class Terms:
    """Who is asked, and how: at most so many letters, so many at a time, each within so long."""

    model: Model
    letters: int | None
    sink: TraceSink
    at_a_time: int
    timeout_s: float
    name: str = DEFAULT_MODEL


Arm = Callable[[Opened, Terms], Awaitable[dict[str, Any]]]
"""A way to review. Returns status, notes, findings, usage and coverage, as JSON values."""


@contextmanager
def opened(out: Path, size: str) -> Iterator[Opened]:
    """Open the repository of a size; what is derived from its files is kept under OUT/home."""
    gitdir = out / f"{size}.git"
    with open_repo(gitdir) as repo:
        change = build_change(repo, *parse_range(repo, "base...head"))
        with (
            LocalObjects(repo, change) as objects,
            code_of(repo, change, objects, out / "home", cancelled=_never) as code,
        ):
            prepared = prepare(change, objects, _never, (), code.context)
            yield Opened(gitdir, change, objects, code, prepared)


async def one(ready: Opened, terms: Terms) -> dict[str, Any]:
    """Have one node read the first spans of the change, as many as fit."""
    prepared, pace = ready.prepared, PACES[EFFORT]
    spans = _first(prepared.spans, pace.output_tokens)
    finder = Finder(
        prepared.change, ready.objects, prepared.leads, window=LARGE_WINDOW, code=ready.code
    )
    with _roomy():
        async with open_run(
            terms.model,
            terms.name,
            load(None),
            caps=Caps(calls=terms.letters),
            sink=terms.sink,
            cancelled=_never,
            window=LARGE_WINDOW,
            thinking=pace.thinking,
            output_tokens=pace.output_tokens,
            concurrency=terms.at_a_time,
            call_timeout_s=terms.timeout_s,
        ) as run:
            solved = await solve(finder, FindScope(spans, LENS), run)
            usage = run.account.usage
    placer = Placer(prepared.change, ready.objects)
    held = {span.id: span for span in spans}
    placed = [placer.finding(claim, held, LENS) for claim in solved.result.claims]
    sure = [found for found in placed if found and found.confidence >= MIN_CONFIDENCE]
    missed = {span.id: "the window was full" for span in prepared.spans if span.id not in held}
    aside = [
        *prepared.triage.skipped,
        *((file, LOCKFILE) for file in prepared.triage.lockfiles),
    ]
    coverage = account(
        prepared.change, aside, prepared.spans, solved.covered, {**missed, **solved.missed}
    )
    return {
        "status": "partial" if missed or solved.missed else "complete",
        "notes": sorted(set(solved.missed.values())),
        "findings": _told(masked(join([*prepared.leads, *sure]))),
        "usage": asdict(usage),
        "coverage": coverage.model_dump(mode="json"),
    }


async def recursion(ready: Opened, terms: Terms) -> dict[str, Any]:
    """Have the product review the change, in one pass."""
    with _one_pass():
        review = await job.review(
            ReviewRequest(effort=EFFORT, model=terms.name, caps=Caps(calls=terms.letters)),
            ready.change,
            ready.objects,
            model=terms.model,
            prices=load(None),
            sink=terms.sink,
            cancelled=_never,
            concurrency=terms.at_a_time,
            code=ready.code,
            call_timeout_s=terms.timeout_s,
        )
    cost = review.cost
    usage = Usage(
        cost.input_tokens, cost.output_tokens, cost.cache_read_tokens, cost.cache_write_tokens
    )
    return {
        "status": review.status,
        "notes": review.notes,
        "findings": _told(review.findings),
        "usage": asdict(usage),
        "coverage": review.coverage.model_dump(mode="json"),
    }


ARMS: Mapping[str, Arm] = {"one": one, "recursion": recursion}


def _first(spans: tuple[Span, ...], output_tokens: int) -> tuple[Span, ...]:
    """Return the first spans: as many as leave room for the prompt, some looks and the reply."""
    left = LARGE_WINDOW - PROMPT_TOKENS - output_tokens
    left -= LOOKS * (output_tokens + PRINT_CHARS // 3)
    for index, span in enumerate(spans):
        left -= size_of([span])
        if left < 0:
            return spans[:index]
    return spans


@contextmanager
def _one_pass() -> Iterator[None]:
    """Let the effort be one pass through the lens, led by a node where the scope does not fit.

    Nobody verifies: the other arm has nobody to do it either.
    """
    mine = {
        "LENSES": {**LENSES, EFFORT: (LENS,)},
        "PACES": {EFFORT: replace(PACES[EFFORT], led=frozenset({LENS}), verifies=False)},
    }
    before = {key: vars(job)[key] for key in mine}
    vars(job).update(mine)
    try:
        yield
    finally:
        vars(job).update(before)


@contextmanager
def _roomy() -> Iterator[None]:
    """Let a conversation grow to the large window, not to the product's bound."""
    before = reviewer.rlm.node.MOST_PROMPT_TOKENS
    reviewer.rlm.node.MOST_PROMPT_TOKENS = LARGE_WINDOW
    try:
        yield
    finally:
        reviewer.rlm.node.MOST_PROMPT_TOKENS = before


def _told(findings: list[Finding]) -> list[dict[str, Any]]:
    return [finding.model_dump(mode="json") for finding in findings]


def _never() -> bool:
    return False
