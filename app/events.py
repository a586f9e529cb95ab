"""What a webhook asks for: the name of an event and its payload in, a job or a reason out.

Pure. A payload is a hint about where to look, so only what says where is read and checked; new
fields, events and actions appear without notice and are no error.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from app.check_names import FIX, FULL, REVIEW_LABEL
from app.commands import parse_commands
from app.jobs import (
    Command,
    FullName,
    Gone,
    Id,
    Look,
    Pressed,
    Queued,
    Reply,
    Rerun,
    Sha,
    cut_comment,
)

MAX_BODY_BYTES = 25 * 1024 * 1024
"""GitHub: "payloads are capped at 25 MB"; a larger event is not delivered at all."""

EVENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
DELIVERY_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

MAX_NUMBERS = 100
"""Pull requests that a check run names; GitHub lists a handful."""

_SHOWN_CHARS = 100


@dataclass(frozen=True, slots=True)
class Ignored:
    """There is nothing to do; `why` is a sentence."""

    why: str


@dataclass(frozen=True, slots=True)
class Bad:
    """It is an event that we act on, without what such an event has; `why` names the fields."""

    why: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a payload says it is about, for the log alone: unchecked, but bounded."""

    action: str = ""
    repository: str = ""
    number: int | None = None
    installation: int | None = None
    repository_id: int | None = None


Job = Look | Command | Reply | Rerun | Pressed | Queued | Gone
Read = Job | Ignored | Bad


def read_event(event: str, payload: Mapping[str, object], event_id: str) -> Read:
    """Return the job that an event asks for, or why there is none.

    `event_id` names the event by its content: the same when it is delivered again.
    """
    if event not in _READERS:
        return Ignored(f"The event {event} is not acted upon.")
    action = payload.get("action")
    if not isinstance(action, str):
        return Bad("action: it is missing.")
    if action not in _ACTIONS[event]:
        return Ignored(f"{event} {action[:_SHOWN_CHARS]!a} is not acted upon.")
    if payload.get("installation") is None:
        return Ignored("It names no installation: it comes from a webhook that is not the App's.")
    try:
        return _READERS[event](payload, event_id)
    except ValidationError as error:
        return Bad(_where(error))


def subject_of(payload: Mapping[str, object]) -> Subject:
    """Return what the log says about a payload, whatever its shape."""
    action = payload.get("action")
    repository = _inner(payload, "repository").get("full_name")
    for place in (payload, _inner(payload, "pull_request"), _inner(payload, "issue")):
        number = place.get("number")
        if type(number) is int:
            break
    return Subject(
        action[:_SHOWN_CHARS] if isinstance(action, str) else "",
        repository[:_SHOWN_CHARS] if isinstance(repository, str) else "",
        number if type(number) is int else None,
        _number_of(payload, "installation"),
        _number_of(payload, "repository"),
    )


def _number_of(payload: Mapping[str, object], name: str) -> int | None:
    number = _inner(payload, name).get("id")
    return number if type(number) is int else None


def _inner(payload: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def _where(error: ValidationError) -> str:
    """Name the fields that are wrong, without their values."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    places = [".".join(str(part) for part in problem["loc"]) for problem in problems]
    return f"{places[0]}: {problems[0]['msg']}"[:300] + (" …" if len(places) > 1 else "")


# Payloads, as far as we read them


def _no_path(full_name: str) -> str:
    """Refuse names that GitHub does not give and that mean something else in an address."""
    if full_name.endswith((".git", "/.", "/..")):
        raise ValueError("no repository is named like this")
    return full_name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Numbered(_Part):
    id: Id


class _Repository(_Part):
    id: Id
    full_name: Annotated[FullName, AfterValidator(_no_path)]


class _Account(_Part):
    login: Annotated[str, Field(max_length=200)]
    type: Annotated[str, Field(max_length=100)]


class _Event(_Part):
    """What every event that we act on has."""

    installation: _Numbered
    repository: _Repository

    def place(self) -> dict[str, object]:
        """Return the fields that every job has."""
        return {
            "installation": self.installation.id,
            "repository_id": self.repository.id,
            "repository": self.repository.full_name,
        }


class _PullRequest(_Part):
    number: Id
    draft: bool = False


class _Label(_Part):
    name: str


class _PullRequestEvent(_Event):
    action: Literal[
        "opened",
        "reopened",
        "ready_for_review",
        "converted_to_draft",
        "closed",
        "synchronize",
        "edited",
        "labeled",
        "review_requested",
    ]
    pull_request: _PullRequest
    changes: dict[str, object] = {}
    label: _Label | None = None
    requested_reviewer: _Account | None = None
    """None where a team was asked."""
    sender: _Account | None = None


class _Issue(_Part):
    number: Id
    pull_request: dict[str, object] | None = None
    """Present on pull requests alone."""


class _Comment(_Part):
    id: Id
    body: str | None = None
    user: _Account


class _CommentEvent(_Event):
    issue: _Issue
    comment: _Comment
    sender: _Account


class _LineComment(_Comment):
    in_reply_to_id: Id | None = None


class _LineCommentEvent(_Event):
    pull_request: _PullRequest
    comment: _LineComment
    sender: _Account


class _Review(_Comment):
    """What somebody says about all of a change; empty where it holds comments at lines alone."""


class _ReviewEvent(_Event):
    pull_request: _PullRequest
    review: _Review
    sender: _Account


class _Base(_Part):
    repo: _Numbered


class _Listed(_Part):
    """A pull request as a check run lists it: of this repository, or of another with the branch."""

    number: Id
    base: _Base


class _Check(_Part):
    head_sha: Sha
    external_id: str | None = None
    pull_requests: list[_Listed] = []


class _Button(_Part):
    identifier: str


class _CheckRunEvent(_Event):
    check_run: _Check
    requested_action: _Button | None = None
    sender: _Account | None = None


class _Suite(_Check):
    head_branch: Annotated[str, Field(max_length=1_000)] | None = None


class _CheckSuiteEvent(_Event):
    check_suite: _Suite


class _MergeGroup(_Part):
    head_sha: Sha
    head_ref: Annotated[str, Field(max_length=1_000)]


class _MergeGroupEvent(_Event):
    merge_group: _MergeGroup


# Events that we act on

_TRIGGERS = {
    "opened": "opened",
    "reopened": "reopened",
    "ready_for_review": "ready",
    "converted_to_draft": "drafted",
    "closed": "closed",
    "synchronize": "pushed",
    "edited": "retargeted",
    "labeled": "labelled",
    "review_requested": "requested",
}


_ABOUT_DRAFTS = frozenset({"ready_for_review", "converted_to_draft", "closed"})
"""What is looked at though the payload says that it is a draft: it may have just become none, or
what was begun before has to end."""


def _pull_request(payload: Mapping[str, object], _event_id: str) -> Read:
    event = _PullRequestEvent.model_validate(payload)
    if why := _not_ours(event):
        return Ignored(why)
    trigger = _TRIGGERS[event.action]
    asked = event.requested_reviewer
    look = Look.model_validate(
        {
            **event.place(),
            "number": event.pull_request.number,
            "trigger": trigger,
            "reviewer": asked.login if asked and event.action == "review_requested" else None,
            "by_bot": event.sender is not None and event.sender.type == "Bot",
        }
    )
    if event.pull_request.draft and not look.is_asked and event.action not in _ABOUT_DRAFTS:
        return Ignored("It is a draft: it is reviewed when it is ready, or on `/rlm review`.")
    return look


def _not_ours(event: _PullRequestEvent) -> str:
    """Say why a change of a pull request is nothing to us; "" if it is something."""
    if event.action == "edited" and "base" not in event.changes:
        return "Its title or description was edited, and its base was not."
    if event.action == "labeled" and (event.label is None or event.label.name != REVIEW_LABEL):
        return "Another label was added."
    if event.action == "review_requested":
        asked = event.requested_reviewer
        if asked is None or asked.type != "Bot":
            return "Somebody else was asked for a review."
    return ""


def _issue_comment(payload: Mapping[str, object], _event_id: str) -> Read:
    event = _CommentEvent.model_validate(payload)
    if event.issue.pull_request is None:
        return Ignored("It is a comment on an issue, not on a pull request.")
    return _commanded(event, event.issue.number, event.comment, event.sender, 0)


def _line_comment(payload: Mapping[str, object], _event_id: str) -> Read:
    event = _LineCommentEvent.model_validate(payload)
    thread = event.comment.in_reply_to_id or event.comment.id
    number = event.pull_request.number
    read = _commanded(event, number, event.comment, event.sender, thread)
    body = cut_comment(event.comment.body or "").strip()
    if read != NO_COMMAND or event.comment.in_reply_to_id is None or not body:
        return read
    return Reply.model_validate(
        {
            **event.place(),
            "number": number,
            "comment_id": event.comment.id,
            "thread": thread,
            "body": body,
            "sender": event.sender.login,
        }
    )


def _review(payload: Mapping[str, object], _event_id: str) -> Read:
    event = _ReviewEvent.model_validate(payload)
    number = event.pull_request.number
    read = _commanded(event, number, event.review, event.sender, 0)
    return read.model_copy(update={"in_review": True}) if isinstance(read, Command) else read


NO_COMMAND = Ignored("It holds no command.")


def _commanded(
    event: _Event, number: int, comment: _Comment, sender: _Account, thread: int
) -> Read:
    if "Bot" in {sender.type, comment.user.type}:
        return Ignored("A bot wrote it: bots, this one among them, give no commands.")
    if sender.login != comment.user.login:
        return Ignored("Whoever sent it did not write it.")
    body = cut_comment(comment.body or "")
    if not parse_commands(body):
        return NO_COMMAND
    return Command.model_validate(
        {
            **event.place(),
            "number": number,
            "comment_id": comment.id,
            "thread": thread,
            "body": body,
            "sender": sender.login,
        }
    )


def _check_run(payload: Mapping[str, object], event_id: str) -> Read:
    event = _CheckRunEvent.model_validate(payload)
    button = event.requested_action
    if button is not None and button.identifier == FIX:
        return _pressed(event, event_id)
    full = button is not None and button.identifier == FULL
    return _rerun(event, event.check_run, event.check_run.external_id or "", event_id, full=full)


def _pressed(event: _CheckRunEvent, event_id: str) -> Read:
    """Read a button that costs money and writes: who pressed it has to be known."""
    if event.sender is None:
        return Bad("sender: it is missing.")
    if event.sender.type == "Bot":
        return Ignored("A bot pressed it: bots give no commands.")
    return Pressed.model_validate(
        {
            **event.place(),
            "head": event.check_run.head_sha,
            "external_id": event.check_run.external_id or "",
            "event_id": event_id,
            "sender": event.sender.login,
        }
    )


def _check_suite(payload: Mapping[str, object], event_id: str) -> Read:
    event = _CheckSuiteEvent.model_validate(payload)
    suite = event.check_suite
    queue = _QUEUE_REF.fullmatch(f"refs/heads/{suite.head_branch or ''}")
    if queue is not None:  # the commit of a queue belongs to no pull request, and waits now
        return Queued.model_validate(
            {**event.place(), "head": suite.head_sha, "number": int(queue[1])}
        )
    return _rerun(event, suite, "", event_id)


def _rerun(
    event: _Event, check: _Check, external_id: str, event_id: str, *, full: bool = False
) -> Rerun:
    here = [pull.number for pull in check.pull_requests if pull.base.repo.id == event.repository.id]
    return Rerun.model_validate(
        {
            **event.place(),
            "head": check.head_sha,
            "external_id": external_id,
            "numbers": tuple(dict.fromkeys(here))[:MAX_NUMBERS],
            "event_id": event_id,
            "full": full,
        }
    )


_QUEUE_REF = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-([1-9][0-9]{0,9})-[0-9a-f]{40,64}")


def _merge_group(payload: Mapping[str, object], _event_id: str) -> Read:
    event = _MergeGroupEvent.model_validate(payload)
    # The event names no pull request; the name of the queue's branch does, the last of a group.
    found = _QUEUE_REF.fullmatch(event.merge_group.head_ref)
    if found is None:
        return Bad("merge_group.head_ref: it names no pull request.")
    return Queued.model_validate(
        {**event.place(), "head": event.merge_group.head_sha, "number": int(found[1])}
    )


class _Installed(_Part):
    id: Id
    full_name: Annotated[FullName, AfterValidator(_no_path)]


class _InstallationEvent(_Part):
    """What is about an installation as a whole; it names no one repository."""

    installation: _Numbered
    repositories_removed: list[_Installed] = []


def _installation(payload: Mapping[str, object], _event_id: str) -> Read:
    event = _InstallationEvent.model_validate(payload)
    return Gone(installation=event.installation.id)


def _repositories(payload: Mapping[str, object], _event_id: str) -> Read:
    event = _InstallationEvent.model_validate(payload)
    gone = {one.id: one.full_name for one in event.repositories_removed}
    if not gone:
        return Ignored("No repository was taken out of the installation.")
    return Gone(installation=event.installation.id, repositories=gone)


_READERS: dict[str, Callable[[Mapping[str, object], str], Read]] = {
    "pull_request": _pull_request,
    "issue_comment": _issue_comment,
    "pull_request_review_comment": _line_comment,
    "pull_request_review": _review,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "merge_group": _merge_group,
    "installation": _installation,
    "installation_repositories": _repositories,
}

_ACTIONS: dict[str, frozenset[str]] = {
    "pull_request": frozenset(_TRIGGERS),
    "issue_comment": frozenset({"created"}),
    "pull_request_review_comment": frozenset({"created"}),
    "pull_request_review": frozenset({"submitted"}),
    "check_run": frozenset({"rerequested", "requested_action"}),
    "check_suite": frozenset({"rerequested"}),
    "merge_group": frozenset({"checks_requested"}),
    "installation": frozenset({"deleted"}),
    "installation_repositories": frozenset({"removed"}),
}

ACTED_ON = frozenset(_READERS)
"""The names of the events that can lead to work."""


def may_lead_to_work(event: str, action: str | None) -> bool:
    """Is an event acted upon? Where its action is not known, it may be."""
    return event in ACTED_ON and (action is None or action in _ACTIONS[event])
