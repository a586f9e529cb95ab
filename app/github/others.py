"""What a person or another bot said at the lines of a pull request, and which findings it says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.report import Anchor
from reviewer.finding import Finding, Severity, Side
from reviewer.review.join import alike, telling_words

NEAR_LINES = 3
"""A comment belongs to a place from so far: people mark the call or the line above it, and tools
the whole statement."""

SHORT_WORDS = 4
"""A comment with fewer telling words ("typo?", "why not async?") agrees with anything."""

SAME_WORDS = 0.5
"""Of the shorter text: half of what a brief comment says is in our title and reason, or half of
ours in a long one. Two texts about other faults of one line share its names, about a quarter."""

SAME_TITLE = 0.5
"""Of the title's words: the reason alone can be shared by two claims about one function."""

MOST_WORDS = 4
"""So many times ours a comment may have: a list of all words there are would say everything."""

MOST_LINES = 40
"""Of a comment: who marks more speaks of no line."""

# What the comment answers, and what nobody sees, is not what it says.
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Saying:
    """A comment by somebody else on lines that the diff still has."""

    login: str
    path: str
    side: Side
    start_line: int
    line: int
    text: str
    url: str
    trusted: bool
    """Written by a member of the repository or by an app that is installed there."""


def said_by_others(
    findings: Sequence[Finding], anchors: Mapping[str, Anchor], sayings: Sequence[Saying]
) -> dict[str, Saying]:
    """Return the first saying for each finding that has one: at its place, and of its claim."""
    by_place: dict[tuple[str, Side], list[Saying]] = {}
    for saying in sayings:
        by_place.setdefault((saying.path, saying.side), []).append(saying)
    found = {}
    for finding in findings:
        anchor = anchors.get(finding.id)
        if anchor is None or finding.severity is Severity.CRITICAL:
            continue
        for saying in by_place.get((finding.path, anchor.side), ()):
            if _counts(saying) and _near(anchor, saying) and _says(saying.text, finding):
                found[finding.id] = saying
                break
    return found


def _near(anchor: Anchor, saying: Saying) -> bool:
    return (
        saying.start_line <= anchor.line + NEAR_LINES
        and anchor.start_line <= saying.line + NEAR_LINES
    )


def _counts(saying: Saying) -> bool:
    """Is it the word of somebody who has one here, on few enough lines to speak of them?

    A stranger could say everything of every line beforehand, so that nothing is said of his change.
    """
    return saying.trusted and saying.line - saying.start_line < MOST_LINES


def _says(text: str, finding: Finding) -> bool:
    """Does a comment make the claim of a finding, as far as words tell?"""
    theirs = telling_words(_QUOTED_LINE.sub("", _HIDDEN.sub("", text)))
    title = telling_words(finding.title)
    if len(theirs) < SHORT_WORDS or not title:
        return False
    ours = title | telling_words(finding.body)
    if len(theirs) > MOST_WORDS * len(ours):
        return False
    return alike(ours, theirs) >= SAME_WORDS and len(title & theirs) >= SAME_TITLE * len(title)
