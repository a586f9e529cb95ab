"""Joining by program: what several passes and detectors say about one cause, said once."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from reviewer.finding import Category, Finding, Side

ALIKE_TITLES = 0.5
"""Titles on overlapping lines that share this part of the shorter one's words are one claim. Half
of it does on the very same lines or for the same harm: two passes name the same things and differ
in the rest."""

_SMALL_WORDS = re.compile(
    "a|an|and|are|as|at|be|by|can|does|for|from|has|in|into|is|it|its|no|not|of|on|or|so|than|"
    "that|the|their|then|this|to|was|when|which|will|with|without"
)


def join(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings without repeats, the worst and surest first.

    Of several that say the same the worst stays; among equals a detector's, which is certain.
    """
    kept: list[Finding] = []
    by_line: dict[tuple[str, Side, int | None], list[Finding]] = {}
    for finding in sorted(findings, key=_worth):
        places = [(finding.path, finding.side, number) for number in _numbers(finding)]
        near = [other for place in places for other in by_line.get(place, ())]
        if not any(_same(finding, other) for other in near):
            kept.append(finding)
            for place in places:
                by_line.setdefault(place, []).append(finding)
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
    """Do both, on lines that overlap, speak of one cause?

    Different passes do that if they see the same kind of harm on the same lines, or use much the
    same words. What one pass says twice of the same lines are two causes, unless the words agree.
    """
    if one.source.startswith("detector:") and other.source.startswith("detector:"):
        return one.source == other.source and one.title == other.title
    alike = _alike(one.title, other.title)
    if one.source == other.source:
        return alike >= ALIKE_TITLES
    same_place = (one.start_line, one.line) == (other.start_line, other.line)
    if same_place and one.category == other.category:
        return True
    near = same_place or one.category == other.category
    return alike >= (ALIKE_TITLES / 2 if near else ALIKE_TITLES)


def _numbers(finding: Finding) -> Sequence[int | None]:
    if finding.start_line is None or finding.line is None:
        return (None,)
    return range(finding.start_line, finding.line + 1)


def _alike(one: str, other: str) -> float:
    """Return which part of the shorter title's words is in the other one too, 0 to 1."""
    words, others = _words(one), _words(other)
    return len(words & others) / max(1, min(len(words), len(others)))


def _words(title: str) -> set[str]:
    words = re.findall(r"\w+", title.lower())
    return {word for word in words if not _SMALL_WORDS.fullmatch(word)}
