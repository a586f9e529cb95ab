"""What started a workflow, read from the event that GitHub Actions leaves in a file.

An event is a hint about where to look: of a pull request it says the number and nothing else that
we believe. What a comment says, and who wrote it, is taken from it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from app import strict_json
from app.jobs import Id, Login, cut_comment
from reviewer.errors import TellUser

MAX_EVENT_BYTES = 32_000_000
"""GitHub caps payloads at 25 MB; the runner writes them out with indentation."""

DEPENDABOT = "dependabot[bot]"

PULL_EVENTS = frozenset({"pull_request", "pull_request_target"})


@dataclass(frozen=True, slots=True)
class Look:
    """Look at a pull request: it may want a review. `asked` where a person named the number;
    `pushed` where somebody has pushed to its branch.
    """

    number: int
    asked: bool = False
    pushed: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """Somebody commented on a pull request."""

    number: int
    comment_id: int
    body: str
    author: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to do, and `why` is worth a line in the log."""

    why: str


def read_event(environ: Mapping[str, str], number: str, own_login: str) -> Look | Comment | Nothing:
    """Return what the event asks for; `number` is the input `pull-request`.

    Raises TellUser where the workflow uses an event that names no pull request, or the input for
    one that does: nobody would be asked any more who started it.
    """
    name = environ.get("GITHUB_EVENT_NAME", "")
    if number and name in PULL_EVENTS | {"issue_comment"}:
        raise TellUser(
            f"The event {name} names its pull request itself",
            "Leave the input pull-request away; it is for workflow_dispatch and schedules.",
        )
    if number:
        return Look(_number(number), asked=True)
    if name in PULL_EVENTS:
        pushed = _parsed(_PullPayload, environ)
        if pushed.sender.login == own_login:
            return Nothing(f"{own_login} did this itself: nothing to review.")
        # Which actions there are to see is for `types:` of the workflow to say.
        return Look(pushed.pull_request.number, pushed=pushed.action == "synchronize")
    if name == "issue_comment":
        return _commented(_parsed(_CommentPayload, environ))
    raise TellUser(
        f"The event {name[:100]!a} names no pull request",
        "Run this on pull_request or issue_comment, or give its number as the input pull-request.",
    )


def is_from_outside(environ: Mapping[str, str]) -> bool:
    """Did a fork's pull request start this, or Dependabot's? Then the job may show who it is to
    nobody.
    """
    if environ.get("GITHUB_EVENT_NAME", "") != "pull_request":
        return False
    pull = _parsed(_PullPayload, environ)
    if DEPENDABOT in {pull.sender.login, environ.get("GITHUB_ACTOR", "")}:
        return True
    head, base = pull.pull_request.head, pull.pull_request.base
    return base is not None and head is not None and head.repo != base.repo


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _User(_Part):
    login: Login
    type: str = ""


class _Repository(_Part):
    id: Id


class _End(_Part):
    repo: _Repository | None = None
    """None where the fork was deleted."""


class _Pull(_Part):
    number: Id
    head: _End | None = None
    base: _End | None = None


class _PullPayload(_Part):
    action: str = ""
    pull_request: _Pull
    sender: _User


class _Issue(_Part):
    number: Id
    pull_request: object = None


class _CommentFacts(_Part):
    id: Id
    body: str | None = None
    user: _User | None = None


class _CommentPayload(_Part):
    action: str
    issue: _Issue
    comment: _CommentFacts
    sender: _User


_Payload = TypeVar("_Payload", _PullPayload, _CommentPayload)


def _commented(seen: _CommentPayload) -> Comment | Nothing:
    author = seen.comment.user
    if seen.action != "created":
        return Nothing("A comment counts when it is written, not when it is edited or deleted.")
    if seen.issue.pull_request is None:
        return Nothing("This is a comment on an issue, not on a pull request.")
    if author is None or _is_bot(author) or _is_bot(seen.sender):
        return Nothing("Comments of bots are no commands.")
    if author.login != seen.sender.login:
        return Nothing("Whoever sent the comment did not write it.")
    body = cut_comment(seen.comment.body or "")
    return Comment(seen.issue.number, seen.comment.id, body, author.login)


def _is_bot(user: _User) -> bool:
    return user.type == "Bot" or user.login.endswith("[bot]")


def _number(text: str) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,14}", text) is None:
        raise TellUser(
            f"The input pull-request is not a number: {text[:100]!a}", "Give one such as 12."
        )
    return int(text)


def _parsed(kind: type[_Payload], environ: Mapping[str, str]) -> _Payload:
    path = Path(environ.get("GITHUB_EVENT_PATH", ""))
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_EVENT_BYTES + 1)
        if len(raw) > MAX_EVENT_BYTES:
            raise ValueError(f"it has over {MAX_EVENT_BYTES:,} bytes")
        return kind.model_validate(strict_json.loads(raw))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        why = f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
    except OSError as error:
        why = error.strerror or "no such file"
    except ValueError as error:
        why = str(error)
    raise TellUser(
        f"The event in the file GITHUB_EVENT_PATH cannot be read: {why}",
        "Run this in GitHub Actions, on pull_request or issue_comment.",
    )
