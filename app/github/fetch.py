"""Fetching a pull request's two ends into a bare repository of our own: their trees, and the files
that differ. What else is needed comes in batches (`app.github.blobs`), when somebody says so.

Where the two parted the API knows at once, and git only after a look at the history; so the API is
asked, by whoever fetches and with the same token that reads. GitPython fetches, in a process of its
own (`app.github.fetch_process`).
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.github.cache import Say, Stopped, is_known, place
from app.github.origin import Lend, Origin, silent
from app.github.transport import Moved
from app.github.urls import PullRequestUrl
from app.github.wanted import Wanted
from app.settings import Settings
from reviewer.diff import Start, unrelated
from reviewer.errors import RetryLater
from reviewer.request import Promise

if TYPE_CHECKING:
    from app.github.pulls import Pull

__all__ = ["Checkout", "Fetched", "Say", "Stopped", "Wanted", "checkout", "fetch_pull"]

LIMIT_S = 1_800.0
"""For all of it; a connection that delivers next to nothing is given up much earlier."""

READS = 3
"""How often a pull request that is pushed to while we fetch is read again."""

PAUSE_S = 2.0
"""The API is sometimes a second ahead of git: what the reference shows catches up."""


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Checkout:
    """Two commits on this disk: the trees of `head` and of `start`, and the files that differ.

    `current`: the pull request still ended at `head` when it was fetched.
    """

    origin: Origin
    start: Start
    current: bool

    @property
    def repo(self) -> Path:
        """The bare repository."""
        return self.origin.repo

    @property
    def base(self) -> str:
        """The base, which is not in the repository."""
        return self.origin.wanted.base

    @property
    def head(self) -> str:
        """The head."""
        return self.origin.wanted.head


@dataclass(frozen=True, slots=True)
class Fetched:
    """A pull request as the API showed it, on this disk, and what it promises."""

    pull: "Pull"
    checkout: Checkout
    promise: Promise


def fetch_pull(url: PullRequestUrl, settings: Settings, say: Say) -> Fetched:
    """Read a pull request and fetch its commits; raise TellUser or RetryLater."""
    from app.github.promises import read_promise  # noqa: PLC0415 loads PyGithub
    from app.github.pulls import read_pull  # noqa: PLC0415

    server = settings.server(url.web)
    token = settings.token_for(server)
    for left in reversed(range(READS)):
        pull = read_pull(url, server, token)
        try:
            done = checkout(Wanted.of(pull, server), lambda: token, settings.home, say)
        except Moved:
            if not left:
                break
        else:
            if done.current or not left:
                return Fetched(pull, done, read_promise(pull, server, token))
        time.sleep(PAUSE_S)
    raise RetryLater("The pull request is being pushed to faster than it can be fetched", 60)


def checkout(
    wanted: Wanted,
    lend: Lend,
    home: Path,
    say: Say = silent,
    cancelled: Callable[[], bool] = _never,
    *,
    limit_s: float = LIMIT_S,
) -> Checkout:
    """Have both ends of a pull request here, and the files that differ between them.

    A head that the pull request has left behind is fetched all the same, for as long as the server
    has it. `lend` gives a token that reads, now and whenever more is brought. Raise RetryLater,
    TellUser, or Stopped within a second of `cancelled`.
    """
    origin = Origin(wanted, home, lend)
    repo = origin.repo
    if wanted.start or is_known(place(home, wanted), wanted):
        found = origin.sound(repo, "pull", say, cancelled, limit_s)
    else:
        with ThreadPoolExecutor(1, thread_name_prefix="compare") as beside:
            started = beside.submit(_started, origin)  # while the process that fetches starts
            found = origin.sound(repo, "pull", say, cancelled, limit_s, of=started.result)
    start = Start(str(found["start"]))
    if found["is_unrelated"]:
        start = unrelated(wanted.base, wanted.head)
    return Checkout(origin.started(start.commit), start, bool(found["current"]))


def _started(origin: Origin) -> Wanted:
    """Return what is wanted with the start that the API says, without one where it says nothing."""
    from app.github.compare import merge_base  # noqa: PLC0415 loads PyGithub

    return replace(origin.wanted, start=merge_base(origin.wanted, origin.token()) or "")
