"""The tester: for a finding that was closed, a test that fails before the fix and passes after it.

It asks what `rlm tests` asks, of a behaviour that need not be found: what the finding says is wrong
is so no more. What a writer makes is held to adding, and a reader tries to refute it at both ends:
at the tree with all patches, and at the commit without any.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from reviewer import linediff
from reviewer.change import Change, Line, Span
from reviewer.errors import GiveUp
from reviewer.finding import Category, Finding, Severity, Side
from reviewer.fix.coder import BODY_CHARS
from reviewer.fix.rounds import Rounds
from reviewer.languages import is_test, language_of
from reviewer.refactor.apply import readable
from reviewer.refactor.patch import Blob, Commit, FileEdit
from reviewer.refactor.protect import refused, shown
from reviewer.refactor.tree import Overlay, Tree
from reviewer.request import StopReason
from reviewer.review.changed import EXTRACTED
from reviewer.review.scope import SPAN_BYTES
from reviewer.spans import spans
from reviewer.testing.finder import NO_TESTS, Target
from reviewer.testing.homes import Homes
from reviewer.testing.layout import Layout
from reviewer.testing.rounds import Rounds as TestRounds
from reviewer.testing.values import Behaviour, Left
from reviewer.text import printable

TESTS_ASKED = 20
"""Test files of a file that are looked at for one that may be written."""

QUOTED_LINES = 8
"""Of what a patch did there, as a behaviour quotes it."""

_UNTESTED = frozenset({Category.INTENT, Category.SECRET, Category.TESTS})

_ENDED = {
    StopReason.BUDGET: "the budget was spent before",
    StopReason.DEADLINE: "the time was over before",
    StopReason.CANCELLED: "the run was stopped before",
}
"""Why nobody came to a test. Of what else can end a run, its operator is told."""

_NOBODY = "nobody came to it"

_STATES = {"declined": "none was written: ", "refused": "none stood: "}


async def add_tests(rounds: Rounds, commit: str, findings: Sequence[Finding]) -> list[str]:
    """Write a test for each closed finding that can have one, each a commit behind its patch.

    `commit` is the one without patches. What money is left for is done; the others say why they
    have none. Return notes about that.
    """
    if not rounds.closed:
        return []
    with rounds.trees.tree(rounds.tree.files) as tree:
        chosen = await asyncio.to_thread(_chosen, rounds, findings, tree)
    work = TestRounds(
        rounds.trees,
        rounds.run,
        rounds.tree,
        commit,
        rounds.guidance,
        findings=rounds.findings,
        notes=rounds.notes,
        most=1,
        roots=rounds.roots,
    )
    await work.write([one for one in chosen if isinstance(one, Target)])
    ended = _ended(work)
    paths = {file.tests[0].id: file.path for file in work.written}
    whys = {one.id: _why(one, ended) for one in work.left}
    whys |= {
        closed.id: said
        for closed, said in zip(rounds.closed, chosen, strict=True)
        if isinstance(said, str)
    }
    places = {one.id: at for at, one in enumerate(rounds.closed)}
    tests = [
        (places[file.tests[0].id], replace(made, message=_message(made, file.tests[0].id)))
        for made, file in zip(work.commits, work.written, strict=True)
    ]
    rounds.commits[:] = behind(rounds.commits, tests)
    rounds.closed[:] = [
        one.model_copy(update={"test": paths[one.id]})
        if one.id in paths
        else one.model_copy(update={"no_test": whys[one.id]})
        for one in rounds.closed
    ]
    rounds.tree, rounds.findings, rounds.notes = work.tree, work.findings, work.notes
    missed = any(one.state == "missed" for one in work.left)
    return [f"Not every closed finding that could have a test has one: {ended}."] if missed else []


def behind(commits: Sequence[Commit], tests: Sequence[tuple[int, Commit]]) -> list[Commit]:
    """Return patches with tests put in, each directly behind the patch that it is of.

    Where a later patch or test changes the same file, it comes behind that: a test was written on
    the file as it is in the end.
    """
    last = {edit.path: at for at, commit in enumerate(commits) for edit in commit.files}
    slots: list[list[Commit]] = [[one] for one in commits]
    for wanted, test in tests:
        at = max([wanted, *(last.get(edit.path, wanted) for edit in test.files)])
        slots[at].append(test)
        last.update((edit.path, at) for edit in test.files)
    return [one for slot in slots for one in slot]


# What is to be tested ----------------------------------------------------------------------------


_BEFORE = "Before the mend, and no more after it:"
_OF_WHEN = (
    "(These are the words of the finding, about what the base does wrong at {where}. A change that "
    "they speak of was made before: the base has it.)"
)


def _chosen(rounds: Rounds, findings: Sequence[Finding], tree: Tree) -> list[Target | str]:
    """Return for each closed finding what a test is to say, or why it gets none."""
    known, overlay = {each.id: each for each in findings}, rounds.tree
    homes = Homes(Layout(overlay.start.modes))
    return [
        _target(known.get(closed.id), commit, tree, overlay, homes)
        for closed, commit in zip(rounds.closed, rounds.commits, strict=True)
    ]


def _target(
    finding: Finding | None, commit: Commit, tree: Tree, overlay: Overlay, homes: Homes
) -> Target | str:
    if finding is None:
        return "what checks say is tested by these"
    if finding.severity is Severity.NIT:
        return "for a nit none is written"
    if finding.category in _UNTESTED:
        return f"for findings of the category {finding.category} none is written"
    edits = [one for one in commit.files if _is_code(one)]
    if not edits or is_test(finding.path):
        return "its patch is of no code that tests are written for"
    edits.sort(key=lambda one: printable(one.path) != finding.path)  # its own file first
    layout = homes.layout
    there = ((edit, _home(edit.path, tree, overlay, layout)) for edit in edits)
    new = ((edit, _writable(homes.of(edit.path), overlay, layout)) for edit in edits)
    for edit, home in chain(there, new):
        if home is not None:
            return _behaviour(finding, edit, tree.change, home) or (
                f"other patches have changed {shown(edit.path)} in the same lines"
            )
    return f"no file for a test of {shown(edits[0].path)}: {NO_TESTS}"


def _is_code(edit: FileEdit) -> bool:
    return edit.after is not None and language_of(edit.path) in EXTRACTED and not is_test(edit.path)


def _home(path: str, tree: Tree, overlay: Overlay, layout: Layout) -> str | None:
    """Return a test file of a file that is there and may be written."""
    with suppress(GiveUp):
        for one in tree.code.context.tests_for(path, "head", TESTS_ASKED).items:
            if overlay.blob(one.path) is not None and _writable(one.path, overlay, layout):
                return one.path
    return None


def _writable(path: str | None, overlay: Overlay, layout: Layout) -> str | None:
    """Return the path of a test file if it may be written."""
    if path is None or refused(path, overlay) or layout.refusal(path):
        return None
    return path


def _behaviour(finding: Finding, edit: FileEdit, change: Change, home: str) -> Target | None:
    """Return a finding as a behaviour of its patch, quoting what that did; None if it is gone."""
    file = change.by_path.get(edit.path)
    added, taken = _touched(edit)
    best: tuple[int, int, Span, Side, list[Line]] | None = None
    for span in spans(file, SPAN_BYTES) if file is not None else ():
        new = [line for line in span.lines if line.kind == "+" and added[line.text.strip()]]
        old = [line for line in span.lines if line.kind == "-" and taken[line.text.strip()]]
        count = len(new) + len(old)
        far = -abs(span.hunk.old_start - (finding.line or 1))
        if count and (best is None or (count, far) > best[:2]):
            side: Side = "RIGHT" if new else "LEFT"
            best = (count, far, span, side, _run(new or old))
    if best is None:
        return None
    *_, span, side, lines = best
    numbers = [line.new if side == "RIGHT" else line.old for line in lines]
    title = " ".join(printable(finding.title).split())
    quote = printable("\n".join(line.text for line in lines))
    where = f"line {finding.line or 1} of {shown(finding.path)}"
    case = f"{finding.trigger}\n{finding.body}" if finding.trigger.strip() else finding.body
    behaviour = Behaviour.model_construct(
        kind="altered",
        hunk=span.id,
        quote=quote,
        what=f"What is right now, in place of this defect: {title}"[:BODY_CHARS],
        case=f"{_BEFORE} {printable(case)[:BODY_CHARS]}\n{_OF_WHEN.format(where=where)}",
        tested_in="",
        tested_by="",
        test_file=home,
        obstacle="",
    )
    place = Finding(
        id=finding.id,
        path=printable(edit.path),
        side=side,
        start_line=numbers[0],
        line=numbers[-1],
        category=Category.TESTS,
        severity=finding.severity,
        confidence=1.0,
        title=title,
        body=finding.body,
        evidence=quote,
        source="tester",
    )
    return Target(finding.id, behaviour, place, span, home)


def _touched(edit: FileEdit) -> tuple[Counter[str], Counter[str]]:
    """Return the lines that a patch has added to a file, and those that it took away."""
    old, new = _rows(edit.before), _rows(edit.after)
    added, taken = Counter[str](), Counter[str]()
    for kind, i, j, k, end in linediff.spans(old, new):
        if kind != "equal":
            taken.update(filter(None, (line.strip() for line in old[i:j])))
            added.update(filter(None, (line.strip() for line in new[k:end])))
    return added, taken


def _rows(blob: Blob | None) -> list[str]:
    return readable(blob.data).split("\n") if blob is not None else []


def _run(lines: Sequence[Line]) -> list[Line]:
    """Return the first of some lines with those that follow it without a gap."""
    run = [lines[0]]
    for line in lines[1:QUOTED_LINES]:
        before = run[-1]
        if (line.new, line.old) not in {_next(before.new, None), _next(None, before.old)}:
            break
        run.append(line)
    return run


def _next(new: int | None, old: int | None) -> tuple[int | None, int | None]:
    return (None if new is None else new + 1, None if old is None else old + 1)


# What came of it ---------------------------------------------------------------------------------


def _ended(work: TestRounds) -> str:
    stopped = work.run.stopped
    reasons = [stopped.reason] if stopped is not None else sorted(work.stops)
    return next((_ENDED[one] for one in reasons if one in _ENDED), _NOBODY)


def _why(left: Left, ended: str) -> str:
    return ended if left.state == "missed" else f"{_STATES.get(left.state, '')}{left.why}"


def _message(commit: Commit, finding: str) -> str:
    return f"{commit.message.rstrip()}\n\nFinding: {finding}"
