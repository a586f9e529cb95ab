"""Do edits of a test file only add tests? What is there stays, line for line. Pure.

A test that is changed so that a new one fits beside it, or is switched off, proves nothing any
more; so nobody who writes tests here can touch one that is there.
"""

import re
from collections import Counter
from collections.abc import Sequence

from reviewer.parsing.packed import path_of
from reviewer.parsing.symbols import Definition, DefKind
from reviewer.text import printable

_IMPORT = re.compile(
    r"\s*(?:from\s+\S+\s+import\b|import\b|use\s|using\s|require\b|#\s*include\b)|.*\brequire\("
)
"""A line that says what is used from elsewhere: it may be extended."""

_CASE = re.compile(r"([\w./:-]+)\[.*\]")
_DECORATES = ("@", "#[", "[")
_CALLABLE = frozenset({DefKind.FUNCTION, DefKind.METHOD})

LINE_CHARS = 160


def changed_line(before: str, after: str) -> str | None:
    """Return the first line of a file that is not there any more, other than an import."""
    rest = iter([line for line in after.split("\n") if not _IMPORT.match(line)])
    for line in before.split("\n"):
        if line.strip() and not _IMPORT.match(line) and all(line != other for other in rest):
            return printable(line.strip())[:LINE_CHARS]
    return None


def changed_definition(before: str, after: str, known: Sequence[Definition]) -> str | None:
    """Return the name of a function of `before` that has another body, or another decorator."""
    lines, now = before.split("\n"), after.split("\n")
    places: dict[str, list[int]] = {}
    for index, line in enumerate(now):
        places.setdefault(line, []).append(index)
    for one in known:
        if one.kind not in _CALLABLE:
            continue
        body = lines[one.start - 1 : one.end]
        above = lines[one.start - 2] if one.start > 1 else ""
        stands = [at for at in places.get(body[0], ()) if now[at : at + len(body)] == body]
        if not any(_as_above(now[at - 1] if at else "", above) for at in stands):
            return path_of(one)
    return None


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


def missing_name(names: Sequence[str], before: str, after: str) -> str | None:
    """Return a name of a test that the added lines do not have."""
    added = "\n".join(added_lines(before, after))
    return next((name for name in names if short(name) not in added), None)


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


def _as_above(now: str, before: str) -> bool:
    """Is what stands above a definition no new decorator?"""
    return now == before or not now.strip().startswith(_DECORATES)
