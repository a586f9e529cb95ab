"""Reports what was meant for the author's own machine: conflict markers, focused tests, debuggers.

Focused tests and debuggers are looked for in the syntax tree, so that a string or a comment that
speaks of them is none. The tree is asked for only where an added line looks like one. Conflicts
are a detector of their own because they matter in every text file, lock files first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reviewer.change import FileChange, Kind, Status
from reviewer.detectors.added import added, lines_of, quote
from reviewer.detectors.base import Note, Source
from reviewer.detectors.leftover_rules import Leftover, rule_for
from reviewer.finding import Category, Finding, Severity
from reviewer.languages import Language, is_fixture, language_of
from reviewer.parsing.grammars import PARSED
from reviewer.parsing.worker import Parsers, Question, Unchecked
from reviewer.ports import Objects
from reviewer.text import printable


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Focused tests and debuggers."""

    parsers: Parsers
    name: str = "leftovers"

    def wants(self, file: FileChange) -> bool:
        return (
            file.kind is Kind.TEXT
            and file.status is not Status.DELETED
            and rule_for(language_of(file.path)) is not None
            and not is_fixture(file.path)
        )

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterator[Finding | Note]:
        by_path = {source.file.path: source for source in sources}
        for question, answer in self.parsers.ask_all(_questions(sources)):
            source = by_path[question.about]
            if isinstance(answer, Unchecked):
                yield Note(f"{printable(source.file.path)}: leftovers not checked, {answer}")
            else:
                yield from _found(source, answer)


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Markers of unresolved merges."""

    parsers: Parsers
    name: str = "conflicts"

    def wants(self, file: FileChange) -> bool:
        return file.kind is Kind.TEXT and file.status is not Status.DELETED

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterator[Finding]:
        for source in sources:
            found = conflicts(source)
            if source.head is None or not found or self._in_string(source, found):
                continue
            lines = lines_of(source.head)
            for start, end in found:
                whole = source.file.takes_comment("RIGHT", start, end)
                yield Finding(
                    path=printable(source.file.path),
                    start_line=start,
                    line=end if whole else start,
                    category=Category.LEFTOVER,
                    severity=Severity.HIGH,
                    confidence=0.97,
                    title="Merge conflict left in the file",
                    body="The markers of an unresolved merge were committed, with both versions "
                    "between them. Decide which lines stay and remove the markers.",
                    evidence=quote(lines, start, end),
                    source="detector:conflicts/markers",
                )

    def _in_string(self, source: Source, found: Sequence[tuple[int, int]]) -> bool:
        """Do the markers stand where the language allows them, in a string or a here-document?"""
        language = language_of(source.file.path)
        if language not in PARSED or source.head is None:
            return False
        offsets = _offsets(source.head, [start for start, _ in found])
        try:
            places = self.parsers.ask(Question("places", (source.head,), (language, offsets)))
        except Unchecked:
            return True  # it may be one, but nothing is certain
        return "string" in places


def _offsets(data: bytes, lines: Sequence[int]) -> list[int]:
    offsets, at, wanted = [], 0, set(lines)
    for number, line in enumerate(data.split(b"\n"), 1):
        if number in wanted:
            offsets.append(at)
        at += len(line) + 1
    return offsets


# Conflict markers --------------------------------------------------------------------------------

_ABOUT_CONFLICTS = re.compile(r"conflict|merge|rebase|diff3|mergetool", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?:```|~~~)")


def conflicts(source: Source) -> list[tuple[int, int]]:
    """Return first and last line of each complete conflict whose markers the change added.

    Complete: `<<<<<<<`, `=======` and `>>>>>>>` at the start of added lines, in this order, the
    first and last with a label. Nothing is found in files whose path speaks of merging, nor
    inside the fences of a document.
    """
    if source.head is None or b"<<<<<<< " not in source.head or b">>>>>>> " not in source.head:
        return []
    if _ABOUT_CONFLICTS.search(source.file.path) or is_fixture(source.file.path):
        return []
    prose = language_of(source.file.path) in {Language.MARKDOWN, Language.RST, None}
    fresh = source.file.added_lines
    found: list[tuple[int, int]] = []
    start: int | None = None
    middle = fenced = False
    for number, line in enumerate(lines_of(source.head), 1):
        if prose and _FENCE.match(line):
            fenced = not fenced
        if fenced or number not in fresh:
            continue
        if line.startswith("<<<<<<< "):
            start, middle = number, False
        elif line == "=======" and start is not None:
            middle = True
        elif line.startswith(">>>>>>> ") and start is not None and middle:
            found.append((start, number))
            start = None
    return found


# Focused tests and debuggers ---------------------------------------------------------------------


def _questions(sources: Sequence[Source]) -> Iterator[Question]:
    for source in sources:
        language = language_of(source.file.path)
        rule = rule_for(language)
        if rule is None or source.head is None:
            continue
        if any(rule.looks_like.search(text) for _, text in added(source)):
            yield Question("matches", (source.head,), (language, rule.query), source.file.path)


_INTENDED = re.compile(
    r"eslint-disable|oxlint-disable|biome-ignore|deno-lint-ignore|jshint|tslint:disable|\bnoqa\b|"
    r"pylint: *disable|rubocop:(?:disable|todo)|clippy::dbg_macro|NOSONAR|nolint|phpcs:ignore"
)


def _found(source: Source, hits: list[dict[str, Any]]) -> Iterator[Finding]:
    rule = rule_for(language_of(source.file.path))
    if rule is None or source.head is None:
        return
    lines = lines_of(source.head)
    for hit in hits:
        line = int(hit["end"] if hit["name"] == "only" else hit["start"])
        if line not in source.file.added_lines:
            continue
        if any(_INTENDED.search(each) for each in lines[max(0, line - 2) : line]):
            continue
        leftover = rule.judge(hit, source.file.path, source.head)
        if leftover is not None:
            yield _leftover(source, lines, line, leftover)


def _leftover(source: Source, lines: list[str], line: int, leftover: Leftover) -> Finding:
    return Finding(
        path=printable(source.file.path),
        start_line=line,
        line=line,
        category=leftover.category,
        severity=leftover.severity,
        confidence=leftover.confidence,
        title=leftover.title,
        body=leftover.body,
        evidence=quote(lines, line, line),
        source=f"detector:leftovers/{leftover.rule}",
    )
