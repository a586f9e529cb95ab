"""What an App can see, for whoever goes through all of it: installations, repositories, open heads.

What did not change since it was asked last costs nothing of GitHub's rate (a conditional request),
and nobody goes on to the last request: the rest of the rate is for reviews.

Importing PyGithub takes up to a second: import this module when it is needed, not before.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from app.github.auth import AppAuth
from app.github.check_runs import NAME, ExternalId, is_ours, parse_external_id
from app.github.client import Hub, checked_name, is_full_name
from app.github.errors import calls
from app.github.pages import PAGE, User, every, in_pages
from reviewer.errors import RetryLater

_Read = TypeVar("_Read")

MOST_PAGES = 20
"""Of one list: 2,000 installations, or repositories of one."""

MOST_OPEN_PAGES = 3
"""Of the open pull requests of one repository: the 300 in which something happened last."""

MOST_KEPT = 5_000
"""Answers that are remembered, each the size of what we read of it."""

RESERVE = 0.5
"""Of an installation's requests an hour: what is left for reviews, by whatever else is asked."""


class Enough(RetryLater):
    """So much was asked that the rest is for the next round."""


def _full_name(text: str) -> str:
    if not is_full_name(text):
        raise ValueError("not the name of a repository")
    return text


class _Answer(BaseModel):
    """What we read of an answer; the rest of it is ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


_Id = Annotated[int, Field(ge=1, le=2**53)]
_Sha = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]


class Installation(_Answer):
    """Where the App is installed, since when, and what was granted there (name: level)."""

    id: _Id
    created_at: AwareDatetime
    suspended_at: AwareDatetime | None = None
    permissions: dict[str, str] = {}


class Repository(_Answer):
    """A repository that an installation includes."""

    id: _Id
    full_name: Annotated[str, AfterValidator(_full_name)]
    archived: bool = False


class _Head(_Answer):
    sha: _Sha


class OpenPull(_Answer):
    """An open pull request as a list shows it."""

    number: _Id
    draft: bool = False
    user: User | None = None
    head: _Head
    created_at: AwareDatetime
    updated_at: AwareDatetime


class _App(_Answer):
    slug: str = ""


class _CheckRun(_Answer):
    id: _Id
    status: str
    external_id: str | None = None
    started_at: AwareDatetime | None = None
    app: _App | None = None


class _CheckRuns(_Answer):
    check_runs: list[_CheckRun]


class _Repositories(_Answer):
    repositories: list[Repository]


@dataclass(frozen=True, slots=True)
class OurCheck:
    """A check run of ours; `started` is Unix time, 0 where it is not told."""

    id: int
    of: ExternalId
    completed: bool
    started: float


_INSTALLATIONS = TypeAdapter(list[Installation])
_REPOSITORIES = TypeAdapter(_Repositories)
_PULLS = TypeAdapter(list[OpenPull])
_CHECKS = TypeAdapter(_CheckRuns)


class Kept:
    """Answers by their address, for conditional requests: those used last, so many of them."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._answers: OrderedDict[str, tuple[str, Any]] = OrderedDict()

    def etag(self, path: str) -> str:
        """Return the tag of the answer that is kept, "" if none is."""
        return self._answers[path][0] if path in self._answers else ""

    def get(self, path: str) -> Any:
        """Return the answer that is kept."""
        self._answers.move_to_end(path)
        return self._answers[path][1]

    def keep(self, path: str, etag: str, answer: Any) -> None:
        """Keep an answer, if it has a tag."""
        if etag:
            self._answers[path] = etag, answer
            self._answers.move_to_end(path)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)


def installations(auth: AppAuth) -> Iterator[Installation]:
    """Yield where the App is installed and may work, the newest first."""
    doing, path = "list the installations", "/app/installations"
    listed = every(auth, doing, path, _INSTALLATIONS, MOST_PAGES)
    return (one for one in listed if one.suspended_at is None)


@dataclass(slots=True)
class Lister:
    """One installation, gone through with at most `most` requests; then `Enough` is raised.

    `who` names the installation: what one may see is no answer to another.
    """

    hub: Hub
    who: int
    kept: Kept
    most: int
    _asked: int = field(default=0)

    def repositories(self) -> list[Repository]:
        """Return what the installation includes and is not archived."""

        def read(address: str) -> list[Repository]:
            return self._ask("list the repositories", address, _REPOSITORIES).repositories

        listed = in_pages(read, "/installation/repositories", MOST_PAGES)
        return [one for one in listed if not one.archived]

    def open_pulls(self, repository: str) -> list[OpenPull]:
        """Return the open pull requests of a repository, those first that changed last.

        A push to an old one changes it: where there are more than are listed, that one is listed.
        """

        def read(address: str) -> list[OpenPull]:
            return self._ask("list the open pull requests", address, _PULLS)

        path = f"/repos/{checked_name(repository)}/pulls?state=open&sort=updated&direction=desc"
        return list(in_pages(read, path, MOST_OPEN_PAGES))

    def our_checks(self, repository: str, head: str) -> list[OurCheck]:
        """Return our check runs on a commit."""
        # Without "all", GitHub tells the newest run of a name and leaves out those of other pulls.
        path = (
            f"/repos/{checked_name(repository)}/commits/{head}/check-runs"
            f"?check_name={NAME.replace(' ', '%20')}&filter=all&per_page={PAGE}"
        )
        listed = self._ask("look for our check runs", path, _CHECKS).check_runs
        ours = [one for one in listed if one.app and is_ours(self.hub, one.app)]
        meant = ((one, parse_external_id(one.external_id or "")) for one in ours)
        return [
            OurCheck(
                one.id,
                of,
                one.status == "completed",
                one.started_at.timestamp() if one.started_at else 0.0,
            )
            for one, of in meant
            if of is not None
        ]

    def _ask(self, doing: str, path: str, shape: TypeAdapter[_Read]) -> _Read:
        """Make one request, unless it is one too many; what did not change is what it was."""
        if self._asked >= self.most or self._scarce():
            raise Enough("The rest is for the next round", 0.0)
        self._asked += 1
        key = f"{self.who} {path}"
        etag = self.kept.etag(key)
        headers = {"If-None-Match": etag} if etag else None
        requester = self.hub.github.requester
        with calls(self.hub.server, doing):
            told, answer = requester.requestJsonAndCheck("GET", path, headers=headers)
            if answer is None and etag:  # 304: an answer without a body
                return cast(_Read, self.kept.get(key))
            read = shape.validate_python(answer)
        self.kept.keep(key, told.get("etag", ""), read)
        return read

    def _scarce(self) -> bool:
        remaining, limit = self.hub.github.requester.rate_limiting
        return limit > 0 and remaining < limit * RESERVE
