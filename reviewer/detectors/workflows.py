"""Workflow risks: zizmor, offline and without its configuration, on copies of both ends.

Only what a stranger can use, or what is plainly not what its author meant. Left out after reading
the alarms on public projects: unpinned-uses, artipacked, excessive-permissions other than
write-all, cache-poisoning, dependabot-cooldown, self-repository, secrets-inherit, and privileged
triggers that never touch the pull request's code.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reviewer.change import FileChange, Kind, Status
from reviewer.detectors.added import lines_of, quote
from reviewer.detectors.base import Note, Source
from reviewer.detectors.programs import checked, run_program, workspace
from reviewer.errors import GiveUp
from reviewer.finding import Category, Finding, Severity
from reviewer.ports import Objects
from reviewer.text import printable

CHUNK_FILES = 100
TIMEOUT_S = 20.0  # of one chunk; zizmor reads a hundred ordinary workflows in a second
MAX_FILE_BYTES = 500_000  # GitHub refuses workflows of that size

_PATHS = (
    (re.compile(r"^\.github/workflows/[^/]+\.ya?ml$"), "workflow.yml"),
    (re.compile(r"(?:^|/)action\.ya?ml$"), "action.yml"),
    (re.compile(r"^\.github/dependabot\.ya?ml$"), "dependabot.yml"),
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing zizmor said: its place, counted from 1, and the code it is about."""

    ident: str
    annotation: str
    start: int
    end: int
    code: str


@dataclass(frozen=True)
class Report:
    """One end of one file and what zizmor said about it."""

    lines: list[str]
    alarms: list[Alarm]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


Check = Callable[[Report, Alarm], bool]


@dataclass(frozen=True, slots=True)
class Risk:
    """One audit of zizmor: how bad, how sure, what it means, and when it holds."""

    severity: Severity
    confidence: float
    title: str
    why: str
    holds: Check = lambda report, alarm: True


class Workflows:
    """Risks in GitHub workflows, actions and Dependabot's settings."""

    @property
    def name(self) -> str:
        return "workflows"

    def wants(self, file: FileChange) -> bool:
        return (
            file.kind is Kind.TEXT
            and file.status is not Status.DELETED
            and _kind_of(file.path) is not None
        )

    def run(self, sources: Sequence[Source], objects: Objects) -> Iterable[Finding | Note]:
        for item in checked(
            "zizmor",
            "The workflow check",
            sources,
            _audit,
            max_bytes=MAX_FILE_BYTES,
            at_once=CHUNK_FILES,
        ):
            if isinstance(item, Note):
                yield item
            else:
                source, (head, base) = item
                yield from _findings(source, head, base)


def _kind_of(path: str) -> str | None:
    return next((name for pattern, name in _PATHS if pattern.search(path)), None)


# --- running zizmor ---


def _audit(zizmor: Path, sources: Sequence[Source]) -> list[tuple[Report, Report]]:
    alarms: dict[str, list[Alarm]] = {}
    with workspace() as folder:
        inputs = []
        for number, source in enumerate(sources):
            for end, data in (("head", source.head), ("base", source.base)):
                if data is not None and len(data) <= MAX_FILE_BYTES:
                    place = f"{end}{number}/{_kind_of(source.file.path)}"
                    (folder / place).parent.mkdir()
                    (folder / place).write_bytes(data)
                    inputs.append(place)
        for item in _zizmor(zizmor, folder, inputs):
            found = _alarm(item)
            if found is not None:
                alarms.setdefault(found[0], []).append(found[1])

    def report(place: str, data: bytes | None) -> Report:
        return Report(lines_of(data) if data is not None else [], alarms.get(place, []))

    return [
        (report(f"head{number}", source.head), report(f"base{number}", source.base))
        for number, source in enumerate(sources)
    ]


def _zizmor(zizmor: Path, folder: Path, inputs: Sequence[str]) -> list[dict[str, Any]]:
    outcome = run_program(
        zizmor,
        [
            *("--offline", "--no-config", "--no-ignores", "--no-exit-codes", "--no-progress"),
            *("--quiet", "--persona", "regular", "--collect", "all", "--format", "json-v1"),
            *("--", *inputs),
        ],
        cwd=folder,
        timeout_s=TIMEOUT_S,
    )
    if outcome.code == _NOTHING_TO_AUDIT:
        return []
    if outcome.code != 0:
        raise GiveUp(f"zizmor failed: {outcome.complaint or outcome.code}")
    try:
        reported: list[dict[str, Any]] = json.loads(outcome.stdout)
    except ValueError as error:
        raise GiveUp(f"zizmor's report could not be read: {error}") from error
    return reported


_NOTHING_TO_AUDIT = 3  # no input could be parsed; the syntax detector says so


def _alarm(item: dict[str, Any]) -> tuple[str, Alarm] | None:
    """Return the place of an audit's primary location and the alarm; None for what we leave out."""
    if item["ident"] not in RISKS:
        return None
    for location in item["locations"]:
        symbolic, concrete = location["symbolic"], location["concrete"]
        if symbolic["kind"] == "Primary" and "Local" in symbolic["key"]:
            place = Path(symbolic["key"]["Local"]["verbatim_path"]).parent.name
            start, end = concrete["location"]["start_point"], concrete["location"]["end_point"]
            last = end["row"] + 1 - (end["column"] == 0 and end["row"] > start["row"])
            code = concrete["feature"]
            return place, Alarm(item["ident"], symbolic["annotation"], start["row"] + 1, last, code)
    return None


# --- what of it the change brought ---


def _findings(source: Source, head: Report, base: Report) -> Iterator[Finding]:
    held = Counter(_identity(base, alarm) for alarm in base.alarms if _holds(base, alarm))
    for alarm in head.alarms:
        if not _holds(head, alarm):
            continue
        identity = _identity(head, alarm)
        if held[identity]:
            held[identity] -= 1
            continue
        row = _row(source, head, alarm)
        if row is not None:
            yield _finding(source, head, alarm, row)


def _holds(report: Report, alarm: Alarm) -> bool:
    return RISKS[alarm.ident].holds(report, alarm)


_COMMENT = re.compile(r"(?:^|\s)#.*$")


def _identity(report: Report, alarm: Alarm) -> tuple[str, str, str]:
    code = "".join(_COMMENT.sub("", line) for line in report.lines[alarm.start - 1 : alarm.end])
    return (alarm.ident, alarm.annotation, "".join(code.split()))


def _row(source: Source, head: Report, alarm: Alarm) -> int | None:
    """Return the first added line of the place, or the added line that gave it its meaning."""
    added = source.file.added_lines
    for row in range(alarm.start, alarm.end + 1):
        if row in added:
            return row
    if alarm.ident in _WITH_CAUSE:
        for row, line in enumerate(head.lines, 1):
            if row in added and (_HEAD_CODE.search(line) or _PRIVILEGED.search(line)):
                return row
    return None


def _finding(source: Source, head: Report, alarm: Alarm, row: int) -> Finding:
    risk = RISKS[alarm.ident]
    severity = risk.severity
    if alarm.ident == "template-injection" and not _PRIVILEGED.search(head.text):
        severity = Severity.MEDIUM  # a fork's own run has no secrets and a read-only token
    return Finding(
        path=printable(source.file.path),
        start_line=row,
        line=row,
        category=Category.WORKFLOW,
        severity=severity,
        confidence=risk.confidence,
        title=risk.title,
        body=risk.why,
        evidence=quote(head.lines, row, row),
        source=f"detector:workflows/{alarm.ident}",
    )


# --- when an audit is right ---

_PRIVILEGED = re.compile(
    r"^\s*(?:-\s*|on:\s*)?\[?.*\b(?:pull_request_target|workflow_run|issue_comment|issues"
    r"|discussion|discussion_comment)\b",
    re.MULTILINE,
)
_STRANGERS_REF = (
    r"(?:github\.event\.pull_request\.head\.(?:sha|ref|repo)|github\.head_ref|refs/pull/"
    r"|github\.event\.(?:workflow_run|check_suite|check_run)\.head_(?:sha|branch|repository))"
)
_HEAD_CODE = re.compile(
    rf"\b(?:ref|repository)\s*:.*{_STRANGERS_REF}"
    rf"|\bgit\s+(?:fetch|checkout|switch|pull|merge|clone)\b.*{_STRANGERS_REF}"
    r"|\bgh\s+pr\s+checkout\b"
)
_ASKED = re.compile(
    r"author_association|getCollaboratorPermissionLevel|/collaborators/|\btypes:\s*\[?\s*labeled\b"
)
_ATTACKER = re.compile(
    r"github\.head_ref"
    r"|github\.event\.(?:issue|pull_request|comment|review|review_comment|discussion)\.(?:title|body)"
    r"|github\.event\.pull_request\.head\.(?:ref|label|repo\.(?:default_branch|description|homepage))"
    r"|github\.event\.(?:head_commit|commits\b.*?|workflow_run\.head_commit)\.(?:message|author)"
    r"|github\.event\.workflow_run\.(?:head_branch|display_title|pull_requests)"
    r"|github\.event\.(?:milestone|label|pages)\b|toJSON\(\s*github(?:\.event)?\s*\)",
    re.IGNORECASE,
)


def _from_stranger(report: Report, alarm: Alarm) -> bool:
    """Inputs and names of tags come from those who may push anyway; titles and branches do not."""
    lines = report.lines[alarm.start - 1 : alarm.end]
    return any(_ATTACKER.search(line) for line in lines)


def _runs_strangers_code(report: Report, alarm: Alarm) -> bool:
    """Labelling a stranger's pull request with secrets at hand is fine; checking it out is not.

    Where a person with rights has to ask for it first, it is their decision.
    """
    return _HEAD_CODE.search(report.text) is not None and _ASKED.search(report.text) is None


def _decides_for_strangers(report: Report, alarm: Alarm) -> bool:
    return _PRIVILEGED.search(report.text) is not None


def _grants_all(report: Report, alarm: Alarm) -> bool:
    return "write-all" in alarm.annotation or "write-all" in alarm.code


_WITH_CAUSE = frozenset({"dangerous-triggers", "bot-conditions"})
_HIGH, _MEDIUM = Severity.HIGH, Severity.MEDIUM

RISKS: dict[str, Risk] = {
    "template-injection": Risk(
        _HIGH,
        0.9,
        "Text of a stranger is expanded into a script",
        "The expression is put into the script before the shell sees it, so a title or a branch "
        "name with a quote or `$()` in it runs commands in this job. Pass it through `env` and "
        'use "$NAME".',
        _from_stranger,
    ),
    "dangerous-triggers": Risk(
        _HIGH,
        0.8,
        "A privileged trigger together with the pull request's own code",
        "This event runs with the repository's secrets and a write token, and the workflow fetches "
        "what the pull request brings: whoever opens one can run code with those rights. Build "
        "under `pull_request`, and do only what needs rights here.",
        _runs_strangers_code,
    ),
    "bot-conditions": Risk(
        _MEDIUM,
        0.75,
        "The condition trusts a name that can be another's",
        "`github.actor` is whoever caused the last event, not who opened the pull request: after a "
        "bot touches a stranger's pull request, the condition is true. Compare "
        "`github.event.pull_request.user.login`.",
        _decides_for_strangers,
    ),
    "excessive-permissions": Risk(
        _MEDIUM,
        0.85,
        "The token may write everything",
        "`write-all` gives every step, and every action it uses, the right to change code, "
        "releases and packages. Name the permissions that are needed.",
        _grants_all,
    ),
    "github-env": Risk(
        _HIGH,
        0.75,
        "A privileged workflow writes untrusted text to GITHUB_ENV or GITHUB_PATH",
        "Whoever controls the text can set variables such as LD_PRELOAD for the steps that follow, "
        "and so run code in them.",
        _decides_for_strangers,
    ),
    "hardcoded-container-credentials": Risk(
        _HIGH,
        0.9,
        "The registry's password is in the workflow",
        "Whoever can read the repository can use it. Revoke it and take it from `secrets`.",
    ),
    "insecure-commands": Risk(
        _HIGH,
        0.9,
        "Commands in a job's output are switched on again",
        "ACTIONS_ALLOW_UNSECURE_COMMANDS lets anything that prints into the log set variables and "
        "the path of the following steps.",
    ),
    "overprovisioned-secrets": Risk(
        _MEDIUM,
        0.85,
        "All secrets are given to one step",
        "`toJSON(secrets)` hands over every secret the repository has, also those added later.",
    ),
    "unredacted-secrets": Risk(
        _MEDIUM,
        0.8,
        "Part of a secret will not be masked in logs",
        "GitHub masks a secret as a whole: a field taken out of it with `fromJSON` is printed as "
        "it is. Store the field as a secret of its own.",
    ),
    "unsound-condition": Risk(
        _HIGH,
        0.9,
        "The condition is always true",
        "With text around the expression (a block scalar ends in a newline) the whole is a "
        "non-empty string, which is true whatever the expression says.",
    ),
    "unsound-contains": Risk(
        _HIGH,
        0.8,
        "`contains` looks for part of a text, not for one of a list",
        "A branch named like any part of the text passes the test. Use a JSON list: "
        "`contains(fromJSON('[…]'), …)`.",
    ),
    "dependabot-execution": Risk(
        _MEDIUM,
        0.8,
        "Dependabot may run code of the packages it updates",
        "`insecure-external-code-execution: allow` lets a new version of any dependency run code "
        "beside the registry credentials.",
    ),
}
