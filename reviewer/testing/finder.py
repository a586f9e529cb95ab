"""The finder: the recursive question "what does this change do, and which of it is tested?"."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any

from reviewer.change import FileChange, Span
from reviewer.detectors.secrets import redacted
from reviewer.errors import GiveUp
from reviewer.finding import Category, Finding, Severity
from reviewer.languages import is_prose, is_test
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.tree import Overlay, Tree
from reviewer.request import StopReason
from reviewer.review.anchor import Absent, NotFound, Sheet, find_in_file
from reviewer.review.claims import Claim
from reviewer.review.clusters import Clusters
from reviewer.review.functions import functions
from reviewer.review.place import Placer
from reviewer.review.scope import FindScope, label_of, quoted, show, size_of
from reviewer.rlm.run import WINDOW_TOKENS
from reviewer.rlm.task import Function, Tier, Unit
from reviewer.testing.homes import Homes
from reviewer.testing.layout import Layout
from reviewer.testing.values import Behaviour, Behaviours, Covered, Left, Listed, State
from reviewer.text import decode, printable

LENS = "tests"

LOOKS = ("tests_for", "references", "callers", "importers", "grep", "read")
"""One of these, at the least, is asked before anything is said to have no test."""

TESTS_SHOWN = 6
"""Test files of one file that a node is told."""

WHAT_CHARS = 500

NO_TESTS = "no test of its language is there, whose place and style a new one could follow"


@dataclass(frozen=True)
class Target:
    """A behaviour that no test covers, the place that makes it so, and the file for its tests.

    `span` is what its finder was shown of that place, `path` its file as it is in the change.
    """

    id: str
    behaviour: Behaviour
    place: Finding
    span: Span
    test_file: str

    @property
    def path(self) -> str:
        return self.span.path


@dataclass(frozen=True)
class _Homeless:
    """Why there is no file for tests of a behaviour."""

    why: str


@dataclass(frozen=True)
class Sorted:
    """What became of what the nodes handed in. `lost`: quoted nothing that the change touches."""

    targets: tuple[Target, ...] = ()
    covered: tuple[Covered, ...] = ()
    left: tuple[Left, ...] = ()
    lost: int = 0


class Finder:
    """The task. Spans of tests are in its scopes too: they may be what covers the others."""

    name = "behaviours"
    version = "2"
    tier: Tier = "strong"
    goes_back: int = 2
    result: type[Behaviours] = Listed

    def __init__(
        self,
        tree: Tree,
        overlay: Overlay,
        clusters: Clusters,
        *,
        guidance: str = "",
        window: int = WINDOW_TOKENS,
    ) -> None:
        self._tree = tree
        self._overlay = overlay
        self._clusters = clusters
        self._guidance = guidance
        self._window = window
        self._layout = Layout(overlay.start.modes)
        self._homes = Homes(self._layout)
        self._placer = Placer(tree.change, tree.objects)
        self._looked: set[FindScope] = set()

    def instructions(self, scope: FindScope) -> str:
        return _prompt() + (f"\n{self._guidance}" if self._guidance else "")

    def units(self, scope: FindScope) -> frozenset[Unit]:
        return frozenset(span.id for span in scope.spans)

    def size(self, scope: FindScope) -> int:
        return size_of(scope.spans)

    def label(self, scope: FindScope) -> str:
        return f"{label_of(scope.spans)} [{scope.lens}]"

    def content(self, scope: FindScope) -> str:
        return printable(
            f"The hunks:\n\n{show(self._tree.change, scope.spans)}\n"
            f"Test files, by their names and imports:\n\n{self._tests(scope)}"
        )

    def lens(self, scope: FindScope) -> str:
        return ""

    def split(self, scope: FindScope) -> list[FindScope]:
        parts = self._clusters.divide(scope.spans, self._window)
        return [FindScope(spans, scope.lens) for spans in parts]

    def leads(self, scope: FindScope) -> bool:
        return False

    def brief(self, scope: FindScope, parts: Mapping[str, FindScope]) -> str:
        return ""  # nobody leads

    def lenses(self) -> Mapping[str, str]:
        return {}

    def join(self, parts: Sequence[FindScope], lens: str) -> FindScope:
        return FindScope(tuple(span for part in parts for span in part.spans), LENS)

    def functions(self, scope: FindScope) -> Mapping[str, Function]:
        known = functions(self._tree.change, self._tree.objects, scope.spans, self._tree.code)

        def noting(look: Function) -> Function:
            @wraps(look)
            async def noted(*args: Any, **named: Any) -> Any:
                self._looked.add(scope)
                return await look(*args, **named)

            return noted

        return {name: noting(one) if name in LOOKS else one for name, one in known.items()}

    def check(self, scope: FindScope, result: Behaviours) -> list[str]:
        """Complain about quotes that stand nowhere, and about what was not looked for."""
        problems = []
        for index, one in enumerate(result.behaviours):
            found = self._placed(one, scope)
            if isinstance(found, str):
                problems.append(f"behaviours.{index}.quote: {found}")
            if problem := self._answerless(one, scope):
                problems.append(f"behaviours.{index}.{problem}")
        open_ = [one for one in result.behaviours if not one.tested_in]
        if open_ and scope not in self._looked:
            problems.append(
                "behaviours: you have not looked for tests: ask tests_for() and references() of "
                "what the hunks define, and read what they name"
            )
        return problems

    def across(self, scope: FindScope, parts: Sequence[Behaviours]) -> str | None:
        return None

    def merge(
        self, scope: FindScope, parts: Sequence[Behaviours], own: Behaviours | None
    ) -> Behaviours:
        results = [*parts, *([own] if own else [])]
        return Behaviours(behaviours=[one for result in results for one in result.behaviours])

    def partial(self, scope: FindScope, reason: StopReason) -> Behaviours:
        return Behaviours(behaviours=[])

    def sorted_out(self, scope: FindScope, result: Behaviours) -> Sorted:
        """Return what is to be tested, and of the rest why not; each quote is looked up again."""
        targets: dict[str, Target] = {}
        covered: dict[str, Covered] = {}
        left: dict[str, Left] = {}
        spans = {span.id: span for span in scope.spans}
        lost = 0
        for one in result.behaviours:
            place = self._placed(one, scope)
            if isinstance(place, str):
                lost += 1
                continue
            if at := self._covering(one):
                covered[place.id] = Covered(
                    tested_in=printable(one.tested_in),
                    tested_line=at[0],
                    quote=redacted(printable(one.tested_by)),
                    **said(one, place),
                )
            elif one.obstacle.strip() and not one.test_file:
                left[place.id] = left_out(one, place, "untestable", one.obstacle)
            elif isinstance(home := self._home(one, spans[one.hunk].path), str):
                targets[place.id] = Target(place.id, one, place, spans[one.hunk], home)
            else:
                left[place.id] = left_out(one, place, "unplaced", home.why)
        open_ = {key: one for key, one in targets.items() if key not in covered}
        gone = (one for key, one in left.items() if key not in covered and key not in targets)
        return Sorted(tuple(open_.values()), tuple(covered.values()), tuple(gone), lost)

    def _placed(self, one: Behaviour, scope: FindScope) -> Finding | str:
        """Return where the change makes a behaviour so, or why that place is none."""
        claim = Claim.model_construct(
            hunk=one.hunk,
            path=None,
            quote=one.quote,
            category=Category.TESTS,
            severity=Severity.LOW,
            confidence=1.0,
            title=one.what,
            why=one.case or one.what,
            replacement=None,
            preexisting=False,
        )
        spans = {span.id: span for span in scope.spans}
        if problem := self._placer.problem(claim, spans):
            return problem
        found = self._placer.finding(claim, spans, LENS)
        if found is None:
            return "it names no place"
        file = self._tree.change.by_path[spans[one.hunk].path]
        if not _touched(file, found):
            return "none of these lines is changed: quote one that begins with + or -"
        if is_test(file.path):
            return "this is a test: quote what the program does"
        return found

    def _answerless(self, one: Behaviour, scope: FindScope) -> str | None:
        """Say what a behaviour lacks: the test that covers it, or where one belongs."""
        if one.tested_in:
            if not is_test(one.tested_in):
                return f'tested_in: "{shown(one.tested_in)}" is no test file'
            if self._covering(one) is None:
                return "tested_by: these lines do not stand in that file: copy them exactly"
            return None
        if one.obstacle.strip() and not one.test_file:
            return None
        if not one.case.strip():
            return "case: say which input a test is to give, and what it is to expect"
        home = self._home(one, next((s.path for s in scope.spans if s.id == one.hunk), ""))
        wrong = "" if isinstance(home, str) else home.why
        return f"test_file: {wrong}; or say in obstacle why none can be written" if wrong else None

    def _covering(self, one: Behaviour) -> tuple[int | None] | None:
        """Return the line of the test that a behaviour is said to have, if it stands at the head;
        None for a line if there are several."""
        blob = self._overlay.blob(one.tested_in) if is_test(one.tested_in) else None
        if blob is None or not one.tested_by.strip():
            return None
        try:
            return (find_in_file(one.tested_by, Sheet(decode(blob.data))).line,)
        except Absent:
            return None
        except NotFound:
            return (None,)

    def _home(self, one: Behaviour, source: str) -> str | _Homeless:
        """Return the file for tests of a behaviour of some code, or why there is none.

        It is one that is there and was named, else the one that the layout gives that code: a node
        says that a new one is wanted, and not where it goes.
        """
        named = one.test_file or one.tested_in
        if named and (problem := self._unfit(named)):
            return _Homeless(problem)
        if named and self._overlay.blob(named) is not None:
            return named
        home = self._homes.of(source)
        if home is None:
            return _Homeless(NO_TESTS)
        return _Homeless(problem) if (problem := self._unfit(home)) else home

    def _unfit(self, path: str) -> str | None:
        """Return why a path is no file for new tests."""
        problem = refused(path, self._overlay) or self._layout.refusal(path)
        return f'"{shown(path)}": {problem}' if problem else None

    def _tests(self, scope: FindScope) -> str:
        """Return which test files belong to the files of a scope, as far as that is told."""
        context = self._tree.code.context
        lines = []
        for path in dict.fromkeys(span.path for span in scope.spans):
            if is_test(path) or is_prose(path):
                continue
            known = []
            with suppress(GiveUp):
                known = list(context.tests_for(path, "head", TESTS_SHOWN).items)
            told = ", ".join(f"{quoted(each.path)} ({each.why})" for each in known)
            home = self._homes.of(path)
            new = home is not None and self._overlay.blob(home) is None and not self._unfit(home)
            wanted = f"; a new one would be {quoted(home)}" if home and new else ""
            lines.append(f"- {quoted(path)}: {told or 'none is known'}{wanted}\n")
        return "".join(lines) or "(none)\n"


def left_out(one: Behaviour, place: Finding, state: State, why: str) -> Left:
    """Return a behaviour as one that no test covers."""
    return Left(state=state, why=redacted(printable(" ".join(why.split()))), **said(one, place))


def said(one: Behaviour, place: Finding) -> dict[str, Any]:
    """Return what every account of a behaviour says of it."""
    what = redacted(printable(" ".join(one.what.split())))
    return {
        "id": place.id,
        "kind": one.kind,
        "what": what if len(what) <= WHAT_CHARS else what[: WHAT_CHARS - 1] + "…",
        "path": place.path,
        "side": place.side,
        "line": place.line,
    }


def _touched(file: FileChange, place: Finding) -> bool:
    """Does the change add or delete one of these lines?"""
    numbers = range(place.start_line or 0, (place.line or -1) + 1)
    sign, side = ("+", "new") if place.side == "RIGHT" else ("-", "old")
    return any(
        line.kind == sign and getattr(line, side) in numbers
        for hunk in file.hunks
        for line in hunk.lines
    )


@cache
def _prompt() -> str:
    return (Path(__file__).parent / "finder.md").read_text(encoding="utf-8").strip() + "\n"
