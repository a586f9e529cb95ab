"""Suggestions that may be applied with one click: only those after which the file parses."""

from collections.abc import Iterator, Sequence

from reviewer.errors import GiveUp
from reviewer.finding import Finding
from reviewer.languages import Language, is_template, language_of
from reviewer.parsing.broken import CHECKED
from reviewer.parsing.worker import Parsers, Question
from reviewer.ports import Objects


def parsing(
    findings: Sequence[Finding], objects: Objects, among: Parsers | None = None
) -> list[Finding]:
    """Return the findings, with a suggestion only where the file certainly parses after it.

    What nobody here can parse (another language, a template, a file that was broken before and
    still is, one that is too large or cannot be read) has none; in Markdown every text is
    well-formed. `among`: as in `Parsers`.
    """
    questions = dict(_questions(findings, objects))
    fine = {each.id for each in findings if language_of(each.path) is Language.MARKDOWN}
    if questions:
        with Parsers(among=among) as parsers:
            asked = parsers.ask_all(questions.values())
            fine |= {question.about for question, answer in asked if answer is True}
    return [
        each if each.suggestion is None or each.id in fine
        else each.model_copy(update={"suggestion": None})
        for each in findings
    ]  # fmt: skip


def _questions(findings: Sequence[Finding], objects: Objects) -> Iterator[tuple[str, Question]]:
    """Yield what to ask of the file after each suggestion, by the finding's id."""
    for each in findings:
        language = language_of(each.path)
        if each.suggestion is None or language not in CHECKED or is_template(each.path):
            continue
        try:
            head = objects.read(each.path, "head")
        except GiveUp:
            continue
        after = _applied(head, each)
        yield each.id, Question("well_formed", (after,), (language, each.path), each.id)


def _applied(head: bytes, finding: Finding) -> bytes:
    """Return the file with the suggestion in the place of its lines."""
    lines = head.split(b"\n")
    first, last = finding.start_line or 1, finding.line or 1
    new = (finding.suggestion or "").encode("utf-8", "surrogateescape").split(b"\n")
    return b"\n".join([*lines[: first - 1], *new, *lines[last:]])
