"""What shall be fetched: checked by whoever asks for it, and again by the process that fetches."""

import re
from dataclasses import dataclass
from typing import Protocol, Self

from app.github.urls import Server, parse_server
from reviewer.errors import GiveUp

MAX_NUMBER = 10**10

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


class _Pull(Protocol):
    """What is read of an `app.github.pulls.Pull`, whose module loads PyGithub."""

    @property
    def repository(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def base(self) -> str: ...
    @property
    def head(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Two commits of one pull request, by full SHA; `repository` is OWNER/NAME of its base.

    `start` is their merge base, "" where nobody has said it: it is looked for in the history then.

    Raises GiveUp for anything that git could take for an option, a path or another protocol.
    """

    server: Server
    repository: str
    number: int
    base: str
    head: str
    start: str = ""

    def __post_init__(self) -> None:
        try:
            known = parse_server(self.server.web) == self.server.web
        except ValueError:
            known = False
        if not (
            known
            and _FULL_NAME.fullmatch(self.repository)
            and type(self.number) is int
            and 0 < self.number < MAX_NUMBER
            and _SHA.fullmatch(self.base)
            and _SHA.fullmatch(self.head)
            and (not self.start or _SHA.fullmatch(self.start))
        ):
            raise GiveUp(f"These are not two commits of a pull request: {str(self)[:500]!a}")

    @classmethod
    def of(cls, pull: _Pull, server: Server) -> Self:
        """Want both ends of a pull request as the API gave it."""
        return cls(server, pull.repository, pull.number, pull.base, pull.head)

    @property
    def url(self) -> str:
        """Where git finds both commits: the base repository, whosever the branch is."""
        return f"{self.server.web}/{self.repository}.git"

    @property
    def refs(self) -> str:
        """The folder of our references to this pull request, in the repository of ours."""
        return f"refs/rlm/pull/{self.number}"

    @property
    def start_ref(self) -> str:
        """Our reference to the merge base of this very pair of commits, once it is known."""
        return f"{self.refs}/start/{self.base}-{self.head}"

    @property
    def unrelated_ref(self) -> str:
        """Our reference to the base, once it is known that the two have no common ancestor."""
        return f"{self.refs}/unrelated/{self.base}-{self.head}"

    def __str__(self) -> str:
        return f"{self.repository}#{self.number} {self.base}...{self.head} at {self.server.web}"
