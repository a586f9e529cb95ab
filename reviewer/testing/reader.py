"""The reader: the question "do these tests say what the change does, and fail without it?".

A fresh node for each behaviour, on the cheaper model. It is shown the behaviour and the tests, and
none of what their writer says of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reviewer.languages import is_test
from reviewer.refactor.outlines import tokens
from reviewer.refactor.reach import looking
from reviewer.refactor.tree import Tree
from reviewer.request import StopReason
from reviewer.review.functions import functions
from reviewer.review.guidance import set_apart
from reviewer.review.place import Placer
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, Tier, Unit
from reviewer.testing.finder import Target
from reviewer.testing.values import AllLooks, Look, Looks
from reviewer.testing.writer import hunks_of, told_of
from reviewer.text import printable


@dataclass(frozen=True)
class Candidate:
    """Tests of a behaviour: their names, what was added to their file, and the tree with it.

    `code` is theirs alone, "" where it cannot be told apart. The tree's base is that of the change,
    without which the tests are to fail.
    """

    target: Target
    names: tuple[str, ...]
    diff: str
    code: str
    tree: Tree

    @property
    def id(self) -> str:
        return self.target.id


@dataclass(frozen=True)
class LookScope:
    """Tests to be looked at."""

    candidates: tuple[Candidate, ...]


class Reader:
    """The task; a node looks at the tests of one behaviour."""

    name = "refute-tests"
    version = "1"
    tier: Tier = "cheap"
    goes_back: int = 2
    result: type[Looks] = Looks

    def __init__(self, *, window: int = WINDOW_TOKENS) -> None:
        self._window = window

    def instructions(self, scope: LookScope) -> str:
        return _prompt()

    def units(self, scope: LookScope) -> frozenset[Unit]:
        return frozenset(each.id for each in scope.candidates)

    def size(self, scope: LookScope) -> int:
        size = sum(tokens(each.diff) for each in scope.candidates)
        # The tests of each behaviour have a node of their own.
        return max(size, self._window + 1) if len(scope.candidates) > 1 else size

    def label(self, scope: LookScope) -> str:
        if len(scope.candidates) != 1:
            return f"do the tests of {len(scope.candidates)} behaviours stand?"
        (one,) = scope.candidates
        return printable(f"do they stand? {', '.join(one.names)}")

    def content(self, scope: LookScope) -> str:
        (one,) = scope.candidates
        tests = "\n".join(f"- {name}" for name in one.names)
        if one.code:
            tests += f"\n\n{one.code}"
        return printable(
            f"The behaviour {one.id}:\n\n{set_apart(told_of(one.target))}\n\n"
            f"Its tests:\n\n{set_apart(tests)}\n\n"
            f"What was added to their file, set behind a mark:\n\n{set_apart(one.diff)}\n\n"
            f"{hunks_of([one.target], one.tree.change)}"
        )

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
        tree = scope.candidates[0].tree
        known = functions(tree.change, tree.objects, (), tree.code)
        return {**looking(tree), "diff": known["diff"]}

    def check(self, scope: LookScope, result: Looks) -> list[str]:
        """Complain about a look at something else, and of one that lacks what it rests on."""
        (one,) = scope.candidates
        if [each.behaviour for each in result.looks] != [one.id]:
            return [f"looks: one is wanted, about {one.id}"]
        problem = lacking(result.looks[0], one)
        return [problem] if problem else []

    def across(self, scope: LookScope, parts: Sequence[Looks]) -> str | None:
        return None

    def merge(self, scope: LookScope, parts: Sequence[Looks], own: Looks | None) -> Looks:
        results = [*parts, *([own] if own else [])]
        return AllLooks(looks=[each for result in results for each in result.looks])

    def partial(self, scope: LookScope, reason: StopReason) -> Looks:
        return AllLooks(looks=[])


def lacking(look: Look, candidate: Candidate) -> str | None:
    """Say what a look lacks: a yes its proof, a no its reason; None if it lacks nothing."""
    if look.verdict != "proves":
        return None if look.reason.strip() else "reason: say what is wrong with the tests"
    if not look.quote.strip() or not look.path:
        return "quote: copy the lines under test by which it passes, and give their file's path"
    if is_test(look.path):
        return "quote: these lines are a test's: quote the code that is tested"
    placer = Placer(candidate.tree.change, candidate.tree.objects)
    problem = placer.stands(look.path, look.quote)
    return f"quote: {problem}" if problem else None


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "reader.md").read_text(encoding="utf-8").strip() + "\n"
