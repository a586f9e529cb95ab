"""The threads at lines of a pull request: reading and answering them (`closing.py` closes them).

They are threads in GraphQL alone; in REST they are comments that name another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.github.client import Hub, Reaction, checked_name
from app.github.errors import Unsure, calls
from app.github.markers import Marker, Seal
from app.github.stands import stands
from app.render.outgoing import sayable
from reviewer.finding import Side

PAGE = 50
MOST_PAGES = 20
MOST_THREADS = PAGE * MOST_PAGES
"""A thousand threads; what is behind them is not looked at."""

MOST_REPLIES = 50
"""Of one thread, the last ones."""

_READ = """
query (
  $owner: String!, $name: String!, $number: Int!, $after: String, $page: Int!, $replies: Int!
) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: $page, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved isOutdated subjectType path line startLine diffSide startDiffSide
          first: comments(first: 1) { nodes { ...shown ...weighed } }
          last: comments(last: $replies) { nodes { ...shown } }
        }
      }
    }
  }
}
fragment weighed on PullRequestReviewComment {
  reactions(first: 50, content: THUMBS_DOWN) { nodes { user { login } } }
}
fragment shown on PullRequestReviewComment {
  id fullDatabaseId body url isMinimized author { login __typename }
}
"""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Author(_Part):
    login: str
    kind: str = Field(alias="__typename")


class _Comment(_Part):
    """`fullDatabaseId` is a number as text: `databaseId` ends where 32 bits do, comments do not."""

    id: str
    number: int = Field(alias="fullDatabaseId")
    body: str
    url: str
    folded: bool = Field(alias="isMinimized")
    author: _Author | None = None


class _User(_Part):
    login: str


class _Reaction(_Part):
    user: _User | None = None


class _Reactions(_Part):
    nodes: list[_Reaction] = []


class _First(_Comment):
    reactions: _Reactions = _Reactions()


class _Firsts(_Part):
    nodes: list[_First]


class _Comments(_Part):
    nodes: list[_Comment]


class _Thread(_Part):
    id: str
    resolved: bool = Field(alias="isResolved")
    outdated: bool = Field(alias="isOutdated")
    path: str
    line: int | None
    start_line: int | None = Field(alias="startLine")
    side: Side = Field(alias="diffSide")
    start_side: Side | None = Field(alias="startDiffSide")
    subject: Literal["LINE", "FILE"] = Field(alias="subjectType")
    first: _Firsts
    last: _Comments


class _PageInfo(_Part):
    more: bool = Field(alias="hasNextPage")
    cursor: str | None = Field(alias="endCursor")


class _Threads(_Part):
    page: _PageInfo = Field(alias="pageInfo")
    nodes: Annotated[list[_Thread], Field(max_length=PAGE)]

    @field_validator("nodes", mode="before")
    @classmethod
    def _there(cls, nodes: Any) -> Any:
        return [node for node in nodes if node is not None] if isinstance(nodes, list) else nodes


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of a thread. `number` is REST's name for it, `id` GraphQL's."""

    number: int
    id: str
    login: str
    is_bot: bool
    body: str
    url: str
    folded: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread: its first comment and the last answers to it.

    `line` is None where it is outdated, and where the thread is about the `whole_file`;
    `start_line` is a line of the same side, not after `line`, or None. `against` are the people
    whose thumbs point down at the first comment.
    """

    id: str
    path: str
    side: Side
    start_line: int | None
    line: int | None
    resolved: bool
    outdated: bool
    first: Comment
    replies: tuple[Comment, ...]
    against: tuple[str, ...] = ()
    whole_file: bool = False


def threads(hub: Hub, repository: str, number: int) -> Iterator[Thread]:
    """Yield the threads of a pull request, the oldest first."""
    owner, _, name = checked_name(repository).partition("/")
    variables: dict[str, Any] = {
        "owner": owner,
        "name": name,
        "number": number,
        "page": PAGE,
        "replies": MOST_REPLIES,
        "after": None,
    }
    doing = "read the threads"
    for _ in range(MOST_PAGES):
        answer = hub.query(doing, _READ, variables)
        with calls(hub.server, doing):
            found = _Threads.model_validate(answer["repository"]["pullRequest"]["reviewThreads"])
        yield from (_thread(one) for one in found.nodes if one.first.nodes)
        if not found.page.more:
            return
        variables["after"] = found.page.cursor


def thread_of(hub: Hub, repository: str, number: int, comment: int) -> Thread | None:
    """Return the thread that begins with a comment, by the comment's number."""
    return next(
        (one for one in threads(hub, repository, number) if one.first.number == comment), None
    )


def is_begun_by_us(hub: Hub, repository: str, comment: int) -> bool:
    """Did our actor write the comment that a thread begins with? Of most threads that is all we
    need to know."""
    path = f"/repos/{checked_name(repository)}/pulls/comments/{comment:d}"
    found = hub.ask("read a comment", "GET", path)
    user = found.get("user") if isinstance(found, dict) else None
    login = user.get("login") if isinstance(user, dict) else None
    return str(login or "").lower() == (hub.actor or "").lower()


def answer(  # noqa: PLR0917
    hub: Hub,
    repository: str,
    number: int,
    thread: int,
    text: str,
    about: str,
    key: bytes | None,
    *,
    repository_id: int = 0,
) -> None:
    """Answer in the thread that begins with a comment, unless our answer stands there already.

    `text` is Markdown of our own; `about` names what is answered, in at most 100 characters.
    `repository_id` is for markers that are read with those of findings.
    """
    seal = Seal(key, repository_id, number)
    marker = Marker(kind="reply", run=about)
    path = f"/repos/{checked_name(repository)}/pulls/{number:d}/comments"
    newest_first = f"{path}?sort=created&direction=desc"
    if stands(hub, newest_first, marker, seal):
        return
    body = {"body": sayable(text) + seal.write(marker)}
    try:
        hub.ask("answer in a thread", "POST", f"{path}/{thread:d}/replies", body)
    except Unsure:
        if not stands(hub, newest_first, marker, seal):
            raise


def react(hub: Hub, repository: str, comment: int, content: Reaction) -> None:
    """React to a comment of a thread; to do it again changes nothing."""
    path = f"/repos/{checked_name(repository)}/pulls/comments/{comment:d}/reactions"
    hub.ask("react to the comment", "POST", path, {"content": content})


def _thread(one: _Thread) -> Thread:
    first = one.first.nodes[0]
    return Thread(
        one.id,
        one.path,
        one.side,
        _start(one),
        one.line,
        one.resolved,
        one.outdated,
        _comment(first),
        tuple(_comment(reply) for reply in one.last.nodes if reply.number != first.number),
        tuple(each.user.login for each in first.reactions.nodes if each.user),
        one.subject == "FILE",
    )


def _start(one: _Thread) -> int | None:
    """Return where the lines begin; of those that begin on the other side, none is of this one."""
    if one.start_line is None or one.line is None or one.start_side not in {None, one.side}:
        return None
    return one.start_line if one.start_line <= one.line else None


def _comment(one: _Comment) -> Comment:
    author = one.author
    login = author.login if author else "ghost"
    is_bot = author is not None and author.kind == "Bot"
    # GraphQL leaves "[bot]" out, which REST writes.
    return Comment(
        one.number,
        one.id,
        f"{login}[bot]" if is_bot and not login.endswith("[bot]") else login,
        is_bot,
        one.body,
        one.url,
        one.folded,
    )
