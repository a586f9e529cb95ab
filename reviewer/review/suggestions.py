"""Suggestions that may be applied with one click: only those after which the file still parses."""

from collections.abc import Iterator, Sequence

from reviewer.errors import GiveUp
from reviewer.finding import Finding
from reviewer.languages import is_template, language_of
from reviewer.parsing.broken import CHECKED
from reviewer.parsing.worker import Parsers, Question
from reviewer.ports import Objects


def parsing(findings: Sequence[Finding], objects: Objects) -> list[Finding]:
    """Return the findings, without the suggestions that would break their file.

    A file that cannot be read or checked says nothing against a suggestion, nor does one in a
    language that nobody here parses.
    """
    questions = {each.id: question for each, question in _questions(findings, objects)}
    if not questions:
        return list(findings)
    broken = set()
    with Parsers() as parsers:
        for question, answer in parsers.ask_all(questions.values()):
            if isinstance(answer, dict):
                broken.add(question.about)
    return [
        each.model_copy(update={"suggestion": None}) if each.id in broken else each
        for each in findings
    ]


def _questions(findings: Sequence[Finding], objects: Objects) -> Iterator[tuple[Finding, Question]]:
    for each in findings:
        language = language_of(each.path)
        if each.suggestion is None or language not in CHECKED or is_template(each.path):
            continue
        try:
            head = objects.read(each.path, "head")
        except GiveUp:
            continue
        after = _applied(head, each)
        yield each, Question("check", (after, head), (language, each.path), each.id)


def _applied(head: bytes, finding: Finding) -> bytes:
    """Return the file with the suggestion in the place of its lines."""
    lines = head.split(b"\n")
    first, last = finding.start_line or 1, finding.line or 1
    new = (finding.suggestion or "").encode("utf-8", "surrogateescape").split(b"\n")
    return b"\n".join([*lines[: first - 1], *new, *lines[last:]])
