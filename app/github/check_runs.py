"""Our check run: the progress of a review and its result, on the commit that was reviewed.

It blocks a merge only where the repository asks for it. It can be written on a locked or closed
pull request too, and is where a reader looks when something went wrong.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from github.GithubObject import NotSet

from app.check_names import AGAIN, FIX, FULL
from app.github.client import Hub
from app.github.errors import NotThere, Refused, Unsure, calls
from app.render import words
from app.render.escape import markdown_line, one_line, visible
from app.render.outgoing import cut_bytes, masked
from reviewer.errors import RlmError, TellUser
from reviewer.finding import Finding, Severity
from reviewer.request import Review, StopReason

log = logging.getLogger(__name__)

NAME = "rlm review"

_BUTTONS = [
    {"label": "Review again", "identifier": AGAIN, "description": "What was said is not repeated"},
    {
        "label": "Say all again",
        "identifier": FULL,
        "description": "Review, and repeat what was said",
    },
]
_FIX_BUTTON = {
    "label": "Fix findings",
    "identifier": FIX,
    "description": "A pull request on top that closes them",
}
"""At most three, with labels of 20 characters and descriptions of 40."""

QUEUE = "queue"
"""In place of a run's name, in the id of a check run that a merge queue waited for."""

SUMMARY_BYTES = 65_535
""" "summary exceeds a maximum bytesize of 65535"."""

TITLE_BYTES = 255
MESSAGE_BYTES = 8_000
"""Of an annotation; GitHub takes 64 KB and shows a few lines."""

ANNOTATIONS_PER_REQUEST = 50
"""GitHub's limit; what further requests bring is added to them."""

MAX_ANNOTATIONS = 500
"""Ten requests. The summary has the others, as far as it has room."""

MAX_OURS = 100
"""Of our check runs on one commit, so many are read."""

LOST_TITLE = "This review was lost"
LOST_TEXT = (
    "The server that made this review knows nothing of it any more, so it does not end by itself. "
    "Nothing was said. Ask for another one with a comment `/rlm review`, or with a button here."
)

NOT_AGAIN_TITLE = "Not reviewed again"
NOT_OPEN = "The pull request is not open, so its commit is not reviewed again."
NOT_NEWEST = (
    "This is not the newest commit of the pull request any more. What is reviewed again is {head}."
)
_LEFT = re.compile(
    rf"(?:(?:{re.escape(NOT_OPEN)}|{re.escape(NOT_NEWEST.format(head='HEAD'))})\s*)+".replace(
        "HEAD", "[0-9a-f]+"
    )
)
"""What `leave` said before, at the start of a summary."""

Conclusion = Literal["success", "neutral", "cancelled", "timed_out", "failure"]
Level = Literal["notice", "warning", "failure"]

_UNPROCESSABLE = 422
_REFUSED = "GitHub did not take the details of this result; the log of the server has its reason."

_EXTERNAL_ID = re.compile(
    r"(?P<repository>[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100})"
    r"#(?P<number>[1-9][0-9]{0,9}):(?P<run>[A-Za-z0-9_-]{1,64})"
)


@dataclass(frozen=True, slots=True)
class ExternalId:
    """Whose check run it is. A fork's pull request is named nowhere else in its check runs."""

    repository: str
    number: int
    run: str

    def __str__(self) -> str:
        return f"{self.repository}#{self.number}:{self.run}"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on lines of the head, shown beside them in the diff."""

    path: str
    start_line: int
    end_line: int
    level: Level
    title: str
    message: str


def parse_external_id(text: str) -> ExternalId | None:
    """Read what `ensure` wrote; None for another App's."""
    found = _EXTERNAL_ID.fullmatch(text)
    return ExternalId(found["repository"], int(found["number"]), found["run"]) if found else None


def ensure(  # noqa: PLR0917
    hub: Hub,
    repository: str,
    head: str,
    run: str,
    number: int,
    title: str,
    summary: str,
    *,
    page: str = "",
) -> int:
    """Return the id of this run's check run on `head`, created if it is not there yet.

    `page` is the address that its "Details" lead to; without one GitHub takes the App's.
    """
    external_id = str(ExternalId(repository, number, run))
    if (there := _find(hub, repository, head, external_id)) is not None:
        return there
    try:
        with calls(hub.server, "create the check run"):
            made = hub.repo(repository).create_check_run(
                NAME,
                head,
                external_id=external_id,
                status="in_progress",
                output=_output(title, summary),
                details_url=page or NotSet,
            )
            return int(made.id)
    except Unsure:
        if (there := _find(hub, repository, head, external_id)) is not None:
            return there
        raise


def made_for(hub: Hub, repository: str, head: str, run: str, number: int) -> int | None:
    """Return the id of this run's check run on `head`; None if it is not there."""
    return _find(hub, repository, head, str(ExternalId(repository, number, run)))


def _find(hub: Hub, repository: str, head: str, external_id: str) -> int | None:
    # Without "all", GitHub tells the newest run of a name and leaves out those of other reviews.
    with calls(hub.server, "look for the check run"):
        runs = hub.repo(repository).get_commit(head).get_check_runs(NAME, filter="all")
        for one in runs:
            if one.external_id == external_id and is_ours(hub, one.app):
                return int(one.id)
    return None


def ours_on(hub: Hub, repository: str, head: str) -> list[ExternalId]:
    """Return whose our check runs on a commit are; none where GitHub does not have it."""
    found = []
    try:
        with calls(hub.server, "look for our check runs"):
            for one in hub.repo(repository).get_commit(head).get_check_runs(NAME, filter="all"):
                whose = parse_external_id(one.external_id or "")
                if whose is not None and is_ours(hub, one.app):
                    found.append(whose)
                if len(found) >= MAX_OURS:
                    break
    except NotThere:
        return []
    return found


def is_ours(hub: Hub, app: Any) -> bool:
    """Did our App create it? Only that one can change it; a login is its slug and "[bot]"."""
    if hub.actor is None or app is None:
        return True
    return bool(f"{app.slug}[bot]".lower() == hub.actor.lower())


def progress(hub: Hub, repository: str, check_run: int, title: str, summary: str) -> None:
    """Show how far a review has come; one that is concluded stays concluded."""
    with calls(hub.server, "show the progress"):
        _edit(hub, repository, check_run, {"output": _output(title, summary)})


def conclude(  # noqa: PLR0917
    hub: Hub,
    repository: str,
    check_run: int,
    conclusion: Conclusion,
    title: str,
    summary: str,
    annotations: Sequence[Annotation] = (),
    *,
    buttons: bool = True,
    fixable: bool = False,
) -> None:
    """Complete the check run; to do it again changes nothing and adds no annotation twice.

    `buttons`: below it somebody who may write can ask for more; `fixable`: for the findings to be
    closed, too.
    """
    end: dict[str, Any] = {"status": "completed", "conclusion": conclusion}
    if buttons:
        end["actions"] = [*_BUTTONS, *([_FIX_BUTTON] if fixable else [])]
    output = _output(title, summary)
    try:
        last = _annotate(hub, repository, check_run, output, annotations)
        with calls(hub.server, "complete the check run"):
            _edit(hub, repository, check_run, end | {"output": last})
    except Refused as error:
        if error.status != _UNPROCESSABLE:
            raise
        # Something in it displeases GitHub. A check run that never ends would displease people.
        log.warning("check run refused", extra={"check_run": check_run, "why": error})
        with calls(hub.server, "complete the check run"):
            _edit(hub, repository, check_run, end | {"output": _output(title, _REFUSED)})


def _annotate(
    hub: Hub,
    repository: str,
    check_run: int,
    output: dict[str, Any],
    annotations: Sequence[Annotation],
) -> dict[str, Any]:
    """Send all annotations but the last batch; return the output that carries these."""
    left = list(annotations[:MAX_ANNOTATIONS])
    if left:
        left = left[_annotated(hub, repository, check_run) :]
    while len(left) > ANNOTATIONS_PER_REQUEST:
        batch, left = left[:ANNOTATIONS_PER_REQUEST], left[ANNOTATIONS_PER_REQUEST:]
        with calls(hub.server, "annotate the change"):
            _edit(hub, repository, check_run, {"output": output | {"annotations": _all(batch)}})
    return output | {"annotations": _all(left)} if left else output


def refuse(hub: Hub, repository: str, check_run: int, error: RlmError) -> None:
    """Complete the check run of a review that did not happen, saying why and what to do."""
    problem = error.problem if isinstance(error, TellUser) else str(error)
    hint = error.hint if isinstance(error, TellUser) else ""
    said = [markdown_line(one) for one in (problem, hint) if one]
    title = f"No review: {one_line(problem)}"
    conclude(hub, repository, check_run, "neutral", title, "\n\n".join(said) or title)


def leave(  # noqa: PLR0917
    hub: Hub, repository: str, head: str, number: int, run: str | None, why: str
) -> None:
    """Complete a check run of ours that somebody wants to have run again in vain, saying why.

    That of `run`, or the newest of the pull request. `why` is NOT_OPEN, or NOT_NEWEST with a head.
    What the review said stays, below that line, and how it had ended, where it still shows that.
    """
    with calls(hub.server, "look for our check run"):
        made = hub.repo(repository).get_commit(head).get_check_runs(NAME, filter="all")
        of = [(one, parse_external_id(one.external_id or "")) for one in islice(made, MAX_OURS)]
    ours = [
        one
        for one, meant in of
        if meant is not None and meant.number == number and run in {None, meant.run}
        if meant.run != QUEUE and is_ours(hub, one.app)
    ]
    if not ours:
        return
    one = max(ours, key=lambda each: each.id)
    said = one.output.summary or ""
    said = said[before.end() if (before := _LEFT.match(said)) else 0 :].strip()
    text = f"{why}\n\n{said}" if said else why
    output = _output(one.output.title or NOT_AGAIN_TITLE, text)
    end = {"status": "completed", "conclusion": one.conclusion or "neutral", "output": output}
    with calls(hub.server, "complete the check run"):
        _edit(hub, repository, one.id, end)


def blocking(review: Review, blocks: Severity | None) -> int:
    """Count what blocks a merge: what is at least as bad as `blocks` says.

    A grave claim that nobody could settle does so, too, where that is asked for: a change that has
    talked its readers out of an answer opens no gate.
    """
    if blocks is None:
        return 0
    return sum(severity.at_least(blocks) for severity in review.severities)


def conclusion(review: Review, blocks: Severity | None = None) -> Conclusion:
    """Return what a check run ends with. Findings are advice, but for those that shall block."""
    if blocking(review, blocks):
        return "failure"
    if review.stopped is StopReason.CANCELLED:
        return "cancelled"
    unread = review.coverage.hunks > 0 and review.coverage.reviewed == 0
    if review.findings or review.unsettled or review.status == "partial" or unread:
        return "neutral"
    return "success"


def title(review: Review) -> str:
    """Return the line that stands beside the check run's name."""
    return words.ended_early(review) or words.verdict(review)


def annotations(findings: Sequence[Finding]) -> list[Annotation]:
    """Return those of the findings that are about lines of the head, nits left out."""
    return [
        Annotation(
            path=finding.path,
            start_line=finding.start_line,
            end_line=finding.line,
            level="notice" if finding.severity is Severity.LOW else "warning",
            title=f"{finding.severity.value}: {finding.title}",
            message=_message(finding),
        )
        for finding in findings
        if finding.side == "RIGHT"
        and finding.severity is not Severity.NIT
        and finding.start_line is not None
        and finding.line is not None
    ]


def _message(finding: Finding) -> str:
    others = words.also_at(finding)
    said = [finding.body or finding.title, f"Also at: {', '.join(others)}" if others else ""]
    return "\n\n".join(filter(None, said))


def _edit(hub: Hub, repository: str, check_run: int, changes: Mapping[str, Any]) -> None:
    hub.repo(repository).get_check_run(check_run).edit(**changes)


def conclusion_of(hub: Hub, repository: str, check_run: int) -> str:
    """Return what a check run ended with, "" where it has not ended or is not there any more."""
    try:
        with calls(hub.server, "read the check run"):
            return str(hub.repo(repository).get_check_run(check_run).conclusion or "")
    except NotThere:
        return ""


def _annotated(hub: Hub, repository: str, check_run: int) -> int:
    """Return how many annotations an interrupted attempt has left there."""
    with calls(hub.server, "read the check run"):
        return int(hub.repo(repository).get_check_run(check_run).output.annotations_count or 0)


def _output(title: str, summary: str) -> dict[str, Any]:
    return {
        "title": cut_bytes(masked(one_line(title)), TITLE_BYTES, "…") or NAME,
        "summary": cut_bytes(masked(summary), SUMMARY_BYTES) or NAME,
    }


def _all(annotations: Sequence[Annotation]) -> list[dict[str, str | int]]:
    return [
        {
            "path": one.path,
            "start_line": one.start_line,
            "end_line": one.end_line,
            "annotation_level": one.level,
            "title": cut_bytes(masked(one_line(one.title)), TITLE_BYTES, "…"),
            "message": cut_bytes(masked(visible(one.message)), MESSAGE_BYTES) or NAME,
        }
        for one in annotations
    ]
