"""The summary of a pull request: one comment of ours in the conversation, edited in place."""

from dataclasses import dataclass

from app.github.client import Hub
from app.github.errors import NotThere, Unsure, calls
from app.github.markers import Found, Seal, visible


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
    with calls(hub.server, "read the conversation"):
        comments = [
            Sticky(int(one.id), str(one.html_url), one.body or "")
            for one in hub.repo(repository).get_issue(number).get_comments()
            if is_ours(hub, one.user)
        ]
    marked = [(comment, seal.read(comment.body)) for comment in comments]
    ours = [(comment, found) for comment, found in marked if _is_summary(found)]
    ours.sort(key=lambda pair: not (pair[1] and pair[1].signed))
    return ours[0][0] if ours else None


def _is_summary(found: Found | None) -> bool:
    return found is not None and found.marker.kind == "summary"


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
