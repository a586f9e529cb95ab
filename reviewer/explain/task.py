"""The explainer: the question that somebody asks about a change, put to one node."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

from reviewer.change import Change, Span
from reviewer.errors import GiveUp
from reviewer.explain.values import Place, Question, Reply
from reviewer.ports import Objects
from reviewer.request import StopReason
from reviewer.review.functions import Code, functions
from reviewer.review.guidance import set_apart
from reviewer.review.place import Placer
from reviewer.review.scope import fitting, listed, quoted, show, size_of
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, OneNode, Tier, Unit
from reviewer.text import decode, printable

HUNKS_TOKENS = WINDOW_TOKENS // 2
"""Of the hunks that are shown; the others can be read."""

AROUND_LINES = 25
"""Shown before and after the place that is asked about."""

MOST_FILES = 60
"""Named of the change; `changed()` has the others."""

LINE_CHARS = 500

_UNIT = "question"


@dataclass(frozen=True)
class ExplainScope:
    """A question; it is never divided."""

    question: Question


class Explainer(OneNode[ExplainScope, Reply]):
    """The task: one node, with the change and the code in reach."""

    name = "explain"
    version = "1"
    tier: Tier = "strong"
    goes_back: int = 1
    result: type[Reply] = Reply

    def __init__(
        self,
        change: Change,
        objects: Objects,
        spans: Sequence[Span],
        *,
        code: Code | None = None,
        guidance: str = "",
    ) -> None:
        self._change = change
        self._objects = objects
        self._spans = tuple(spans)
        self._code = code
        self._guidance = guidance
        self.placer = Placer(change, objects)

    def instructions(self, scope: ExplainScope) -> str:
        return _prompt() + (f"\n{self._guidance}" if self._guidance else "")

    def units(self, scope: ExplainScope) -> frozenset[Unit]:
        return frozenset({_UNIT})

    def size(self, scope: ExplainScope) -> int:
        return size_of(self._shown(scope.question))

    def label(self, scope: ExplainScope) -> str:
        return f"asked: {printable(' '.join(scope.question.text.split()))[:60]}"

    def content(self, scope: ExplainScope) -> str:
        question = scope.question
        files = listed(self._change.files, MOST_FILES)
        parts = [
            f"The files that the change touches:\n\n{files}",
            "Hunks of the change:\n",
            self._hunks(question),
        ]
        if question.place is not None:
            parts.append(self._around(question.place))
        if question.thread:
            parts.append("What was said in the thread before, the oldest first:\n")
            parts += [f"{one.who}:\n{set_apart(one.text)}\n" for one in question.thread]
        return printable("\n".join(parts))

    def lens(self, scope: ExplainScope) -> str:
        return printable(f"The question:\n\n{set_apart(scope.question.text)}")

    def functions(self, scope: ExplainScope) -> Mapping[str, Function]:
        return functions(self._change, self._objects, self._shown(scope.question), self._code)

    def check(self, scope: ExplainScope, result: Reply) -> list[str]:
        """Complain about each quote that is in no file."""
        return [
            f"quotes.{index}.quote: {problem}"
            for index, one in enumerate(result.quotes)
            if (problem := self.placer.stands(one.path, one.quote)) is not None
        ]

    def partial(self, scope: ExplainScope, reason: StopReason) -> Reply:
        return Reply.model_construct(answer="", quotes=[])

    # What the node is shown ----------------------------------------------------------------------

    def _shown(self, question: Question) -> tuple[Span, ...]:
        """Return the hunks of the file that is asked about, then the others, as many as fit."""
        path = question.place.path if question.place else ""
        first = [span for span in self._spans if printable(span.path) == path]
        others = (span for span in self._spans if printable(span.path) != path)
        return fitting(chain(first, others), HUNKS_TOKENS)

    def _hunks(self, question: Question) -> str:
        shown = self._shown(question)
        left = len(self._spans) - len(shown)
        more = f"\n({left} more hunks can be read with diff().)\n" if left else ""
        return show(self._change, shown) + more if shown else "(none)\n"

    def _around(self, place: Place) -> str:
        at = "head" if place.side == "RIGHT" else "base"
        if place.start_line is None or place.line is None:
            return f"The thread is about the whole file {quoted(place.path)} at the {at}.\n"
        where = f"The lines that the thread is about, in {quoted(place.path)} at the {at}"
        try:
            text = decode(self._objects.read(place.path, "head" if at == "head" else "base"))
        except GiveUp as error:
            return f"{where}, cannot be read: {error}\n"
        lines = text.split("\n")
        start = max(1, place.start_line - AROUND_LINES)
        shown = [
            f"{'>' if place.start_line <= number <= place.line else ' '} {line[:LINE_CHARS]}"
            for number, line in enumerate(lines[start - 1 : place.line + AROUND_LINES], start)
        ]
        return f"{where}, marked with `>`:\n\n" + "\n".join(shown) + "\n"


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "explain.md").read_text(encoding="utf-8").strip() + "\n"
