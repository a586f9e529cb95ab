"""What the templates are given: records and reports turned into words and numbers. No I/O."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.github.markers import short_id
from app.jobs import Wish
from app.render import words
from app.render.escape import one_line, visible
from app.render.html import percent, shown_finding, shown_skipped, tally
from app.render.outgoing import without_secrets
from app.render.trace_facts import call_words
from app.report import Report
from app.store import OPEN, PUBLISH, WRITING
from app.store.values import StackedState, State
from app.trace_document import NodeDoc
from app.web.plots import Plot, Series
from app.web.records import STATES, Day, RunRecord, Sums
from reviewer.finding import Severity
from reviewer.request import Review

MOST_FINDINGS = 200
"""Of one page; the check run and the trace have the others."""

MOST_TURNS = 100
TEXT_CHARS = 20_000
"""Of one text of a node: code, what it printed, a result."""

_TRIGGERS = {
    "opened": "when it was opened",
    "reopened": "when it was reopened",
    "ready": "when it was marked ready",
    "pushed": "after a push",
    "retargeted": "when it got another base",
    "labelled": "by its label",
    "requested": "by a request for review",
    "command": "by a command",
    "reply": "by an answer in a thread",
    "rerun": "by a button of the check",
    "button": "by a button of the check",
    "go": "by the start of its plan",
    "reaction": "by a reaction to its plan",
}

_OUTCOMES = {
    "posted": "Published on the pull request.",
    "refused": "GitHub did not let it be published in the conversation.",
    "stale": "The pull request has newer commits, so it was told in the check run alone.",
    "closed": "The pull request was closed, so it was told in the check run alone.",
    "draft": "The pull request became a draft, so it was told in the check run alone.",
    "merged": "Published; the pull request was merged meanwhile.",
    "locked": "The conversation is locked, so it was told in the check run alone.",
    "gone": "The pull request is gone.",
    "answered": "Answered where it was asked.",
    "planned": "The plan is on the pull request, for somebody to start.",
    "declined": "Nothing is done; the pull request says why.",
    "stacked": "There is a pull request on top.",
    "pushed": "Its commits are on the branch of the pull request on top.",
    "patch": "The patch is on the pull request, with why there is no other one.",
    "nothing": "Nothing had to be changed.",
    "no plan": "There is no plan; the pull request says why.",
    "not pushed": "GitHub did not let its commits be pushed; the pull request says why.",
}

KINDS = {
    "review": "Review",
    "ask": "Answer",
    "config": "Settings",
    "refactor": "Refactoring",
    "fix": "Fix",
    "tests": "Tests",
}


_STACKED: dict[StackedState, str] = {
    "open": _OUTCOMES["stacked"],
    "merged": "The pull request on top was merged.",
    "undone": "The pull request on top was undone.",
}

_DONE = frozenset(
    {
        "posted",
        "answered",
        "merged",
        "planned",
        "declined",
        "stacked",
        "pushed",
        "patch",
        "nothing",
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run is: a word with the class of its colour, and a sentence, where there is one."""

    word: str
    kind: str
    why: str = ""


def standing(
    run: RunRecord, step: tuple[str, bool] | None = None, stacked: StackedState = "open"
) -> Standing:
    """Say how a run is; `step` is what is done for it next, and whether somebody is at it, and
    `stacked` what has become of the pull request that it has opened.
    """
    if run.running:
        return _going_on(run, step)
    outcome, _, why = run.outcome.partition(":")
    why = one_line(why)
    if outcome == "stopped":
        return Standing("stopped", "over", why)
    if outcome in {"problem", "lost"}:
        return Standing("failed", "bad", run.problem or why)
    word = "done" if outcome in _DONE else "not published"
    said = _STACKED[stacked] if outcome == "stacked" else _OUTCOMES.get(outcome, outcome)
    return Standing(word, "good" if word == "done" else "over", said)


def _going_on(run: RunRecord, step: tuple[str, bool] | None) -> Standing:
    if run.stop:
        return Standing("stopping", "waits", run.stop)
    kind, is_claimed = step or ("", False)
    if kind == PUBLISH:
        return Standing("publishing", "works")
    if kind == OPEN or not is_claimed:
        return Standing("waiting", "waits", "It begins when its turn comes.")
    return Standing("running", "works", run.progress)


def asked(run: RunRecord) -> str:
    """Say what a run was begun by; "" where that cannot be told."""
    try:
        wish = Wish.model_validate_json(run.request)
    except ValidationError:
        return ""
    return _TRIGGERS.get(wish.trigger, "")


def spent(run: RunRecord) -> str:
    """Return what a run cost, "" while that is not known."""
    if run.usd is not None:
        return words.money(run.usd) if run.usd or run.calls else "no model"
    return "price unknown" if run.calls else ""


def took(run: RunRecord) -> str:
    """Return how long a run took from its request to its end, "" while it goes on."""
    return "" if run.ended is None else words.duration(max(0.0, run.ended - run.created))


def moment(at: float) -> dict[str, str]:
    """Return a time for machines and for people."""
    when = time.gmtime(at)
    return {
        "iso": time.strftime("%Y-%m-%dT%H:%M:%SZ", when),
        "said": time.strftime("%-d %b %Y, %H:%M UTC", when),
    }


def row(run: RunRecord) -> dict[str, Any]:
    """Return a run as a line of a list."""
    return {
        "id": run.id,
        "repository": one_line(run.repository),
        "number": run.number,
        "kind": KINDS.get(run.kind, "Run"),
        "head": one_line(run.head)[: words.NAME_DIGITS],
        "standing": standing(run, ("review", True)) if run.running else standing(run),
        "findings": run.findings,
        "usd": spent(run),
        "created": moment(run.created),
    }


def mails_of(run: RunRecord) -> str:
    """Return the commits that a run came to, as `git am` takes them; "" where there are none."""
    if run.kind not in WRITING or not run.result:
        return ""
    try:
        written = json.loads(run.result)
    except ValueError:
        return ""
    mails = written.get("mails") if isinstance(written, dict) else None
    return mails if isinstance(mails, str) else ""


def review_of(run: RunRecord, threads: Mapping[str, tuple[str, str]]) -> dict[str, Any] | None:
    """Return what a review came to, for the template; None while there is none, or none is kept.

    `threads` are those of the pull request: address and state by the finding's short id.
    """
    if run.kind != "review" or not run.result:
        return None
    try:
        report = without_secrets(Report.model_validate_json(run.result))
    except ValidationError:
        return None  # of another version of this program
    review = report.review
    snippets = report.snippets()
    ordered = words.ranked(review.findings)
    return {
        "review": review,
        "verdict": words.verdict(review),
        "early": words.ended_early(review),
        "unsettled": words.unsettled(review),
        "tally": tally(review),
        "percent": percent(review),
        "findings": [
            shown_finding(at, one, snippets, threads.get(short_id(one.id)))
            for at, one in enumerate(ordered[:MOST_FINDINGS], 1)
        ],
        "more": max(0, len(ordered) - MOST_FINDINGS),
        "coverage": words.coverage(review).rstrip(":"),
        "skipped": shown_skipped(review.coverage.skipped),
        "overview": words.overview(review).strip(),
        "modules": [
            (words.module_name(one), words.module_size(one), one) for one in review.modules
        ],
        "looks": [(words.looked_at(one), one.reason) for one in review.look_first],
        "tokens": _tokens(review),
    }


def _tokens(review: Review) -> list[tuple[str, str]]:
    cost = review.cost
    rows = [
        ("Calls", f"{cost.calls:,}"),
        ("Answers from before", f"{cost.replayed_calls:,}" if cost.replayed_calls else ""),
        ("Tokens in", f"{cost.input_tokens:,}"),
        ("from the cache", f"{cost.cache_read_tokens:,}" if cost.cache_read_tokens else ""),
        ("into the cache", f"{cost.cache_write_tokens:,}" if cost.cache_write_tokens else ""),
        ("Tokens out", f"{cost.output_tokens:,}"),
    ]
    return [(name, value) for name, value in rows if value]


def worked(doc: NodeDoc) -> dict[str, Any]:
    """Return a node turn by turn, each text bounded."""
    turns = [
        {
            "calls": [(call_words(one), bool(one.error)) for one in turn.calls],
            "functions": [f"{one_line(f.name)}({one_line(f.arguments)})" for f in turn.functions],
            "texts": [
                *(
                    text
                    for run in turn.code
                    for text in (
                        _text("code that failed" if run.failed else "code", run.code),
                        _text("printed", run.printed),
                    )
                ),
                *(
                    _text("refused" if one.problems else "result", one.result)
                    for one in turn.submits
                ),
            ],
            "problems": [one_line(text) for one in turn.submits for text in one.problems],
        }
        for turn in doc.turns[:MOST_TURNS]
    ]
    result = doc.result
    if doc.result_is_whole and result is not None:
        result = json.dumps(result, indent=2, ensure_ascii=False)
    return {
        "turns": turns,
        "more_turns": max(0, len(doc.turns) - MOST_TURNS),
        "left_out": doc.left_out,
        "delegated": [
            {
                "child": one.child,
                "parts": ", ".join(one_line(part) for part in one.parts[:40]),
                "lens": one_line(one.lens),
                "by": one.by,
            }
            for one in doc.delegated[:MOST_TURNS]
        ],
        "result": _text("result", str(result)) if result is not None else None,
    }


def _text(title: str, text: str) -> tuple[str, str]:
    shown = visible(text[:TEXT_CHARS])
    if len(text) > TEXT_CHARS:
        shown += f"\n… ({len(text) - TEXT_CHARS:,} more characters)"
    return title, shown


def spending(days: Sequence[Day]) -> Plot:
    """Return the plot of what runs cost, by day."""
    return Plot(
        title="Spend by day",
        labels=[one.date for one in days],
        series=[Series("spent", "spent", [one.usd for one in days])],
        money=True,
    )


def running(days: Sequence[Day]) -> Plot:
    """Return the plot of how many runs there were, by day."""
    return Plot(
        title="Runs by day",
        labels=[one.date for one in days],
        series=[Series("runs", "runs", [float(one.runs) for one in days])],
    )


def becoming(dates: Sequence[str], counted: dict[State, list[int]]) -> Plot:
    """Return the plot of what became of the findings that were told on each day."""
    return Plot(
        title="Findings by the day they were told",
        labels=dates,
        series=[
            Series(state, state, [float(number) for number in counted[state]]) for state in STATES
        ],
    )


def matrix(found: Sequence[tuple[str, State, int]]) -> list[tuple[str, dict[State, int]]]:
    """Return severities by states, the worst first; [] where nothing was told yet."""
    by: dict[str, dict[State, int]] = {}
    for severity, state, number in found:
        by.setdefault(severity, dict.fromkeys(STATES, 0))[state] = number
    return [(one.value, by[one.value]) for one in Severity if one.value in by]


def total(sums: Sequence[Sums]) -> Sums:
    """Return the sums of several repositories together."""
    return Sums(
        runs=sum(one.runs for one in sums),
        usd=sum(one.usd for one in sums),
        dearest=max((one.dearest for one in sums), default=0.0),
        unpriced=sum(one.unpriced for one in sums),
        open=sum(one.open for one in sums),
        last=max((one.last for one in sums if one.last is not None), default=None),
    )
