"""One comment of ours about one thing: made once, edited in place, found again by its marker.

It may be a plan that people start by a reaction: so who reacted can be read, and whether somebody
has edited it since.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.github.client import Hub, checked_name
from app.github.errors import NotThere, Unsure, calls
from app.github.markers import Marker, Seal, visible
from app.github.pages import PAGE, Comment, User, conversation, every
from app.render.outgoing import masked

STARTS = frozenset({"+1", "rocket", "hooray"})
"""Reactions that start a plan."""

MOST_REACTIONS = 300
"""That are looked at: who starts a plan is among the first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A comment of ours as it stands there; `digest` is of what people see of it.

    `since` is from when on it says that, by GitHub's clock, to the second.
    """

    id: int
    digest: str
    since: float


@dataclass(frozen=True, slots=True)
class Ours:
    """A comment of ours with its marker; `signed`: nobody else can have made that.

    `since` is when it was made and `changed` when it was last edited, by GitHub's clock, to the
    second; `edited`: not made with this text.
    """

    id: int
    body: str
    marker: Marker
    signed: bool
    since: float
    edited: bool
    changed: float


class _Reaction(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int
    content: str
    user: User | None = None
    created_at: datetime


_REACTIONS = TypeAdapter(list[_Reaction])


def put(  # noqa: PLR0917
    hub: Hub,
    repository: str,
    number: int,
    text: str,
    about: str,
    key: bytes | None,
    known: int = 0,
    hidden: str = "",
) -> Standing:
    """Let our comment about something say `text`, which is Markdown of our own; return it.

    `known` is its number, where that is known: it is looked for otherwise. One that was deleted is
    made anew. `hidden` goes below the text, as it is.
    """
    seal = Seal(key, 0, number)
    marker = Marker(kind="reply", run=about)
    body = masked(text) + hidden + seal.write(marker)
    there = _at(hub, repository, known) if known else None
    if there is None:
        there = _find(hub, repository, number, marker, seal)
    if there is not None:
        if visible(there.body or "") == visible(body):
            return _standing(there)
        try:
            path = f"{_comments(repository)}/{there.id:d}"
            return _made(hub, "edit our comment", "PATCH", path, body)
        except NotThere:
            pass
    path = f"/repos/{checked_name(repository)}/issues/{number:d}/comments"
    try:
        return _made(hub, "comment on the pull request", "POST", path, body)
    except Unsure:
        if found := _find(hub, repository, number, marker, seal):
            return _standing(found)
        raise


def standing(hub: Hub, repository: str, comment: int) -> Standing | None:
    """Return a comment as it stands there now, None if it was deleted."""
    found = _at(hub, repository, comment)
    return None if found is None else _standing(found)


def ours(hub: Hub, repository: str, number: int, seal: Seal) -> Iterator[Ours]:
    """Yield our comments in the conversation that have a marker, the oldest first."""
    for one in _every(hub, repository, number):
        login = one.user.login.lower() if one.user else ""
        found = seal.read(one.body or "") if login == (hub.actor or "").lower() else None
        if found is not None:
            edited = one.updated_at != one.created_at
            since, changed = one.created_at.timestamp(), one.updated_at.timestamp()
            yield Ours(one.id, one.body or "", found.marker, found.signed, since, edited, changed)


def edit(hub: Hub, repository: str, comment: int, body: str) -> None:
    """Let a comment of ours say this, marker and all, where it is still there."""
    with suppress(NotThere):
        path = f"{_comments(repository)}/{comment:d}"
        hub.ask("edit our comment", "PATCH", path, {"body": body})


def starters(hub: Hub, repository: str, comment: int, since: float) -> dict[str, int]:
    """Return who reacted to a comment of ours as one does to start a plan, the first first, each
    with the number of their last such reaction.

    Only what came later than `since`, from when on the plan stands there by GitHub's clock: who
    reacted before, or in that very second, has seen another text. Raise NotThere where the comment
    is gone.
    """
    doing = "read the reactions"
    found: dict[str, int] = {}
    ours = (hub.actor or "").lower()
    path = f"{_comments(repository)}/{comment:d}/reactions"
    for one in every(hub, doing, path, _REACTIONS, MOST_REACTIONS // PAGE):
        if one.content not in STARTS or one.created_at.timestamp() <= since:
            continue
        if one.user is not None and one.user.type != "Bot" and one.user.login.lower() != ours:
            found[one.user.login] = one.id
    return found


def _comments(repository: str) -> str:
    return f"/repos/{checked_name(repository)}/issues/comments"


def _made(hub: Hub, doing: str, verb: str, path: str, body: str) -> Standing:
    answer = hub.ask(doing, verb, path, {"body": body})
    with calls(hub.server, doing):
        return _standing(Comment.model_validate(answer))


def _at(hub: Hub, repository: str, comment: int) -> Comment | None:
    doing = "read our comment"
    try:
        answer = hub.ask(doing, "GET", f"{_comments(repository)}/{comment:d}")
    except NotThere:
        return None
    with calls(hub.server, doing):
        return Comment.model_validate(answer)


def _find(hub: Hub, repository: str, number: int, marker: Marker, seal: Seal) -> Comment | None:
    actor = (hub.actor or "").lower()
    for one in _every(hub, repository, number):
        login = one.user.login.lower() if one.user else ""
        found = seal.read(one.body or "") if login == actor else None
        if found is not None and found.marker == marker:
            return one
    return None


def _every(hub: Hub, repository: str, number: int) -> Iterator[Comment]:
    return conversation(hub, "look for our comment", repository, number)


def _standing(comment: Comment) -> Standing:
    seen = visible(comment.body or "").encode("utf-8", "backslashreplace")
    digest = hashlib.sha256(seen).hexdigest()
    return Standing(comment.id, digest, comment.updated_at.timestamp())
