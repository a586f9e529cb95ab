"""The same change a second time: what is said of it that was not said at the first.

The first review's claims count as said on the pull request, each as a comment of ours; what a
second one says is known again as publishing knows it (`app.github.remarks`).
"""

from collections.abc import Sequence

from app.github.between import Became, Lines
from app.github.markers import short_id
from app.github.remarks import (
    Remark,
    earlier_claims,
    known_again,
    room_of,
    texts_of,
    worth_a_line,
)
from app.report import Anchor, Report
from reviewer.finding import Finding, Side
from reviewer.request import Earlier


class _Unmoved:
    """Earlier heads of a change that nobody has pushed to: every line is where it was."""

    def became(self, _commit: str, lines: Lines, _side: Side) -> Became | None:
        return Became(lines.path, lines, changed=False)


def remarks_of(report: Report) -> list[Remark]:
    """Return what a review said as comments of ours: one for each claim, wherever it stood."""
    texts = texts_of(_placed(report))
    return [
        Remark(
            one.path,
            one.line,
            texts[one.id],
            url="",
            finding=short_id(one.id),
            side=one.side,
            start_line=one.start_line,
        )
        for one in report.review.findings
        if one.id in texts
    ]


def told_next(report: Report, remarks: Sequence[Remark]) -> tuple[Earlier, ...]:
    """Return what the next review is told: of the remarks those that have a comment at a line."""
    worst = worth_a_line(report, texts_of(report))[: room_of(report)]
    at_lines = {short_id(one.id) for one in worst}
    return earlier_claims(one for one in remarks if one.finding in at_lines)


def new_claims(report: Report, remarks: Sequence[Remark]) -> tuple[str, ...]:
    """Return the ids of the claims of a second review that no remark says."""
    known = known_again(_placed(report), remarks, _Unmoved())
    return tuple(one.id for one in report.review.findings if not known.has(one))


def _placed(report: Report) -> Report:
    """Return a report with a place for each claim: what stands in the summary was said, too."""
    anchors = {one.id: _anchor(one) for one in report.review.findings}
    return report.model_copy(update={"anchors": {**anchors, **report.anchors}})


def _anchor(finding: Finding) -> Anchor:
    line = finding.line or 1
    return Anchor(side=finding.side, start_line=finding.start_line or line, line=line)
