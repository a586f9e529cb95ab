"""The summary's words: by program, from what is known; Markdown with one claim a line."""

from collections import Counter

from reviewer.change import Change
from reviewer.finding import Finding, Severity
from reviewer.request import Coverage, StopReason
from reviewer.text import printable

WALKTHROUGH_LINES = 30
"""More lines than this are a list, not an overview; the rest is counted."""

STOPS = {
    StopReason.BUDGET: "the budget was spent",
    StopReason.DEADLINE: "the deadline passed",
    StopReason.CANCELLED: "it was stopped on request",
    StopReason.MODEL: "the model's service failed",
    StopReason.STORAGE: "what it costs could not be written down",
    StopReason.INCOMPLETE: "the model came to no result for a part of it",
}


def summarise(
    change: Change,
    findings: list[Finding],
    coverage: Coverage,
    overviews: list[str],
    stopped: StopReason | None,
) -> str:
    """Return a verdict, what the review did not see, and what the change does."""
    lines = [verdict(findings, coverage, stopped), "", _size(change, coverage)]
    if overviews:
        shown = [f"- {printable(' '.join(text.split()))}" for text in overviews]
        more = len(shown) - WALKTHROUGH_LINES
        lines += ["", "What changes:", *shown[:WALKTHROUGH_LINES]]
        if more > 0:
            lines.append(f"- … and {more} more parts")
    return "\n".join(lines)


def verdict(findings: list[Finding], coverage: Coverage, stopped: StopReason | None) -> str:
    """Return one sentence: what was found, or that nothing was."""
    counts = Counter(finding.severity for finding in findings)
    said = ", ".join(f"{counts[level]} {level}" for level in Severity if counts[level])
    if findings:
        plural = "" if len(findings) == 1 else "s"
        text = f"{len(findings)} finding{plural}: {said}."
    elif coverage.reviewed:
        text = "No findings."
    else:
        text = "Nothing was reviewed."
    if stopped is not None:
        text += f" The review is partial: {STOPS[stopped]}."
    return text


def _size(change: Change, coverage: Coverage) -> str:
    added = sum(file.added for file in change.files)
    deleted = sum(file.deleted for file in change.files)
    files = len(change.files)
    aside = sum(entry.hunks for entry in coverage.skipped)
    text = (
        f"{files} file{'' if files == 1 else 's'} changed (+{added} -{deleted}); "
        f"{coverage.reviewed} of {coverage.hunks} hunks reviewed"
    )
    return text + (f", {aside} set aside with the reason." if aside else ".")
