"""What edits of a test file add, and whether the functions in it stay as they were. Pure.

A test that is changed so that a new one fits beside it, or is switched off, proves nothing any
more; so nobody who writes tests here can touch one that is there, but to give it more cases.
"""

import re
from collections import Counter
from collections.abc import Sequence

from reviewer import linediff
from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind
from reviewer.review.scope import quoted

_CASE = re.compile(r"([\w./:-]+)\[.*\]")
_DECORATOR = re.compile(r"\s*(?:@|#\[|\[[A-Z]\w*(?:\(.*\))?(?:, .*)?\]\s*$)")
"""A line of Python, Java or JavaScript, of Rust, of C#; a case in a list of them is none."""

_CALLABLE = frozenset({DefKind.FUNCTION, DefKind.METHOD})

AROUND_LINES = 6
"""Of what was added, before and after."""


def changed_definition(before: str, after: str, known: Sequence[Definition]) -> str | None:
    """Return the name of a function of `before` that has another body, or another decorator."""
    grown = _grown(before, after, known)
    return next((path_of(one) for one, lines in grown if lines is None), None)


def extended(before: str, after: str, known: Sequence[Definition]) -> frozenset[str]:
    """Return the names of tests of `before` whose decorators have more lines now: more cases."""
    return frozenset(one.name for one, lines in _grown(before, after, known) if lines)


def _grown(
    before: str, after: str, known: Sequence[Definition]
) -> list[tuple[Definition, int | None]]:
    """Return each function with the lines that were put into its decorators; None if it is not
    what it was."""
    lines, now = before.split("\n"), after.split("\n")
    places: dict[str, list[int]] = {}
    for index, line in enumerate(now):
        places.setdefault(line, []).append(index)
    found: list[tuple[Definition, int | None]] = []
    for one in known:
        if one.kind not in _CALLABLE:
            continue
        text = lines[one.start - 1 : one.end]
        called = re.compile(rf"\b{re.escape(one.name)}\s*[(<]")
        head = next((at for at, line in enumerate(text) if called.search(line)), 0)
        above = lines[one.start - 2] if one.start > 1 else ""
        stands = [
            _above(now[:at], [above, *text[:head]])
            for at in places.get(text[head], ())
            if now[at : at + len(text) - head] == text[head:]
        ]
        found.append((one, next((more for more in stands if more is not None), None)))
    return found


def _above(now: Sequence[str], head: Sequence[str]) -> int | None:
    """Return how many lines were put between what stands above a function, from below.

    None where one of these is gone, or a decorator has come. The first line of `head` is none of
    the function's own: something else may stand there now.
    """
    at, more = len(now), 0
    for wanted in reversed(head[1:]):
        at -= 1
        while at >= 0 and now[at] != wanted:
            if _DECORATOR.match(now[at]):
                return None
            at, more = at - 1, more + 1
        if at < 0:
            return None
    line = now[at - 1] if at else ""
    return None if line != head[0] and _DECORATOR.match(line) else more


def added_lines(before: str, after: str) -> list[str]:
    """Return the lines of a file that are more often in it than they were, in order."""
    had = Counter(before.split("\n"))
    added = []
    for line in after.split("\n"):
        if had[line]:
            had[line] -= 1
        else:
            added.append(line)
    return added


def diff_of(path: str, before: str, after: str) -> str:
    """Return what was added to a file with the lines around it, a sign before each.

    Of lines that are there twice the later ones are the new ones: so a new test is shown whole.
    """
    had, now = before.split("\n") if before else [], after.split("\n")
    marks: list[tuple[str, str]] = []
    for kind, i, j, k, end in linediff.spans(had, now):
        marks += [("-", line) for line in had[i:j] if kind != "equal"]
        marks += [(" " if kind == "equal" else "+", line) for line in now[k:end]]
    start = 0
    for at in range(len(marks)):
        if marks[at][0] == "+":
            continue
        if marks[at][0] == " " and start < at and marks[at][1] == marks[start][1]:
            marks[start], marks[at] = (" ", marks[start][1]), ("+", marks[at][1])
            start += 1
        else:
            start = at + 1
    near = {
        other
        for at, (sign, _) in enumerate(marks)
        if sign != " "
        for other in range(at - AROUND_LINES, at + AROUND_LINES + 1)
    }
    pieces, shown = [f"=== file {quoted(path)}"], True
    for at, (sign, line) in enumerate(marks):
        if at in near:
            pieces.append(f"{sign}{line}")
        elif shown:
            pieces.append("…")
        shown = at in near
    return "\n".join(pieces)


def missing_name(
    names: Sequence[str], before: str, after: str, known: Sequence[Definition]
) -> str | None:
    """Return a name of a test that is neither among the added lines nor has more cases now."""
    added = "\n".join(added_lines(before, after))
    more = extended(before, after, known)
    wanted = (name for name in names if short(name) not in more)
    return next((name for name in wanted if short(name) not in added), None)


def code_of(names: Sequence[str], text: str, known: Sequence[Definition]) -> str:
    """Return the code of tests by their names; "" where one is not to be found as a definition."""
    lines = text.split("\n")
    wanted = {short(name) for name in names}
    found = [one for one in known if one.name in wanted and one.kind in _CALLABLE]
    if {one.name for one in found} != wanted:
        return ""
    return "\n".join("\n".join(lines[one.start - 1 : one.end]) for one in found)


def short(name: str) -> str:
    """Return the last part of what a runner calls a test: `file::Class::test[case]` is `test`."""
    case = _CASE.fullmatch(name)
    last = (case[1] if case else name).rpartition("::")[2]
    return last.rpartition(".")[2] if re.fullmatch(r"[\w.]+", last) else last.strip()
