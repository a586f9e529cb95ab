"""The reviewer: the question "does this patch close the finding, and break nothing?".

A fresh node for each patch, on the cheaper model. It is shown the finding and the diff, and none of
what the coder says of it: neither the commit's message nor how it came about.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reviewer.fix.coder import told
from reviewer.fix.locate import Target
from reviewer.fix.values import Looks, Opinion, Opinions
from reviewer.refactor.apply import readable
from reviewer.refactor.outlines import tokens
from reviewer.refactor.patch import Blob
from reviewer.refactor.reach import looking
from reviewer.refactor.tree import Tree
from reviewer.request import StopReason
from reviewer.review.guidance import set_apart
from reviewer.review.place import Placer
from reviewer.review.scope import quoted
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, Tier, Unit
from reviewer.text import printable

AROUND_LINES = 40
"""Of a diff, before and after each change. With ten, every reader asked for the rest."""


@dataclass(frozen=True)
class Candidate:
    """A patch for a finding, and the tree with it.

    `by` is the id of another finding where the patch is that one's, and said to close this one,
    too. `mended` tells what was mended before in files that it relies on, "" for nothing.
    """

    target: Target
    diff: str
    tree: Tree
    by: str = ""
    mended: str = ""

    @property
    def id(self) -> str:
        return self.target.finding.id


@dataclass(frozen=True)
class LookScope:
    """Patches to be looked at."""

    candidates: tuple[Candidate, ...]


class Reviewer:
    """The task; a node looks at one patch."""

    name = "refute"
    version = "4"
    tier: Tier = "cheap"
    goes_back: int = 2
    result: type[Opinions] = Opinions

    def __init__(self, *, guidance: str = "", window: int = WINDOW_TOKENS) -> None:
        self._guidance = guidance
        self._window = window

    def instructions(self, scope: LookScope) -> str:
        return _prompt() + (f"\n{self._guidance}" if self._guidance else "")

    def units(self, scope: LookScope) -> frozenset[Unit]:
        return frozenset(each.id for each in scope.candidates)

    def size(self, scope: LookScope) -> int:
        size = sum(tokens(each.diff) for each in scope.candidates)
        # Each patch has a node of its own.
        return max(size, self._window + 1) if len(scope.candidates) > 1 else size

    def label(self, scope: LookScope) -> str:
        if len(scope.candidates) != 1:
            return f"do {len(scope.candidates)} patches stand?"
        (one,) = scope.candidates
        title = " ".join(one.target.finding.title.split())
        asked = "is it closed with another one?" if one.by else "does the patch stand?"
        return printable(f"{asked} {title}")

    def content(self, scope: LookScope) -> str:
        (one,) = scope.candidates
        what = "What failed" if one.target.is_checks else "The finding"
        said = [f"{what} {one.id}:\n\n{set_apart(told(one.target))}"]
        if one.mended:
            said.append(f"Mended before, and in the code as you see it:\n\n{set_apart(one.mended)}")
        whose = f"The patch of another finding, {one.by}," if one.by else "The patch,"
        said.append(f"{whose} set behind a mark:\n\n{set_apart(one.diff)}\n")
        return printable("\n\n".join(said))

    def lens(self, scope: LookScope) -> str:
        return ""

    def split(self, scope: LookScope) -> list[LookScope]:
        return [LookScope((each,)) for each in scope.candidates]

    def leads(self, scope: LookScope) -> bool:
        return False

    def brief(self, scope: LookScope, parts: Mapping[str, LookScope]) -> str:
        return ""  # nobody leads

    def lenses(self) -> Mapping[str, str]:
        return {}

    def join(self, parts: Sequence[LookScope], lens: str) -> LookScope:
        return LookScope(tuple(each for part in parts for each in part.candidates))

    def functions(self, scope: LookScope) -> Mapping[str, Function]:
        return looking(scope.candidates[0].tree)

    def check(self, scope: LookScope, result: Opinions) -> list[str]:
        """Complain about an opinion on something else, and of one that lacks what it rests on."""
        (one,) = scope.candidates
        if [each.finding for each in result.opinions] != [one.id]:
            return [f"opinions: one is wanted, about {one.id}"]
        problem = lacking(result.opinions[0], one)
        return [problem] if problem else []

    def across(self, scope: LookScope, parts: Sequence[Opinions]) -> str | None:
        return None

    def merge(self, scope: LookScope, parts: Sequence[Opinions], own: Opinions | None) -> Opinions:
        results = [*parts, *([own] if own else [])]
        return Looks(opinions=[each for result in results for each in result.opinions])

    def partial(self, scope: LookScope, reason: StopReason) -> Opinions:
        return Looks(opinions=[])


def lacking(opinion: Opinion, candidate: Candidate) -> str | None:
    """Say what an opinion lacks: a yes its proof, a no its reason; None if it lacks nothing."""
    if opinion.verdict != "closes":
        return None if opinion.reason.strip() else "reason: say why the patch does not stand"
    if not opinion.quote.strip() or not opinion.path:
        return "quote: copy the lines that prove it, and give the path of their file"
    placer = Placer(candidate.tree.change, candidate.tree.objects)
    problem = placer.stands(opinion.path, opinion.quote)
    return f"quote: {problem}" if problem else None


def diff_of(before: Mapping[str, Blob | None], after: Mapping[str, Blob | None]) -> str:
    """Return what a patch does to files, as a unified diff with the names of the files."""
    pieces = []
    for path in sorted(after):
        old, new = before.get(path), after[path]
        pieces.append(f"=== file {quoted(path)}{' is removed' if new is None else ''}")
        lines = difflib.unified_diff(_rows(old), _rows(new), lineterm="", n=AROUND_LINES)
        pieces += list(lines)[2:]
    return "\n".join(pieces)


def _rows(blob: Blob | None) -> list[str]:
    return readable(blob.data).split("\n") if blob is not None else []


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "reviewer.md").read_text(encoding="utf-8").strip() + "\n"
