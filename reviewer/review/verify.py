"""The verifier: the question "is this reported defect real?", each put to a fresh node.

A finder is asked to find, and will rather say too much. Whoever is asked to refute, with the same
code at hand and without the finder's train of thought, lets through what can be proved. Bugbot's
validator and Claude Code Review's verification are such steps.

What is grave and neither proved nor refuted is put to a second one, of the stronger model: a change
may have talked the first out of an answer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reviewer.change import Change, Span
from reviewer.errors import GiveUp
from reviewer.finding import Category, Finding, Proof, Severity
from reviewer.ports import Objects
from reviewer.request import Promise, StopReason
from reviewer.review.claims import PROSE_CHARS, QUOTE_CHARS, Harm
from reviewer.review.functions import Code, functions
from reviewer.review.intent import as_told
from reviewer.review.place import TRIGGER_CHARS, Placer, shown
from reviewer.review.prompts import prompt
from reviewer.review.scope import BYTES_A_TOKEN, quoted, show, size_of
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, Tier, Unit
from reviewer.text import decode, printable

HUNKS_TOKENS = WINDOW_TOKENS // 2
"""Of the hunks around a report: what it is about. The node reads the rest where it has a doubt."""

AROUND_LINES = 20
"""Shown before and after a place outside the change, where there is no hunk to show."""

WHOLE_LINES = 120
"""A hunk of so many lines is shown whole."""

NEAR_LINES = 50
"""Of a longer one, shown before and after the place: most functions with their neighbours. A claim
about two lines drowns in a hunk of hundreds, and of an added file the one hunk is all of it."""

PART_SHOWN = (
    "Of a long hunk only the lines near the report are shown: the hunk goes on, and around() with "
    "its id, read() and diff() have the rest."
)

ALONE = 8
"""So many reports have a node each. Verifying a large change's many, each by a node that reads the
same files anew, costs more than finding them."""

TOGETHER = 3
"""Reports of one node, where there are more: neighbours, which take much the same looks."""

PROMISE_CHARS = 12_000
"""Of all that was promised, shown beside a report about a promise."""

LEAST_SURE = 0.5
"""Of a verifier that a report takes itself back."""

Judgement = Literal["holds", "refuted", "unproven", "taste"]


class Verdict(BaseModel):
    """What one node says of one candidate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str = Field(max_length=100, description="the id of the report")
    reasoning: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="what you read and what follows from it, 1-4 sentences",
    )
    stands: Literal["as stated", "contradicts itself"] = Field(
        default="as stated",
        description="of the report's own words, in whatever language: 'contradicts itself' if they "
        "come to the conclusion that nothing is wrong",
    )
    verdict: Judgement
    trigger: str = Field(
        default="",
        max_length=PROSE_CHARS,
        description="if it holds: the input, state or order of events that fails and what happens "
        "then, 1-2 sentences of at most 40 words, to be read after the words 'Fails when:'",
    )
    path: str = Field(
        default="", max_length=PROSE_CHARS, description="of the file that `quote` stands in"
    )
    quote: str = Field(
        default="",
        max_length=QUOTE_CHARS,
        description="if it holds or is refuted: the 1 to 8 lines of code that prove it, copied "
        "exactly",
    )
    severity: Harm
    confidence: float = Field(ge=0, le=1, description="how sure you are of the verdict")
    preexisting: bool = Field(
        default=False,
        description="true if it fails in the same way at the base, wherever the code stood there",
    )
    replacement: Literal["none", "complete", "incomplete"] = Field(
        default="none", description="what the proposed replacement is, if there is one"
    )

    @property
    def taken_back(self) -> bool:
        """Is it, for sure, a report that its own words take back? Whatever language it is in."""
        return self.stands == "contradicts itself" and self.confidence >= LEAST_SURE


class Verdicts(BaseModel):
    """The verdicts of some candidates, each about another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdicts: list[Verdict] = Field(
        max_length=TOGETHER, description="one for each report, each by itself"
    )


class Judged(Verdicts):
    """The answers of verifiers, joined."""

    verdicts: list[Verdict]


@dataclass(frozen=True)
class VerifyScope:
    """Findings of models, in order: the candidates. Those of a part are read together."""

    candidates: tuple[Finding, ...]
    is_part: bool = False


class Verifier:
    """The task. Candidates are joined beforehand: what is said twice is verified once.

    `causes` are the spans that findings elsewhere are caused by, by the findings' ids; `guidance`
    says what the project's maintainers ask of whoever looks at some spans. `language`: in which a
    person will read what fails (BCP-47). `promise` is what the change says it is for. A `second`
    one is of the stronger model, and is not told that there was a first.
    """

    name = "verify"
    version = "11"
    tier: Tier = "cheap"
    goes_back: int = 2
    result: type[Verdicts] = Verdicts

    def __init__(
        self,
        change: Change,
        objects: Objects,
        spans: Sequence[Span],
        *,
        guidance: Callable[[Sequence[Span]], str] = lambda _spans: "",
        language: str | None = None,
        code: Code | None = None,
        causes: Mapping[str, Span] | None = None,
        promise: Promise | None = None,
        window: int = WINDOW_TOKENS,
        second: bool = False,
    ) -> None:
        self.tier = "strong" if second else "cheap"
        self._second = second
        self._change = change
        self._objects = objects
        self._code = code
        self._guidance = guidance
        self._language = language
        self._causes = causes or {}
        self._promise = promise
        self._window = window
        self._placer = Placer(change, objects)
        self._spans: dict[str, list[Span]] = {}
        for span in spans:
            self._spans.setdefault(printable(span.path), []).append(span)

    def instructions(self, scope: VerifyScope) -> str:
        text = prompt("verifier.md")
        told = self._guidance([span for each in scope.candidates for span in self._around(each)])
        text = f"{text}\n{told}" if told else text
        if self._language is not None:
            text += f"\nWrite `trigger` in the language `{self._language}` (BCP-47).\n"
        return text

    def units(self, scope: VerifyScope) -> frozenset[Unit]:
        return frozenset(each.id for each in scope.candidates)

    def size(self, scope: VerifyScope) -> int:
        """Return what it takes to read, and more than a window for what is to be divided first."""
        size = sum(len(printable(each.body)) for each in scope.candidates) // int(BYTES_A_TOKEN)
        size += size_of(self._shown_once(scope.candidates))
        return size if _is_one_nodes(scope) else max(size, self._window + 1)

    def label(self, scope: VerifyScope) -> str:
        asked = "once more, " if self._second else ""
        if len(scope.candidates) == 1:
            (one,) = scope.candidates
            return f"{asked}is it true? {printable(one.title)}"
        return f"{asked}are {len(scope.candidates)} reports true?"

    def content(self, scope: VerifyScope) -> str:
        told = "\n\n".join(map(self._told, scope.candidates))
        return f"{told}\n{self._hunks(scope.candidates)}"

    def lens(self, scope: VerifyScope) -> str:
        return prompt("verifier_second.md") if self._second else ""

    def split(self, scope: VerifyScope) -> list[VerifyScope]:
        """Give each its own node, or of many some neighbours one; what is grave has its own."""
        ones = scope.candidates
        if scope.is_part or len(ones) <= ALONE:
            return [VerifyScope((each,)) for each in ones]
        alone = [each for each in ones if each.is_grave]
        beside = sorted((each for each in ones if not each.is_grave), key=_where)
        parts = [VerifyScope((each,)) for each in alone]
        for first in range(0, len(beside), TOGETHER):
            parts.append(VerifyScope(tuple(beside[first : first + TOGETHER]), is_part=True))
        return parts

    def leads(self, scope: VerifyScope) -> bool:
        return False

    def brief(self, scope: VerifyScope, parts: Mapping[str, VerifyScope]) -> str:
        return ""  # nobody leads

    def lenses(self) -> Mapping[str, str]:
        return {}

    def join(self, parts: Sequence[VerifyScope], lens: str) -> VerifyScope:
        return VerifyScope(tuple(each for part in parts for each in part.candidates))

    def functions(self, scope: VerifyScope) -> Mapping[str, Function]:
        spans = tuple(
            dict.fromkeys(span for each in scope.candidates for span in self._around(each))
        )
        return functions(self._change, self._objects, spans, self._code)

    def check(self, scope: VerifyScope, result: Verdicts) -> list[str]:
        """Complain about a verdict on something else, and of one that holds without a proof."""
        wanted = self.units(scope)
        given = [each.candidate for each in result.verdicts]
        if set(given) != wanted or len(given) > len(wanted):
            return [f"verdicts: one each is wanted, about {', '.join(sorted(wanted))}"]
        about = {each.id: each for each in scope.candidates}
        problems = (self.unproved(each, about[each.candidate]) for each in result.verdicts)
        return list(filter(None, problems))

    def unproved(self, verdict: Verdict, finding: Finding) -> str | None:
        """Say what a verdict lacks that holds or refutes; None for others, and if it is proved.

        That a report takes itself back is seen without a look at the code.
        """
        if verdict.verdict not in {"holds", "refuted"} or verdict.taken_back:
            return None
        if verdict.verdict == "holds" and not verdict.trigger.strip():
            return "trigger: name the path from an input or state to the failure, or let it go"
        if not verdict.quote.strip() or not verdict.path:
            return "quote: copy the lines that prove it, and give the path of their file"
        if not _WORDS.search(verdict.quote):
            return "quote: that stands in any code; copy the statement that proves it"
        if problem := self._placer.stands(verdict.path, verdict.quote):
            return f"quote: {problem}"
        return _beside(verdict, finding) if verdict.verdict == "refuted" else None

    def proved(self, result: Verdicts, candidates: Sequence[Finding]) -> dict[str, Verdict]:
        """Return the verdicts by their candidates, without those that lack their proof."""
        about = {each.id: each for each in candidates}
        return {
            each.candidate: each
            for each in result.verdicts
            if each.candidate in about and not self.unproved(each, about[each.candidate])
        }

    def proof(self, verdict: Verdict) -> Proof | None:
        """Return what a proved verdict quotes, with its place."""
        return self._placer.proof(verdict.path, verdict.quote)

    def across(self, scope: VerifyScope, parts: Sequence[Verdicts]) -> str | None:
        return None

    def merge(
        self, scope: VerifyScope, parts: Sequence[Verdicts], own: Verdicts | None
    ) -> Verdicts:
        results = [*parts, *([own] if own else [])]
        return Judged(verdicts=[each for result in results for each in result.verdicts])

    def partial(self, scope: VerifyScope, reason: StopReason) -> Verdicts:
        return Judged(verdicts=[])

    # What a node is shown ------------------------------------------------------------------------

    def _around(self, finding: Finding) -> tuple[Span, ...]:
        """Return the spans that a finding lies in and the one that causes it, else the first of
        its file, as many as fit."""
        of_file = self._spans.get(finding.path, [])
        within = [span for span in of_file if _overlaps(span, finding)]
        cause = self._causes.get(finding.id)
        if cause is not None and cause not in within:
            within.append(cause)
        kept: list[Span] = []
        left = HUNKS_TOKENS
        for span in within or of_file:
            left -= size_of([self._near(span, finding)])
            if left < 0 and kept:
                break
            kept.append(span)
        return tuple(kept)

    def _shown(self, finding: Finding) -> tuple[Span, ...]:
        return tuple(self._near(span, finding) for span in self._around(finding))

    def _near(self, span: Span, finding: Finding) -> Span:
        """Return a span, of a long one that the finding lies in only the lines around it."""
        if span.stop - span.start <= WHOLE_LINES or not (at := _within(span, finding)):
            return span
        start = max(span.start, span.start + at[0] - NEAR_LINES)
        stop = min(span.stop, span.start + at[-1] + 1 + NEAR_LINES)
        return replace(span, start=start, stop=stop)

    def _told(self, finding: Finding) -> str:
        side = "of the base, which the change removes" if finding.side == "LEFT" else "of the head"
        said = " ".join(finding.trigger.split())
        lines = [
            f"The report {finding.id}: {' '.join(finding.title.split())}",
            "",
            *(f"> {line}" for line in finding.body.split("\n")),
            "",
            *([f"It fails, the report says, when: {said}", ""] if said else []),
            # The indent is ours: a quote without it is the code's.
            f"It is about these lines {side}, set four columns to the right here, "
            f"in {quoted(finding.path)}:",
            "",
            *(f"    {line}" for line in finding.evidence.split("\n")),
        ]
        if finding.suggestion is not None:
            lines += ["", "It proposes to replace exactly these lines with:", ""]
            lines += [f"    {line}" for line in finding.suggestion.split("\n")]
        if self._promise is not None and finding.category is Category.INTENT:
            lines += ["", "All that was promised:", "", _cut(as_told(self._promise))]
        return printable("\n".join(lines))

    def _hunks(self, candidates: Sequence[Finding]) -> str:
        """Return the hunks around some candidates, each once, and the code where there is none."""
        spans = self._shown_once(candidates)
        them = "it" if len(candidates) == 1 else "them"
        lines = ["", f"The hunks around {them}:", "", show(self._change, spans)] if spans else []
        if any(self._shown(each) != self._around(each) for each in candidates):
            lines += [PART_SHOWN]
        for each in candidates:
            if each.start_line and not any(_overlaps(span, each) for span in spans):
                which = "it" if len(candidates) == 1 else each.id
                lines += ["", f"The code around {which}:", "", self._code_around(each)]
        return printable("\n".join(lines))

    def _shown_once(self, candidates: Sequence[Finding]) -> tuple[Span, ...]:
        """Return what is shown of the hunks around some candidates, each as far as all need it."""
        pieces: dict[Unit, list[Span]] = {}
        for span in (span for each in candidates for span in self._shown(each)):
            pieces.setdefault(span.id, []).append(span)
        return tuple(piece for ones in pieces.values() for piece in _merged(ones))

    def _code_around(self, finding: Finding) -> str:
        """Return the lines around a place outside the change, without their numbers."""
        try:
            text = decode(self._objects.read(finding.path, "head"))
        except GiveUp as error:
            return f"(it cannot be read: {error})"
        first, last = finding.start_line or 1, finding.line or 1
        lines = text.split("\n")[max(0, first - 1 - AROUND_LINES) : last + AROUND_LINES]
        return "\n".join(f" {line[:500]}" for line in lines)


def _merged(pieces: Sequence[Span]) -> list[Span]:
    """Return pieces of one span in order, those that meet as one."""
    merged: list[Span] = []
    for piece in sorted(pieces, key=lambda one: one.start):
        if merged and piece.start <= merged[-1].stop:
            stop = max(merged[-1].stop, piece.stop)
            merged[-1] = replace(merged[-1], stop=stop)
        else:
            merged.append(piece)
    return merged


def _is_one_nodes(scope: VerifyScope) -> bool:
    return scope.is_part or len(scope.candidates) < 2


def _where(finding: Finding) -> tuple[str, str, int, str]:
    return finding.path, finding.side, finding.line or 0, finding.id


def _cut(text: str) -> str:
    return text if len(text) <= PROMISE_CHARS else f"{text[:PROMISE_CHARS]}… (cut)\n"


@dataclass(frozen=True)
class Sorted:
    """Candidates as verdicts leave them: what stands, what falls, and what is `open`."""

    stand: list[Finding]
    fell: list[Finding]
    open: list[Finding]


def judged(
    candidates: Sequence[Finding],
    verdicts: Mapping[str, Verdict],
    least: float,
    proof: Callable[[Verdict], Proof | None],
) -> Sorted:
    """Return the candidates that stand, as their verifiers see them, those that fall, and the rest.

    One without a verdict stands, but for its suggestion: its finder was sure, nobody has looked. A
    grave one that was neither proved nor refuted is open: to drop that takes a proof, for its words
    may be those of a comment that its author has put there to be repeated. So is one of high
    severity that falls by its own words alone; any lesser one falls. No verifier makes harm less by
    more than one step.
    """
    stand: list[Finding] = []
    fell: list[Finding] = []
    left: list[Finding] = []
    for each in candidates:
        verdict = verdicts.get(each.id)
        grave = each.severity is Severity.CRITICAL or each.category is Category.SECURITY
        harmful = grave or each.severity is Severity.HIGH
        quoted = None if verdict is None else proof(verdict)
        if verdict is None:
            stand.append(each.model_copy(update={"suggestion": None}))
        elif (grave and _leaves_open(verdict, least)) or (
            harmful and verdict.taken_back and quoted is None
        ):
            left.append(each)
        elif (
            verdict.verdict != "holds"
            or verdict.confidence < least
            or (verdict.taken_back and not harmful)
        ):
            fell.append(each)
        else:
            kept = each.suggestion if verdict.replacement == "complete" else None
            changes = {
                "severity": _at_least_beside(verdict.severity, each.severity),
                "confidence": verdict.confidence,
                "preexisting": each.preexisting or verdict.preexisting,
                "suggestion": kept,
                "verified": True,
                "trigger": shown(verdict.trigger, TRIGGER_CHARS),
                "proof": quoted,
            }
            stand.append(each.model_copy(update=changes))
    return Sorted(stand, fell, left)


def _leaves_open(verdict: Verdict, least: float) -> bool:
    """Is a verdict neither a proof nor a refutation?"""
    return verdict.verdict in {"unproven", "taste"} or verdict.confidence < least


def _at_least_beside(severity: Severity, of_finder: Severity) -> Severity:
    """Return the verifier's severity, no more than one step below the finder's."""
    return list(Severity)[min(severity.rank, of_finder.rank + 1)]


def _overlaps(span: Span, finding: Finding) -> bool:
    return bool(_within(span, finding))


_WORDS = re.compile(r"\w+[^\w\n]+\w+|\w{3,}\s*[(\[.]")
"""In a quote that says something: two words on a line, or a call. A bracket proves nothing."""

_NAME = re.compile(r"[^\W\d]\w{3,}")


def _beside(verdict: Verdict, finding: Finding) -> str | None:
    """Complain about a refutation by code that has nothing to do with what was reported: of another
    file, without a name that the report, or the code that it is about, has.
    """
    said = "\n".join((finding.title, finding.body, finding.trigger, finding.evidence))
    if verdict.path == finding.path or PurePosixPath(verdict.path).name in said:
        return None
    if set(_NAME.findall(verdict.quote)) & set(_NAME.findall(said)):
        return None
    return "quote: no name in it is one of the report's or its code's; copy what refutes the report"


def _within(span: Span, finding: Finding) -> list[int]:
    """Return which lines of a span a finding is about, from 0."""
    if finding.start_line is None or finding.line is None or printable(span.path) != finding.path:
        return []
    meant = range(finding.start_line, finding.line + 1)
    return [
        at
        for at, line in enumerate(span.lines)
        if (line.old if finding.side == "LEFT" else line.new) in meant
    ]
