"""What whoever reviewed hands to whoever publishes: a review, and where GitHub takes its findings.

It is plain, checked data: the publishing side needs neither the repository nor the model.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.render import words
from app.render.snippet import (
    AROUND,
    LONGEST_LINE,
    LONGEST_MARKED,
    LONGEST_SUGGESTION,
    Snippets,
    of_change,
    without_secrets,
)
from reviewer.change import Change, FileChange
from reviewer.finding import Category, Finding, Severity, Side
from reviewer.policy import DEFAULT_INLINE, NO_POLICY, Policy
from reviewer.ports import Objects
from reviewer.request import Looked, Review
from reviewer.text import printable

_Line = Annotated[int, Field(ge=1)]


class Anchor(BaseModel):
    """A place on which GitHub takes a comment: start_line..line of one hunk, on one side.

    `suggest`: the finding's replacement may be offered for exactly these lines.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: Side
    start_line: _Line
    line: _Line
    suggest: bool = False


class Excerpt(BaseModel):
    """Lines of a file from `start` on, on the side of the finding that they belong to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: _Line
    lines: list[str]


class Verdict(BaseModel):
    """What came of a review, for whoever asked for it from elsewhere: it outlives the report.

    `findings` counts by severity those that nobody dismissed; `said`, `early` ("" for a complete
    review) and `cost` are sentences of ours, `review` and `summary` addresses. No word of the
    change is in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["complete", "partial"]
    findings: dict[Severity, Annotated[int, Field(ge=1)]]
    said: str
    early: str = ""
    cost: str = ""
    review: str = ""
    summary: str = ""

    @classmethod
    def of(cls, review: Review, *, posted: str, summary: str) -> Self:
        """Return what came of a review that stands at these addresses ("": nowhere)."""
        return cls(
            status=review.status,
            findings=dict(Counter(finding.severity for finding in review.findings)),
            said=words.verdict(review),
            early=words.ended_early(review),
            cost=words.cost(review.cost),
            review=posted,
            summary=summary,
        )


class Report(BaseModel):
    """A review with its anchors and its code, by the id of the finding.

    A finding without an anchor goes to the summary alone; `anchors` has the other places of a
    finding too, by their ids. `inline_comments` is how many comments at lines the repository wants
    at the most. `blocks`: a finding that is at least so bad fails the check run, None where none
    does. `sarif`: the findings go to code scanning, too. `write`: the repository wants branches and
    pull requests of ours. `looked` is the review's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    review: Review
    anchors: dict[str, Anchor]
    code: dict[str, Excerpt]
    inline_comments: Annotated[int, Field(ge=0)] = DEFAULT_INLINE
    blocks: Severity | None = None
    sarif: bool = False
    write: bool = False
    looked: Looked = Looked()

    def snippets(self) -> Snippets:
        """Return the code around the findings, for the renderers; there is no other."""
        held: dict[tuple[str, Side], dict[int, str]] = {}
        for finding in self.review.findings:
            if excerpt := self.code.get(finding.id):
                lines = held.setdefault((finding.path, finding.side), {})
                lines.update(enumerate(excerpt.lines, excerpt.start))

        def snippets(path: str, side: Side, start: int, end: int) -> Sequence[str] | None:
            lines = held.get((path, side))
            if lines is None or start not in lines:
                return None
            found = []
            for number in range(max(start, 1), end + 1):
                if number not in lines:
                    break
                found.append(lines[number])
            return found

        return snippets


def report(review: Review, change: Change, objects: Objects, policy: Policy = NO_POLICY) -> Report:
    """Find out where on the pull request each finding can stand, and keep the code around it.

    `policy` says how the repository wants it published.
    """
    files = {printable(file.path): file for file in change.files}
    code = without_secrets(of_change(change, objects), review.findings)
    anchors = {}
    excerpts = {}
    for finding in review.findings:
        if anchor := _anchor(finding, files.get(finding.path), code):
            anchors[finding.id] = anchor
        for place in finding.places:
            there = finding.at(place)
            if anchor := _anchor(there, files.get(there.path), code):
                anchors[there.id] = anchor
        if excerpt := _excerpt(finding, code):
            excerpts[finding.id] = excerpt
    return Report(
        review=review,
        anchors=anchors,
        code=excerpts,
        inline_comments=policy.comments.inline,
        blocks=policy.blocks,
        sarif=policy.sarif,
        write=policy.write,
        looked=review.looked,
    )


def _anchor(finding: Finding, file: FileChange | None, code: Snippets) -> Anchor | None:
    start, line = finding.start_line, finding.line
    # A path that cannot be printed cannot be named to the API.
    if file is None or file.path != finding.path or start is None or line is None:
        return None
    if not file.takes_comment(finding.side, start, line):
        return None
    suggest = _can_suggest(finding, start, line, code)
    return Anchor(side=finding.side, start_line=start, line=line, suggest=suggest)


def _can_suggest(finding: Finding, start: int, line: int, code: Snippets) -> bool:
    """Would applying the suggestion do what the finding says, and only that?"""
    if finding.suggestion is None or finding.side != "RIGHT":
        return False
    if finding.category is Category.SECRET or line - start >= LONGEST_SUGGESTION:
        return False
    old = code(finding.path, "RIGHT", start, line)
    new = finding.suggestion.removesuffix("\n").split("\n") if finding.suggestion else []
    # GitHub writes what it is given: with other line endings it would change every line.
    return (
        old is not None
        and len(old) == line - start + 1
        and list(old) != new
        and not any(text.endswith("\r") for text in old)
        and "\r" not in finding.suggestion
    )


def _excerpt(finding: Finding, code: Snippets) -> Excerpt | None:
    if finding.start_line is None or finding.line is None:
        return None
    # All of what a suggestion replaces, for its diff; of a longer place only what is shown.
    whole = LONGEST_SUGGESTION if finding.suggestion is not None else LONGEST_MARKED
    if finding.line - finding.start_line >= whole:
        return None
    start = max(1, finding.start_line - AROUND)
    lines = code(finding.path, finding.side, start, finding.line + AROUND)
    if not lines:
        return None
    return Excerpt(start=start, lines=[line[: LONGEST_LINE * 2] for line in lines])
