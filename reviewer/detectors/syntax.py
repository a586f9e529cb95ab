"""Reports files that parsed before the change and do not parse after it, and new broken ones.

What counts as broken is decided in `reviewer.parsing.broken`, inside a worker process; here it
is given its place: a line that the change touched, and one finding for each file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reviewer.change import FileChange, Kind, Line, Status
from reviewer.detectors.added import MAX_QUOTED_CHARS, lines_of, quote
from reviewer.detectors.base import Note, Source
from reviewer.detectors.leftovers import conflicts
from reviewer.finding import Category, Finding, Severity, Side
from reviewer.languages import Language, is_fixture, is_template, language_of
from reviewer.parsing.broken import CHECKED
from reviewer.parsing.worker import Parsers, Question, Unchecked
from reviewer.ports import Objects
from reviewer.text import printable

_CONFIDENCE = {"parser": 0.97, "brackets": 0.95, "grammar": 0.8}
_WIDE = 30  # lines; a longer ERROR node says nothing about where the mistake is


@dataclass(frozen=True, slots=True)
class SyntaxErrors:
    """The detector; see the module."""

    parsers: Parsers
    name: str = "syntax"

    def wants(self, file: FileChange) -> bool:
        """Is it source in a language we parse, and neither a template nor broken on purpose?"""
        return (
            file.kind is Kind.TEXT
            and file.status is not Status.DELETED
            and language_of(file.path) in CHECKED
            and not is_template(file.path)
            and not is_fixture(file.path)
        )

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterator[Finding | Note]:
        by_path = {source.file.path: source for source in sources}
        for question, answer in self.parsers.ask_all(self._questions(sources)):
            source = by_path[question.about]
            if isinstance(answer, Unchecked):
                yield Note(f"{printable(source.file.path)}: syntax not checked, {answer}")
            elif answer is not None and not conflicts(source):
                finding = _finding(source, answer)
                if finding is not None:
                    yield finding

    def _questions(self, sources: Sequence[Source]) -> Iterator[Question]:
        for source in sources:
            file = source.file
            language = language_of(file.path)
            if source.head is None or language is None:
                continue
            # A file that changed its language with its name has no base to compare with.
            same = file.old_path is not None and language_of(file.old_path) is language
            base = source.base if same else None
            name = printable(file.path)
            yield Question("check", (source.head, base), (language, name), file.path)


@dataclass(frozen=True, slots=True)
class _Place:
    side: Side
    line: int
    text: str


def _finding(source: Source, broken: dict[str, object]) -> Finding | None:
    file = source.file
    line, proof = int(str(broken["line"])), str(broken["proof"])
    place = _place(source, broken)
    if place is None:
        return None
    language = language_of(file.path)
    says = printable(str(broken["says"]))
    new = source.base is None
    where = "" if place.side == "RIGHT" and place.line == line else f" at line {line}"
    before = "It is new with this change." if new else "It did parse before this change."
    return Finding(
        path=printable(file.path),
        side=place.side,
        start_line=place.line,
        line=place.line,
        category=Category.CORRECTNESS,
        severity=Severity.HIGH,
        confidence=_CONFIDENCE[proof],
        title=f"Syntax error: {says}",
        body=(
            f"{_reader(language)} cannot parse this file: {says}{where}. {before} "
            f"{_CONSEQUENCE.get(language, 'Nothing in it can be compiled or run until it parses.')}"
        ),
        evidence=place.text,
        source=f"detector:syntax/{language}",
    )


_CONSEQUENCE: dict[Language | None, str] = {
    Language.INI: "Whatever reads it will refuse the whole file.",
    Language.JSON: "Whatever reads it will refuse the whole file.",
    Language.TOML: "Whatever reads it will refuse the whole file.",
    Language.YAML: "Whatever reads it will refuse the whole file.",
    Language.PYTHON: "Importing it raises SyntaxError.",
}


def _reader(language: Language | None) -> str:
    match language:
        case Language.PYTHON:
            return "Python"
        case Language.INI:
            return "An INI parser"
        case Language.JSON | Language.TOML | Language.YAML:
            return f"A {language.upper()} parser"
    return "The parser"


def _place(source: Source, broken: dict[str, object]) -> _Place | None:
    """Return the changed line that the finding belongs to, None if the fault is not near one."""
    file = source.file
    line = int(str(broken["line"]))
    spots = [(line, line), *_spots(broken)]
    number = _added(file, spots)
    if number is None and broken["proof"] != "brackets":
        shown = file.commentable["RIGHT"]
        number = next((start for start, _ in spots if start in shown), None)
    changed = None
    # A grammar that stumbles far from every change has a gap; a bracket or Python itself is right.
    if number is None and broken["proof"] != "grammar":
        changed = _unbalancing(file) or _nearest(file, line)
        number = changed.new if changed else None
    if number is not None:
        lines = lines_of(source.head or b"")
        return _Place("RIGHT", number, quote(lines, number, number))
    if changed is None:
        return None
    return _Place("LEFT", changed.old or 1, printable(changed.text[:MAX_QUOTED_CHARS]))


def _added(file: FileChange, spots: Sequence[tuple[int, int]]) -> int | None:
    """Return the first added line among some ranges of lines."""
    for start, end in spots:
        if start in file.added_lines:
            return start
        if end - start <= _WIDE:
            for number in range(start, end + 1):
                if number in file.added_lines:
                    return number
    return None


def _spots(broken: dict[str, object]) -> Iterator[tuple[int, int]]:
    found = broken["faults"]
    if isinstance(found, list):
        for fault in found:
            yield int(fault["start"]), int(fault["end"])


def _unbalancing(file: FileChange) -> Line | None:
    """Return the first changed line of the first hunk that opens more than it closes, or less."""
    for hunk in file.hunks:
        changed = [line for line in hunk.lines if line.kind != " "]
        for opens, closes in ("()", "[]", "{}"):
            net = sum(
                (line.text.count(opens) - line.text.count(closes)) * (1 if line.kind == "+" else -1)
                for line in changed
            )
            if net:
                odd = [line for line in changed if opens in line.text or closes in line.text]
                return next((line for line in odd if line.kind == "+"), odd[0])
    return None


def _nearest(file: FileChange, line: int) -> Line | None:
    """Return the changed line that lies closest to a line of the head, above it if possible."""
    best: tuple[int, Line] | None = None
    for hunk in file.hunks:
        for each in hunk.lines:
            if each.kind == " ":
                continue
            at = each.new if each.new is not None else hunk.new_start
            distance = line - at if at <= line else 10 * (at - line)
            if best is None or distance < best[0]:
                best = (distance, each)
    return best[1] if best else None
