"""Checks that failed on the patches of a fix, as something to be mended. Pure.

What a check says is whatever runs in somebody's workflow: data, bounded, shown set apart.
"""

from collections.abc import Mapping, Sequence

from reviewer.finding import Category, Finding, Severity
from reviewer.fix.failed import FailedCheck
from reviewer.fix.locate import Spot, Target
from reviewer.fix.request import Patched
from reviewer.fix.values import Open, left_open
from reviewer.refactor.protect import refused
from reviewer.refactor.tree import Overlay
from reviewer.text import printable

_MARK = "    | "
"""Before each line that is not ours: what a check prints must not pass for a heading of ours."""

TOLD_CHARS = 16_000
"""Of what the checks say together, and as many of the patches: a prompt has room for both."""


def as_target(
    failed: Sequence[FailedCheck],
    patched: Sequence[Patched],
    what: str,
    tree: Overlay,
    spelled: Mapping[str, str],
    *,
    alone: bool = False,
) -> Target | Open:
    """Return all failed checks as one piece of work: what fails in three of them fails once.

    `what` is all that a node is told of them, see `told_checks`.

    The files that may be edited are those that the patches have changed; where none of them may
    be, it stays open. `alone`: nor may any other that was read.
    """
    names = ", ".join(" ".join(printable(each.name).split()) for each in failed)
    paths = [spelled.get(each.path, each.path) for each in patched]
    ours = [path for path in paths if not refused(path, tree) and tree.blob(path) is not None]
    finding = Finding(
        path=ours[0] if ours else (patched[0].path if patched else "."),
        category=Category.TESTS,
        severity=Severity.HIGH,
        confidence=1.0,
        title=f"Checks fail: {names}",
        body=what,
        source="check",
    )
    if not ours:
        return left_open(finding, "protected", "no file that the patches have changed is there")
    return Target(finding, tuple(Spot(path) for path in ours), is_checks=True, alone=alone)


_NEW_TESTS = (
    "These patches closed nothing: they added new tests of what a change to the program does, to "
    "these files. The tests alone are to be mended, in these files alone."
)


def told_checks(
    failed: Sequence[FailedCheck],
    patched: Sequence[Patched],
    kept: Sequence[str] = (),
    *,
    new_tests: bool = False,
) -> str:
    """Return what failed, on which patches, and what these closed, as a node reads it."""
    said = [_told(each) for each in failed]
    diffs = [f"=== file {_quoted(each.path)}\n{_behind_mark(each.diff)}" for each in patched]
    parts = [
        "These checks fail on the branch with the patches, and do not without them. What they say "
        "stands behind a mark:",
        "\n\n".join(_fitted(said)),
        "The patches so far, all together, behind a mark:",
        "\n".join(_fitted(diffs)),
    ]
    if new_tests:
        parts.append(_NEW_TESTS)
    if kept:
        titles = "\n".join(f"- {' '.join(title.split())}" for title in kept)
        parts += ["They closed these findings, which have to stay closed:", titles]
    return "\n\n".join(parts)


def _told(one: FailedCheck) -> str:
    said = [one.summary.strip(), *(f"- {each.strip()}" for each in one.annotations)]
    marked = [_behind_mark(each) for each in said if each]
    return "\n".join([f"=== check {_quoted(one.name)}", *marked])


def _behind_mark(text: str) -> str:
    return "\n".join(f"{_MARK}{line}".rstrip() for line in text.splitlines())


def _quoted(name: str) -> str:
    return f'"{printable(" ".join(name.split()))}"'


def _fitted(pieces: Sequence[str]) -> list[str]:
    """Return pieces cut to what there is room for, a share for each: one has not all the words."""
    room, fitted = TOLD_CHARS, list[str]()
    for index, piece in enumerate(pieces):
        share = room // (len(pieces) - index)
        fitted.append(piece if len(piece) <= share else f"{piece[:share]}\n… cut here")
        room -= min(len(piece), share)
    return fitted
