"""The summary of a pull request: one comment of ours in the conversation, edited in place."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.github.client import Hub, checked_name
from app.github.errors import NotThere, Unsure, calls
from app.github.markers import Found, Seal, visible
from app.github.others import Mention, is_member
from app.github.pulls import GHOST

PAGE = 100
MOST_PAGES = 100
"""Ten thousand comments; ours is not looked for behind them."""


@dataclass(frozen=True, slots=True)
class Sticky:
    """Our summary as it stands there."""

    id: int
    url: str
    body: str


def is_ours(hub: Hub, user: object) -> bool:
    """Did our own actor write it? GitHub's logins differ in case only by how they were typed."""
    login = getattr(user, "login", None)
    if hub.actor is None or not isinstance(login, str):
        return False
    return login.lower() == hub.actor.lower()


class _User(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    login: str
    type: str = ""


class _Comment(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: int
    html_url: str
    body: str | None = None
    user: _User | None = None
    author_association: str = ""


_COMMENTS = TypeAdapter(list[_Comment])


def find(hub: Hub, repository: str, number: int, seal: Seal) -> Sticky | None:
    """Return our summary, on whichever page of the conversation it stands; None if there is none.

    A marker without a signature will do: it is our own comment, and a key may have been changed.
    """
    return read(hub, repository, number, seal)[0]


def read(hub: Hub, repository: str, number: int, seal: Seal) -> tuple[Sticky | None, list[Mention]]:
    """Return our summary as `find` does, and what others say in the conversation, in its order.

    What our actor says without a marker is another program's that shares it.
    """
    ours: list[tuple[Sticky, Found]] = []
    others: list[Mention] = []
    for one in _comments(hub, repository, number):
        found = seal.read(one.body or "") if is_ours(hub, one.user) else None
        if found is None:
            others.append(_mention(one))
        elif _is_summary(found):
            ours.append((Sticky(one.id, one.html_url, one.body or ""), found))
    ours.sort(key=lambda pair: not pair[1].signed)
    return (ours[0][0] if ours else None), others


def _comments(hub: Hub, repository: str, number: int) -> Iterator[_Comment]:
    doing = "read the conversation"
    path = f"/repos/{checked_name(repository)}/issues/{number:d}/comments"
    for page in range(1, MOST_PAGES + 1):
        answer = hub.ask(doing, "GET", f"{path}?per_page={PAGE}&page={page}")
        with calls(hub.server, doing):
            comments = _COMMENTS.validate_python(answer)
        yield from comments
        if len(comments) < PAGE:
            return


def _mention(one: _Comment) -> Mention:
    """Return what a comment says. An app has no word here: it may answer the author in his words,
    or repeat his description, which would give him one."""
    return Mention(
        login=one.user.login if one.user else GHOST,
        text=one.body or "",
        url=one.html_url,
        trusted=is_member(one.author_association, one.user.type if one.user else ""),
    )


def _is_summary(found: Found) -> bool:
    return found.marker.kind == "summary"


def put(
    hub: Hub, repository: str, number: int, seal: Seal, body: str, *, there: Sticky | None
) -> Sticky:
    """Let our summary say `body`: `there` is edited if that changes what people see.

    One that was deleted meanwhile is made anew. Raises Unsure only where no comment was made.
    """
    if there is not None:
        if visible(there.body) == visible(body):
            return there
        try:
            with calls(hub.server, "edit the summary"):
                hub.repo(repository).get_issue(number).get_comment(there.id).edit(body)
            return Sticky(there.id, there.url, body)
        except NotThere:
            pass
    try:
        with calls(hub.server, "post the summary"):
            made = hub.repo(repository).get_issue(number).create_comment(body)
            return Sticky(int(made.id), str(made.html_url), body)
    except Unsure:
        if found := find(hub, repository, number, seal):
            return found
        raise
