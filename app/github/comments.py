"""One comment of a conversation, read from the REST API: what it says, and who wrote it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from app.github.client import Hub, checked_name
from app.github.errors import NotThere, calls
from app.github.pages import User
from app.jobs import Command, cut_comment


@dataclass(frozen=True, slots=True)
class Said:
    """What a person has said; a long comment is cut after a whole line. `at` is when it was
    written, by GitHub's clock, to the second.
    """

    body: str
    author: str
    at: float


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    body: str | None = None
    user: User | None = None
    issue_url: str
    created_at: datetime


class _Dated(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    at: datetime = Field(validation_alias=AliasChoices("created_at", "submitted_at"))


def comment_at(hub: Hub, repository: str, number: int, comment: int) -> Said | None:
    """Return a comment below a pull request (or issue) that a person wrote; None for any other."""
    doing = "read the comment"
    try:
        path = f"/repos/{checked_name(repository)}/issues/comments/{comment:d}"
        answer = hub.ask(doing, "GET", path)
    except NotThere:
        return None
    with calls(hub.server, doing):
        read = _Answer.model_validate(answer)
    # Numbers of comments are GitHub's, not the repository's: it may stand anywhere in it.
    if not read.issue_url.endswith(f"/issues/{number}"):
        return None
    if read.user is None or read.user.type == "Bot":
        return None
    return Said(cut_comment(read.body or ""), read.user.login, read.created_at.timestamp())


def written_at(hub: Hub, command: Command) -> float:
    """Return when a command was given, by GitHub's clock, to the second.

    Raise NotThere where its comment is gone.
    """
    doing = "read when the comment was written"
    if command.in_review:
        path = f"pulls/{command.number:d}/reviews/{command.comment_id:d}"
    else:
        path = f"{'pulls' if command.thread else 'issues'}/comments/{command.comment_id:d}"
    answer = hub.ask(doing, "GET", f"/repos/{checked_name(command.repository)}/{path}")
    with calls(hub.server, doing):
        return _Dated.model_validate(answer).at.timestamp()
