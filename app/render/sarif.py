"""A review as SARIF 2.1.0, as code scanning and editors take it."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from app.render import words
from app.render.escape import one_line, visible
from app.render.json import dumps
from app.render.snippet import Snippets
from reviewer.finding import Category, Finding, Place, Proof, Severity
from reviewer.request import Review

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL = "rlm"
PACKAGE = "rlm-review"
ROOT = "%SRCROOT%"
FINGERPRINT = "rlmFindingId/v1"

_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.NIT: "note",
}

# GitHub reads a rule's "security-severity" as a CVSS score: over 9.0 critical, 7.0 to 8.9 high,
# 4.0 to 6.9 medium, 0.1 to 3.9 low.
_SCORES = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.NIT: "1.0",
}
_SECURITY = frozenset({Category.SECURITY, Category.SECRET, Category.WORKFLOW})


def render_sarif(review: Review, snippets: Snippets, *, category: str = PACKAGE) -> str:
    """Return the review as one SARIF run; `category` tells apart several runs on one commit."""
    findings = words.ranked(review.findings)
    rules = _rules(findings)
    index = {rule["id"]: at for at, rule in enumerate(rules)}
    driver: dict[str, Any] = {"name": TOOL, "rules": rules}
    if said := _version():
        driver["version"] = said
    run = {
        "tool": {"driver": driver},
        # GitHub takes what stands before the last slash as the category.
        "automationDetails": {"id": f"{one_line(category)}/"},
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(review)],
        "results": [_result(one, index, snippets) for one in findings],
        "properties": _properties(review),
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:  # run from a folder, never installed
        return ""


def _rule_id(finding: Finding) -> str:
    return f"{one_line(finding.source)}/{finding.category.value}"


def _rules(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return one rule for each pair of source and category, as severe as its worst result."""
    worst: dict[str, Finding] = {}
    for finding in findings:  # worst first
        worst.setdefault(_rule_id(finding), finding)
    return [_rule(name, finding) for name, finding in sorted(worst.items())]


def _rule(name: str, worst: Finding) -> dict[str, Any]:
    security = worst.category in _SECURITY
    properties: dict[str, Any] = {
        "tags": sorted({worst.category.value} | ({"security"} if security else set()))
    }
    if security:
        properties["security-severity"] = _SCORES[worst.severity]
    words_ = f"{worst.category.value.capitalize()}, found by {one_line(worst.source)}"
    return {
        "id": name,
        "shortDescription": {"text": _message(words_)},
        "defaultConfiguration": {"level": _LEVELS[worst.severity]},
        "properties": properties,
    }


def _result(finding: Finding, index: dict[str, int], snippets: Snippets) -> dict[str, Any]:
    said = [one_line(finding.title), *words.circumstances(finding)]
    text = ". ".join(part.rstrip(".") for part in said) + "."
    if finding.body.strip():
        text += f"\n\n{visible(finding.body).strip()}"
    if fails := words.fails_when(finding):
        text += f"\n\nFails when: {fails}"
    result: dict[str, Any] = {
        "ruleId": _rule_id(finding),
        "ruleIndex": index[_rule_id(finding)],
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(text)},
        "locations": [{"physicalLocation": _place(finding)}],
        "partialFingerprints": {FINGERPRINT: finding.id},
        "properties": {
            "severity": finding.severity.value,
            "category": finding.category.value,
            "confidence": finding.confidence,
            "preexisting": finding.preexisting,
            "verified": finding.verified,
            "source": one_line(finding.source),
            "alsoBy": words.sources(finding)[1:],
            "side": finding.side,
        },
    }
    if finding.side == "LEFT" and finding.line is not None:
        result["properties"] |= {"baseStartLine": finding.start_line, "baseLine": finding.line}
    related = [
        {"physicalLocation": _place(one), "message": {"text": _message(f"Also at {said}")}}
        for one, said in zip(finding.places, words.also_at(finding), strict=True)
    ]
    if finding.proof and (seen := words.seen_at(finding)):
        text = _message(f"Seen at {seen[0]}")
        related.append({"physicalLocation": _place(finding.proof), "message": {"text": text}})
    if related:
        result["relatedLocations"] = related
    if fixes := list(_fixes(finding, snippets)):
        result["fixes"] = fixes
    return result


def _message(text: str) -> str:
    """Keep `[text](target)` from becoming a link, and an empty message from being refused."""
    return text.replace("](", "] (") or "-"


def _artifact(finding: Finding | Place | Proof) -> dict[str, str]:
    return {"uri": quote(finding.path, safe="/", errors="replace"), "uriBaseId": ROOT}


def _place(finding: Finding | Place | Proof) -> dict[str, Any]:
    """Name the file; and the lines where they are lines of the head, the only text SARIF knows."""
    place: dict[str, Any] = {"artifactLocation": _artifact(finding)}
    if finding.side == "RIGHT" and finding.line is not None:
        place["region"] = {"startLine": finding.start_line, "endLine": finding.line}
    return place


def _fixes(finding: Finding, snippets: Snippets) -> Iterator[dict[str, Any]]:
    if finding.suggestion is None or finding.line is None or finding.side == "LEFT":
        return
    region: dict[str, int | None] = {"startLine": finding.start_line, "endLine": finding.line}
    replacement: dict[str, Any] = {"deletedRegion": region}
    if finding.suggestion:
        # A region of whole lines ends before the last newline, so the text brings none.
        replacement["insertedContent"] = {"text": finding.suggestion.removesuffix("\n")}
    elif snippets(finding.path, "RIGHT", finding.line + 1, finding.line + 1):
        # Only up to the start of the line behind does the newline go too.
        region |= {"startColumn": 1, "endLine": finding.line + 1, "endColumn": 1}
    yield {
        "description": {"text": "Suggested change"},
        "artifactChanges": [
            {"artifactLocation": _artifact(finding), "replacements": [replacement]}
        ],
    }


def _invocation(review: Review) -> dict[str, Any]:
    notes = [("note", note) for note in review.notes]
    if early := words.ended_early(review):
        notes.insert(0, ("error", early))
    if unsettled := words.unsettled(review):
        notes.insert(0, ("warning", unsettled))
    return {
        "executionSuccessful": review.status == "complete",
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": _message(visible(text))}} for level, text in notes
        ],
    }


def _properties(review: Review) -> dict[str, Any]:
    return {
        "status": review.status,
        "stopped": review.stopped,
        "change": review.change.model_dump(),
        "summary": visible(review.summary),
        "coverage": review.coverage.model_dump(),
        "dependencies": [one.model_dump() for one in review.dependencies],
        "cost": review.cost.model_dump(),
        "risk": review.risk.model_dump() if review.risk else None,
        "lookFirst": [
            one.model_dump() | {"reason": visible(one.reason)} for one in review.look_first
        ],
        "modules": [
            one.model_dump() | {"changes": [visible(text) for text in one.changes]}
            for one in review.modules
        ],
        "across": [visible(one) for one in review.across],
        "imports": [one.model_dump() for one in review.imports],
    }
