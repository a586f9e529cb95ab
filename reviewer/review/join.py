"""Joining by program: what several passes and detectors say about one cause, said once."""

import re
from collections import Counter
from collections.abc import Iterable

from reviewer.finding import Category, Finding

ALIKE_TITLES = 0.5
"""Titles on overlapping lines that share this part of the shorter one's words are one claim, on
the very same lines half of it: two passes name the same things and differ in the rest."""

_SMALL_WORDS = re.compile(
    "a|an|and|are|as|at|be|by|can|does|for|from|has|in|into|is|it|its|no|not|of|on|or|so|than|"
    "that|the|their|then|this|to|was|when|which|will|with|without"
)


def join(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings without repeats, the worst and surest first.

    Of several that say the same the worst stays; among equals a detector's, which is certain.
    """
    kept: list[Finding] = []
    for finding in sorted(findings, key=_worth):
        if not any(_same(finding, other) for other in kept):
            kept.append(finding)
    return _told_apart(kept)


def masked(findings: list[Finding]) -> list[Finding]:
    """Return the findings with no secret in any: where one was found, all quote that line masked.

    A finding that would replace such a line loses its suggestion: it holds the line.
    """
    safe: dict[tuple[str, str, int], str] = {}
    for finding in findings:
        if finding.category is Category.SECRET and finding.start_line is not None:
            for number, line in enumerate(finding.evidence.split("\n"), finding.start_line):
                safe[finding.path, finding.side, number] = line
    return [_without(finding, safe) for finding in findings]


def _without(finding: Finding, safe: dict[tuple[str, str, int], str]) -> Finding:
    if finding.start_line is None or finding.line is None:
        return finding
    numbers = range(finding.start_line, finding.line + 1)
    if not any((finding.path, finding.side, number) in safe for number in numbers):
        return finding
    quoted = zip(numbers, finding.evidence.split("\n"), strict=False)
    lines = [safe.get((finding.path, finding.side, number), line) for number, line in quoted]
    suggestion = finding.suggestion if finding.category is Category.SECRET else None
    return finding.model_copy(update={"evidence": "\n".join(lines), "suggestion": suggestion})


def _told_apart(findings: list[Finding]) -> list[Finding]:
    """Number those that share an id: the same claim about the same text in several places."""
    seen: Counter[str] = Counter()
    named = []
    for finding in findings:
        seen[finding.id] += 1
        number = seen[finding.id]
        new = {"id": f"{finding.id}-{number}"} if number > 1 else {}
        named.append(finding.model_copy(update=new))
    return named


def _worth(finding: Finding) -> tuple[int, bool, float, str, int, str]:
    return (
        finding.severity.rank,
        not finding.source.startswith("detector:"),
        -finding.confidence,
        finding.path,
        finding.start_line or 0,
        finding.id,
    )


def _same(one: Finding, other: Finding) -> bool:
    """Do both speak of one cause? Same lines and same kind of harm, or much the same words."""
    if one.path != other.path or one.side != other.side or not _overlap(one, other):
        return False
    if one.source.startswith("detector:") and other.source.startswith("detector:"):
        return one.source == other.source and one.title == other.title
    if one.category == other.category:
        return True
    same_place = (one.start_line, one.line) == (other.start_line, other.line)
    return _alike(one.title, other.title) >= (ALIKE_TITLES / 2 if same_place else ALIKE_TITLES)


def _overlap(one: Finding, other: Finding) -> bool:
    if one.line is None or other.line is None or not one.start_line or not other.start_line:
        return one.line == other.line
    return one.start_line <= other.line and other.start_line <= one.line


def _alike(one: str, other: str) -> float:
    """Return which part of the shorter title's words is in the other one too, 0 to 1."""
    words, others = _words(one), _words(other)
    return len(words & others) / max(1, min(len(words), len(others)))


def _words(title: str) -> set[str]:
    words = re.findall(r"\w+", title.lower())
    return {word for word in words if not _SMALL_WORDS.fullmatch(word)}
