"""What a person may read, asked of GitHub with that person's own token, at each view anew.

A view is one look, so who may not read any more sees nothing on the very next one. What did not
change GitHub need not send again, which costs nothing of its rate. Where it cannot be asked nothing
is shown.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from app.github.errors import Forbidden, NotThere, calls, misfit
from app.github.urls import Server
from app.web.session import Session

TIMEOUT_S = 5
"""A person waits, and a thread that deliveries need as well."""

REMEMBERED = 2_000
"""Answers that are kept to ask whether they still hold, of all people together."""

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

    def __init__(self, server: Server) -> None:
        self._server = server
        self._kept = _Kept()

    def repository(self, session: Session, number: int) -> Repository | None:
        """Return a repository by its id; None if it is not there, or not for them."""
        doing = "ask whether the repository may be read"
        try:
            found = self._read(session, _Repository, doing, f"/repositories/{number:d}")
        except (Forbidden, NotThere):
            return None
        # By a redirect it could be another one.
        return found.shown() if found.id == number else None

    def installations(self, session: Session) -> tuple[Installation, ...]:
        """Return where the App is installed and they may read something."""
        path = f"/user/installations?per_page={MOST_INSTALLATIONS}"
        found = self._read(session, _Installations, "list the installations", path)
        return tuple(
            Installation(one.id, one.account.login) for one in found.installations if one.account
        )

    def readable(self, session: Session, installation: int) -> Readable | None:
        """Return what they may read of an installation; None if that is nothing."""
        doing = "list the repositories of the installation"
        found: list[Repository] = []
        total = 0
        for page in range(1, MOST_PAGES + 1):
            path = (
                f"/user/installations/{installation:d}/repositories?per_page={PER_PAGE}&page={page}"
            )
            try:
                told = self._read(session, _Repositories, doing, path)
            except (Forbidden, NotThere):
                return None
            found += [one.shown() for one in told.repositories]
            total = told.total_count
            if len(found) >= total or not told.repositories:
                break
        return Readable(tuple(found), max(0, total - len(found)))

    def forget(self, session: Session) -> None:
        """Drop what is kept of somebody who logs out."""
        self._kept.drop(_digest(session))

    def _read(self, session: Session, kind: "type[_AnyPart]", doing: str, path: str) -> "_AnyPart":
        """Ask GitHub now; what it says is still the same is what it was."""
        key = (_digest(session), path)
        etag, kept = self._kept.get(key)
        answer, tag = asked(self._server, session.token, doing, path, etag)
        if answer is None and isinstance(kept, kind):
            return kept
        try:
            found = kind.model_validate(answer)
        except ValidationError as error:
            raise misfit(self._server, doing) from error
        self._kept.keep(key, tag, found)
        return found


def ask(server: Server, token: SecretStr, doing: str, path: str) -> Any:
    """Read one address of the API in somebody's name; raise what `app.github.errors` has."""
    return asked(server, token, doing, path)[0]


def asked(
    server: Server, token: SecretStr, doing: str, path: str, etag: str = ""
) -> tuple[Any, str]:
    """Do so; return the answer with its tag. None: it is what had the tag `etag`."""
    # PyGithub takes a second to import: the first who logs in waits for it, and no delivery.
    from github import Auth  # noqa: PLC0415

    from app.github.client import connect  # noqa: PLC0415

    client = connect(server, Auth.Token(token.get_secret_value()), timeout_s=TIMEOUT_S)
    headers = {"If-None-Match": etag} if etag else None
    try:
        with calls(server, doing):
            told, answer = client.requester.requestJsonAndCheck("GET", path, headers=headers)
            return answer, told.get("etag", "")
    finally:
        client.close()


def _digest(session: Session) -> str:
    """Name a token without having it: what one may read says nothing about another."""
    return hashlib.sha256(session.secret.encode()).hexdigest()


class _Kept:
    """What GitHub answered to each token, with the tag by which it can be asked whether it is still
    so. It is never told without asking.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, str], tuple[str, _Part]] = OrderedDict()

    def get(self, key: tuple[str, str]) -> "tuple[str, _Part | None]":
        with self._lock:
            return self._answers.get(key, ("", None))

    def keep(self, key: tuple[str, str], etag: str, answer: "_Part") -> None:
        with self._lock:
            self._answers.pop(key, None)
            if etag:
                self._answers[key] = etag, answer
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

    def drop(self, digest: str) -> None:
        with self._lock:
            for key in [key for key in self._answers if key[0] == digest]:
                del self._answers[key]


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
