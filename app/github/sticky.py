"""The summary of a pull request: one comment of ours in the conversation, edited in place."""

from dataclasses import dataclass

from app.github.client import Hub
from app.github.errors import NotThere, Unsure, calls
from app.github.markers import Found, Seal, visible
from app.github.others import Mention, Weight
from app.github.pages import Comment, conversation
from app.github.pulls import GHOST


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
    for one in conversation(hub, "read the conversation", repository, number):
        found = seal.read(one.body or "") if is_ours(hub, one.user) else None
        if found is None:
            others.append(_mention(one))
        elif _is_summary(found):
            ours.append((Sticky(one.id, one.html_url, one.body or ""), found))
    ours.sort(key=lambda pair: not pair[1].signed)
    return (ours[0][0] if ours else None), others


def _mention(one: Comment) -> Mention:
    """Return what a comment says. An app has no word here: it may answer the author in his words,
    or repeat his description, which would give him one."""
    login, kind = (one.user.login, one.user.type) if one.user else (GHOST, "")
    weight = Weight.of(login, one.author_association, kind)
    return Mention(
        login=login,
        text=one.body or "",
        url=one.html_url,
        weight=weight if weight is Weight.MEMBER else Weight.NONE,
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
