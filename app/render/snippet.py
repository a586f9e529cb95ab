"""The code around a finding: which lines to show, which are meant, and what would change."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from app.render.escape import cut
from reviewer.change import Change, FileChange
from reviewer.errors import RlmError
from reviewer.finding import Category, Finding, Side
from reviewer.ports import Objects, Rev
from reviewer.text import decode, printable

AROUND = 2
"""Lines shown before and after a place: enough to see the statement it stands in."""

LONGEST_MARKED = 16
"""A longer place shows its first and last lines: nobody reads 400 marked lines in a report."""

LONGEST_SUGGESTION = 400
"""Lines of a suggestion beyond which old and new are shown whole: comparing them is quadratic."""

LONGEST_LINE = 1_000
"""Characters of a line of code that any format shows: minified files have lines of a megabyte."""

_FILES_KEPT = 8


class Snippets(Protocol):
    """Where the renderers get code from, so that they need no repository."""

    def __call__(self, path: str, side: Side, start: int, end: int) -> Sequence[str] | None:
        """Return lines start..end (from 1) of a finding's path, fewer at the end of the file.

        RIGHT is the head, LEFT the merge base. None: there is no such text to show.
        """
        ...


def no_code(_path: str, _side: Side, _start: int, _end: int) -> None:
    """Answer for a review whose repository is not at hand; findings then show their evidence."""
    return


def of_change(change: Change, objects: Objects) -> Snippets:
    """Return the code of a change's files by the printable paths that its findings carry."""
    files: dict[str, FileChange] = {printable(file.path): file for file in change.files}
    files |= {printable(file.old_path): file for file in change.files if file.old_path} | files

    @lru_cache(maxsize=_FILES_KEPT)
    def lines_of(path: str, side: Side) -> list[str] | None:
        file = files.get(path)
        at: Rev = "head" if side == "RIGHT" else "base"
        real = path if file is None else (file.new_path if side == "RIGHT" else file.old_path)
        if real is None:
            return None
        try:
            raw = objects.read(real, at)
        except RlmError:
            return None  # the finding shows its evidence; a review is not lost for want of code
        lines = printable(decode(raw)).split("\n")
        return lines[:-1] if lines[-1] == "" else lines

    def snippets(path: str, side: Side, start: int, end: int) -> Sequence[str] | None:
        lines = lines_of(path, side)
        return None if lines is None else lines[max(start, 1) - 1 : end]

    return snippets


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line to show; `number` is None where it is not known, or for a gap in the place."""

    number: int | None
    text: str
    marked: bool
    gap: bool = False


def excerpt(finding: Finding, snippets: Snippets) -> list[CodeLine]:
    """Return the lines to show for a finding; its evidence where the file cannot be read."""
    if finding.start_line is None or finding.line is None:
        return _evidence(finding)
    first = max(1, finding.start_line - AROUND)
    lines = snippets(finding.path, finding.side, first, finding.line + AROUND)
    if not lines or first + len(lines) <= finding.start_line:
        return _evidence(finding)
    shown = [
        CodeLine(number, cut(text, LONGEST_LINE), finding.start_line <= number <= finding.line)
        for number, text in enumerate(lines, first)
    ]
    return _with_gap(shown)


def _evidence(finding: Finding) -> list[CodeLine]:
    if not finding.evidence.strip():
        return []
    lines = [cut(line, LONGEST_LINE) for line in finding.evidence.rstrip("\n").split("\n")]
    start, end = finding.start_line, finding.line
    if start is None or end is None or len(lines) != end - start + 1:
        return _with_gap([CodeLine(None, text, True) for text in lines])
    return _with_gap([CodeLine(number, text, True) for number, text in enumerate(lines, start)])


def _with_gap(lines: list[CodeLine]) -> list[CodeLine]:
    """Leave out the middle of a long place, and say how many lines that is."""
    marked = [at for at, line in enumerate(lines) if line.marked]
    if len(marked) <= LONGEST_MARKED:
        return lines
    head, tail = marked[LONGEST_MARKED // 2], marked[-LONGEST_MARKED // 2]
    gap = CodeLine(None, f"{tail - head} more lines", marked=True, gap=True)
    return [*lines[:head], gap, *lines[tail:]]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a suggested change."""

    kind: Literal[" ", "-", "+"]
    text: str


def suggested(finding: Finding, snippets: Snippets) -> list[DiffLine]:
    """Return a suggestion as a diff against the code it replaces; [] where there is none.

    Where the code cannot be read, only the new lines are shown.
    """
    if finding.suggestion is None or finding.side == "LEFT":
        return []
    if finding.start_line is None or finding.line is None:
        return []
    new = [] if finding.suggestion == "" else _lines(finding.suggestion.removesuffix("\n"))
    held = snippets(finding.path, "RIGHT", finding.start_line, finding.line)
    old = [line.removesuffix("\r") for line in held or ()]
    return _diff(old, new)


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.split("\n")]


def _diff(old: list[str], new: list[str]) -> list[DiffLine]:
    if len(old) + len(new) > LONGEST_SUGGESTION:
        return [*_all("-", old), *_all("+", new)]
    result: list[DiffLine] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            result += _all(" ", old[i:i_end])
        else:
            result += [*_all("-", old[i:i_end]), *_all("+", new[j:j_end])]
    return result


def _all(kind: Literal[" ", "-", "+"], lines: list[str]) -> list[DiffLine]:
    return [DiffLine(kind, cut(line, LONGEST_LINE)) for line in lines]


def without_secrets(snippets: Snippets, findings: Sequence[Finding]) -> Snippets:
    """Return the same code with the lines of found secrets as those findings quote them: masked.

    A report is read by more people than the repository.
    """
    masked: dict[tuple[str, Side, int], str] = {}
    for finding in findings:
        if finding.category is Category.SECRET and finding.start_line is not None:
            for number, line in enumerate(finding.evidence.split("\n"), finding.start_line):
                masked[finding.path, finding.side, number] = line

    def shown(path: str, side: Side, start: int, end: int) -> Sequence[str] | None:
        lines = snippets(path, side, start, end)
        if lines is None:
            return None
        first = max(start, 1)
        return [masked.get((path, side, n), line) for n, line in enumerate(lines, first)]

    return shown
