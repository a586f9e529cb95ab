"""Lists of GitHub that come in pages, and who wrote what stands in them.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.github.client import Hub, checked_name
from app.github.errors import calls
from app.github.urls import Server

PAGE = 100
"""The most that GitHub answers at once."""

MOST_COMMENT_PAGES = 100
"""Ten thousand comments of a conversation; ours is not looked for behind them."""

_Item = TypeVar("_Item")


class Asks(Protocol):
    """Whoever asks a GitHub: as one actor, or as the App itself."""

    @property
    def server(self) -> Server: ...

    def ask(self, doing: str, verb: str, path: str) -> Any: ...


class User(BaseModel):
    """Who wrote something; `type` is "Bot" for an app."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    login: str
    type: str = ""


class Comment(BaseModel):
    """What we read of a comment in a conversation."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    id: Annotated[int, Field(ge=1, le=2**53)]
    html_url: str
    body: str | None = None
    user: User | None = None
    author_association: str = ""
    created_at: datetime
    updated_at: datetime


_COMMENTS = TypeAdapter(list[Comment])


def every(
    hub: Asks, doing: str, path: str, shape: TypeAdapter[list[_Item]], most: int
) -> Iterator[_Item]:
    """Yield what a list at `path` of the REST API holds, in its order, of at most so many pages.

    A page is asked for when it is needed.
    """

    def read(address: str) -> list[_Item]:
        answer = hub.ask(doing, "GET", address)
        with calls(hub.server, doing):
            return shape.validate_python(answer)

    return in_pages(read, path, most)


def in_pages(read: Callable[[str], Sequence[_Item]], path: str, most: int) -> Iterator[_Item]:
    """Yield as `every` does what `read` finds in the page at an address."""
    mark = "&" if "?" in path else "?"
    for page in range(1, most + 1):
        found = read(f"{path}{mark}per_page={PAGE}&page={page}")
        yield from found
        if len(found) < PAGE:
            return


def conversation(hub: Hub, doing: str, repository: str, number: int) -> Iterator[Comment]:
    """Yield the comments of a pull request's conversation, the oldest first."""
    path = f"/repos/{checked_name(repository)}/issues/{number:d}/comments"
    return every(hub, doing, path, _COMMENTS, MOST_COMMENT_PAGES)
