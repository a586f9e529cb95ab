"""Does what we want to say stand there already? Asked before a write, and after a lost answer."""

from pydantic import BaseModel, ConfigDict, TypeAdapter

from app.github.client import Hub
from app.github.markers import Marker, Seal
from app.github.pages import User, every

MOST_PAGES = 100


class _Comment(BaseModel):
    """What we read of a comment, in whichever list."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    body: str | None = None
    user: User | None = None


_COMMENTS = TypeAdapter(list[_Comment])


def stands(hub: Hub, path: str, marker: Marker, seal: Seal) -> bool:
    """Is there a comment of our actor with this marker in the list at `path` of the REST API?"""
    ours = (hub.actor or "").lower()
    return any(
        one.user is not None
        and one.user.login.lower() == ours
        and (found := seal.read(one.body or "")) is not None
        and found.marker == marker
        for one in every(hub, "look for our answer", path, _COMMENTS, MOST_PAGES)
    )
