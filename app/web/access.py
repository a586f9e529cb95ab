"""What a person may read, asked of GitHub with that person's own token, at each view anew.

An answer holds for a minute at the most. Where GitHub cannot be asked nothing is shown.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from app.github.errors import Forbidden, NotThere, calls, misfit
from app.github.urls import Server
from app.web.session import Session

TIMEOUT_S = 5
"""A person waits, and a thread that deliveries need as well."""

FRESH_S = 60.0
REMEMBERED = 5_000

PER_PAGE = 100
MOST_PAGES = 5
"""Of the repositories of an installation that somebody may read; a page says if there are more."""

MOST_INSTALLATIONS = 100


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that somebody may read, as it is called now."""

    id: int
    full_name: str
    private: bool


@dataclass(frozen=True, slots=True)
class Installation:
    """An account on which the App is installed and where somebody may read something."""

    id: int
    account: str


@dataclass(frozen=True, slots=True)
class Readable:
    """The repositories of an installation that somebody may read; `more` exist."""

    repositories: tuple[Repository, ...]
    more: int


class Access:
    """Answers for all people who are logged in. Safe to share between threads.

    A token that was refused raises `BadToken`; a GitHub that cannot be asked, RetryLater.
    """

    def __init__(self, server: Server, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._repositories: _Fresh[Repository | None] = _Fresh(clock)
        self._installations: _Fresh[tuple[Installation, ...]] = _Fresh(clock)
        self._readable: _Fresh[Readable | None] = _Fresh(clock)

    def repository(self, session: Session, number: int) -> Repository | None:
        """Return a repository by its id; None if it is not there, or not for them."""

        def look() -> Repository | None:
            doing = "ask whether the repository may be read"
            try:
                answer = ask(self._server, session.token, doing, f"/repositories/{number:d}")
            except (Forbidden, NotThere):
                return None
            found = self._read(_Repository, answer, doing)
            # By a redirect it could be another one.
            return found.shown() if found.id == number else None

        return self._repositories.get((_digest(session), number), look)

    def installations(self, session: Session) -> tuple[Installation, ...]:
        """Return where the App is installed and they may read something."""

        def look() -> tuple[Installation, ...]:
            doing = "list the installations"
            path = f"/user/installations?per_page={MOST_INSTALLATIONS}"
            found = self._read(_Installations, ask(self._server, session.token, doing, path), doing)
            return tuple(
                Installation(one.id, one.account.login)
                for one in found.installations
                if one.account
            )

        return self._installations.get((_digest(session), 0), look)

    def readable(self, session: Session, installation: int) -> Readable | None:
        """Return what they may read of an installation; None if that is nothing."""

        def look() -> Readable | None:
            doing = "list the repositories of the installation"
            found: list[Repository] = []
            total = 0
            for page in range(1, MOST_PAGES + 1):
                path = (
                    f"/user/installations/{installation:d}/repositories"
                    f"?per_page={PER_PAGE}&page={page}"
                )
                try:
                    answer = ask(self._server, session.token, doing, path)
                except (Forbidden, NotThere):
                    return None
                told = self._read(_Repositories, answer, doing)
                found += [one.shown() for one in told.repositories]
                total = told.total_count
                if len(found) >= total or not told.repositories:
                    break
            return Readable(tuple(found), max(0, total - len(found)))

        return self._readable.get((_digest(session), installation), look)

    def forget(self, session: Session) -> None:
        """Drop what is remembered of somebody who logs out."""
        digest = _digest(session)
        for remembered in (self._repositories, self._installations, self._readable):
            remembered.drop(digest)

    def _read(self, kind: "type[_AnyPart]", answer: Any, doing: str) -> "_AnyPart":
        try:
            return kind.model_validate(answer)
        except ValidationError as error:
            raise misfit(self._server, doing) from error


def ask(server: Server, token: SecretStr, doing: str, path: str) -> Any:
    """Read one address of the API in somebody's name; raise what `app.github.errors` has."""
    # PyGithub takes a second to import: the first who logs in waits for it, and no delivery.
    from github import Auth  # noqa: PLC0415

    from app.github.client import connect, request  # noqa: PLC0415

    client = connect(server, Auth.Token(token.get_secret_value()), timeout_s=TIMEOUT_S)
    try:
        with calls(server, doing):
            return request(client, "GET", path)
    finally:
        client.close()


def _digest(session: Session) -> str:
    """Name a token without having it: what one may read says nothing about another."""
    return hashlib.sha256(session.secret.encode()).hexdigest()


_Value = TypeVar("_Value")


class _Fresh(Generic[_Value]):
    """Answers that were got within the last minute. Two who ask at once may both get their own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], tuple[float, _Value]] = OrderedDict()

    def get(self, key: tuple[str, int], look: Callable[[], _Value]) -> _Value:
        with self._lock:
            kept = self._kept.get(key)
        asked = self._clock()
        if kept is not None and asked < kept[0]:
            return kept[1]
        value = look()
        with self._lock:
            self._kept[key] = (asked + FRESH_S, value)
            self._kept.move_to_end(key)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return value

    def drop(self, digest: str) -> None:
        with self._lock:
            for key in [key for key in self._kept if key[0] == digest]:
                del self._kept[key]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _Repository(_Part):
    id: int
    full_name: str = Field(max_length=300)
    private: bool = True

    def shown(self) -> Repository:
        return Repository(self.id, self.full_name, self.private)


class _Repositories(_Part):
    total_count: int = Field(ge=0)
    repositories: list[_Repository]


class _Account(_Part):
    login: str = Field(default="", max_length=200)


class _Installation(_Part):
    id: int
    account: _Account | None = None


class _Installations(_Part):
    installations: list[_Installation]


_AnyPart = TypeVar("_AnyPart", bound=_Part)
