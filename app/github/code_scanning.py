"""A review as alerts of code scanning: SARIF, where a repository wants it and the owner permits it.

It stands beside what the review says elsewhere, and costs nothing of that when it is refused.
"""

import base64
import gzip

from app.github.client import Hub, checked_name
from app.github.errors import Limited, Unsure
from app.render import words
from app.render.outgoing import without_secrets
from app.render.sarif import render_sarif
from app.report import Report

MAX_BYTES = 10_000_000
"""GitHub takes 10 MB after compression."""

MAX_RESULTS = 5_000
"""It takes 25,000 results and keeps so many, "prioritized by severity"."""

DOING = "hand the findings to code scanning"


def upload(hub: Hub, repository: str, number: int, head: str, report: Report) -> str:
    """Hand a report to code scanning as what holds for `head` of a pull request; return the id that
    the upload has there. To do it again replaces what was handed in before.

    Forbidden: no permission, or code scanning is off; NotThere, Refused: GitHub does not take it.
    """
    body = {
        "commit_sha": head,
        "ref": f"refs/pull/{number:d}/head",
        "sarif": packed(report),
        "tool_name": "rlm",
    }
    path = f"/repos/{checked_name(repository)}/code-scanning/sarifs"
    try:
        answer = hub.ask(DOING, "POST", path, body)
    except Limited:
        raise
    except Unsure:  # if it was taken, the same again takes its place
        answer = hub.ask(DOING, "POST", path, body)
    return str(answer.get("id", "")) if isinstance(answer, dict) else ""


def packed(report: Report, most_bytes: int = MAX_BYTES) -> str:
    """Return the report's SARIF, compressed and in base64: of its findings the worst that fit."""
    report = without_secrets(report)
    findings = words.ranked(report.review.findings)[:MAX_RESULTS]
    while True:
        review = report.review.model_copy(update={"findings": findings})
        text = render_sarif(review, report.snippets())
        # No time in it: the same report is the same bytes.
        made = gzip.compress(text.encode("utf-8", "backslashreplace"), mtime=0)
        if len(made) <= most_bytes or not findings:
            return base64.b64encode(made).decode("ascii")
        findings = findings[: len(findings) // 2]
