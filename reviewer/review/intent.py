"""The intent node: where do a change and what its author promises differ?

Finders are blind to title and description, which keeps them from believing the author. This one
node is shown both, and asked for nothing else.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reviewer.change import Change, Span
from reviewer.detectors.names import INTENT
from reviewer.finding import Category, Finding
from reviewer.languages import is_test, reading_order
from reviewer.ports import Objects
from reviewer.request import Effort, Promise, ReviewRequest, StopReason
from reviewer.review.borders import Border, described
from reviewer.review.claims import PROSE_CHARS, QUOTE_CHARS, Claim, Harm
from reviewer.review.folding import folded_size, show_folded
from reviewer.review.functions import Code, functions
from reviewer.review.guidance import set_apart
from reviewer.review.place import Placer
from reviewer.review.promised import with_promise
from reviewer.review.prompts import prompt
from reviewer.review.scope import fitting, listed, quoted, source_first
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, OneNode, Tier, Unit
from reviewer.text import UNSPACED, printable, words_in

LENS = "intent"
UNIT = "intent"

HUNKS_TOKENS = WINDOW_TOKENS * 3 // 4
"""Of the hunks that are shown, source first; the others can be read."""

MOST_FILES = 200
MOST_LEFT = 40
"""Files that are named of those whose hunks are not shown, or not all."""

MOST_BORDERS = 60
MOST_CLAIMS = 10

LEAST_WORDS = 3
"""Of a promise: with fewer ("Fix bug") there is nothing to compare."""

LEAST_PROMISE_CHARS = 6
"""Of the words that a claim is about: fewer stand in any text."""

Kind = Literal["missing", "contrary", "unmentioned"]


class IntentClaim(BaseModel):
    """One difference as the model describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    promise: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="the words of the promise that it is about, copied exactly",
    )
    hunk: str = Field(
        default="", max_length=PROSE_CHARS, description="id of the hunk that the quote is in"
    )
    path: str | None = Field(
        default=None,
        max_length=PROSE_CHARS,
        description="only for a place outside the hunks: the path of its file",
    )
    quote: str = Field(
        min_length=1,
        max_length=QUOTE_CHARS,
        description="the 1 to 8 whole lines that show it, copied exactly from the code, without "
        "the leading + - or space column of the diff",
    )
    severity: Harm
    confidence: float = Field(ge=0, le=1, description="how sure you are")
    title: str = Field(
        min_length=1, max_length=PROSE_CHARS, description="the difference in at most 12 words"
    )
    why: str = Field(
        min_length=1,
        max_length=PROSE_CHARS,
        description="what was promised, what the code does, for whom it shows; 1-4 sentences",
    )

    def claim(self) -> Claim:
        """Return it as a finder's claim: the host finds its place in the same way."""
        return Claim.model_construct(
            hunk=self.hunk,
            path=self.path,
            quote=self.quote,
            category=Category.CONTRACT,
            severity=self.severity,
            confidence=self.confidence,
            title=self.title,
            why=self.why,
            trigger="",
            replacement=None,
            preexisting=False,
        )


class IntentResult(BaseModel):
    """What the node hands in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claims: list[IntentClaim] = Field(
        max_length=MOST_CLAIMS, description="the differences; an empty list is a good answer"
    )


@dataclass(frozen=True)
class IntentScope:
    """The hunks of a change and what was promised for it. It is never divided."""

    spans: tuple[Span, ...]
    promise: Promise


def compares(request: ReviewRequest) -> bool:
    """Is the change of a request compared with what was promised?

    Not where next to nothing was, not in a quick review, and not where it is switched off.
    """
    if request.effort is Effort.QUICK or INTENT in request.policy.off or request.promise is None:
        return False
    return words_in(" ".join(request.promise.texts())) >= LEAST_WORDS


class Intent(OneNode[IntentScope, IntentResult]):
    """The task: one node."""

    name = "intent"
    version = "7"
    tier: Tier = "strong"
    goes_back: int = 1
    result: type[IntentResult] = IntentResult

    def __init__(
        self,
        change: Change,
        objects: Objects,
        *,
        code: Code | None = None,
        borders: Sequence[Border] = (),
        language: str | None = None,
    ) -> None:
        self._change = change
        self._objects = objects
        self._code = code
        self._borders = borders
        self._language = language
        self._placer = Placer(change, objects)

    def instructions(self, scope: IntentScope) -> str:
        text = prompt("intent.md")
        if self._language is not None:
            text += f"\nWrite `title` and `why` in the language `{self._language}` (BCP-47).\n"
        return text

    def units(self, scope: IntentScope) -> frozenset[Unit]:
        return frozenset({UNIT})

    def size(self, scope: IntentScope) -> int:
        return folded_size(_shown(scope))

    def label(self, scope: IntentScope) -> str:
        return "does it do what it promises?"

    def content(self, scope: IntentScope) -> str:
        files = sorted(self._change.files, key=lambda file: reading_order(file.path))
        parts = [
            "What was promised:\n",
            as_told(scope.promise),
            f"The files of the change:\n\n{listed(files, MOST_FILES)}",
            self._at_borders(),
            "The hunks:\n",
            show_folded(self._change, _shown(scope)),
            _left(scope),
        ]
        return printable("\n".join(filter(None, parts)))

    def functions(self, scope: IntentScope) -> Mapping[str, Function]:
        return functions(self._change, self._objects, _shown(scope), self._code)

    def check(self, scope: IntentScope, result: IntentResult) -> list[str]:
        """Complain about each quote that stands nowhere, of the code and of the promise."""
        held = {span.id: span for span in scope.spans}
        problems = []
        for index, one in enumerate(result.claims):
            if (problem := self._placer.problem(one.claim(), held)) is not None:
                problems.append(f"claims.{index}.quote: {problem}")
            if not was_said(one.promise, scope.promise):
                problems.append(
                    f"claims.{index}.promise: nothing that was promised has these words: copy "
                    "them exactly"
                )
        return problems

    def partial(self, scope: IntentScope, reason: StopReason) -> IntentResult:
        return IntentResult(claims=[])

    def finding(self, one: IntentClaim, scope: IntentScope) -> Finding | None:
        """Return the finding that a claim makes; None where one of its quotes stands nowhere."""
        if not was_said(one.promise, scope.promise):
            return None
        held = {span.id: span for span in scope.spans}
        found = self._placer.finding(one.claim(), held, LENS)
        if found is None:
            return None
        mentioned = one.kind != "unmentioned"
        body = with_promise(found.body, printable(one.promise), mentioned=mentioned)
        return Finding.model_validate(
            {**found.model_dump(), "id": "", "category": Category.INTENT, "body": body}
        )

    def _at_borders(self) -> str:
        relied_on = [one for one in self._borders if not is_test(one.path)]
        if not relied_on:
            return ""
        told = described(relied_on)
        lines = [f"- {one}" for one in told[:MOST_BORDERS]]
        if (more := len(told) - MOST_BORDERS) > 0:
            lines.append(f"- and {more} more")
        return "What it does to what others rely on:\n\n" + "\n".join(lines) + "\n"


def _shown(scope: IntentScope) -> tuple[Span, ...]:
    """Return what is shown: all of it where that fits with hunks that are alike shown once."""
    ordered = source_first(scope.spans)
    return (
        tuple(ordered) if folded_size(ordered) <= HUNKS_TOKENS else fitting(ordered, HUNKS_TOKENS)
    )


def _left(scope: IntentScope) -> str:
    """Say of which files hunks are not shown, in the order in which they would be; "" of none."""
    held = {span.id for span in _shown(scope)}
    left = Counter(span.path for span in source_first(scope.spans) if span.id not in held)
    if not left:
        return ""
    lines = [f"- {quoted(path)}: {hunks}" for path, hunks in list(left.items())[:MOST_LEFT]]
    if (more := len(left) - MOST_LEFT) > 0:
        lines.append(f"- and of {more} more files")
    return "Not shown for want of room, by file; diff() has them:\n\n" + "\n".join(lines) + "\n"


def was_said(words: str, promise: Promise) -> bool:
    """Do these words stand in a promise, but for white space and the marks of Markdown?"""
    wanted = _plain(words)
    if len(wanted) + len(UNSPACED.findall(wanted)) < LEAST_PROMISE_CHARS:
        return False
    return any(wanted in _plain(text) for text in promise.texts())


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[*_`#>\"'\[\]()]", " ", text).lower().split())


def as_told(promise: Promise) -> str:
    """Return what was promised, each piece set apart under its heading."""
    parts = []
    if promise.title.strip():
        parts.append(f"The title:\n{set_apart(promise.title)}\n")
    if promise.description.strip():
        parts.append(f"The description:\n{set_apart(promise.description)}\n")
    for issue in promise.issues:
        text = f"{issue.title}\n\n{issue.body}".strip()
        parts.append(f"Issue {issue.number}, which it says it closes:\n{set_apart(text)}\n")
    if promise.commits:
        texts = "\n>\n".join(set_apart(one.strip()) for one in promise.commits)
        parts.append(f"The messages of its commits, the oldest first:\n{texts}\n")
    return "\n".join(parts)
