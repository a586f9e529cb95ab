"""Fetching a pull request's two commits into a bare repository of our own, whole and no more.

History comes in growing steps until the merge base is certain. Blobs come with their commits:
whoever reads later never waits for the network, and cannot be made to ask for it.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.github.pulls import Pull, read_pull
from app.github.transport import LOCAL_TIMEOUT_S, NETWORK_TIMEOUT_S, environment, explain, run
from app.github.urls import PullRequestUrl, Server
from app.settings import Settings
from reviewer.errors import GiveUp, RetryLater, RlmError, TellUser

FIRST_DEPTH = 50
DEEPER = (150, 600, 2_400)
"""Each step makes the history four times as long; after the last one it is fetched whole."""

READS = 3
"""How often a pull request that is pushed to while we fetch is read again."""

PAUSE_S = 2.0
"""The API is sometimes a second ahead of git: what the reference shows catches up."""

LOCK_WAIT_S = 600.0

Say = Callable[[str], None]
"""Tells the user what is going on, in a line."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A pull request on this disk: a bare repository that holds both commits and their base."""

    pull: Pull
    repo: Path


def fetch_pull(url: PullRequestUrl, settings: Settings, say: Say) -> Fetched:
    """Read a pull request and fetch its commits; raise TellUser or RetryLater."""
    server = settings.server(url.web)
    token = settings.token_for(server)
    for attempt in range(READS):
        if attempt:
            time.sleep(PAUSE_S)
        pull = read_pull(url, server, token)
        clone = _Clone(pull, server, token is not None, _place(settings.home, server, pull), {})
        with _locked(clone.path, say):
            empty = clone.path.with_suffix(".home")
            empty.mkdir(exist_ok=True, mode=0o700)
            clone.env.update(environment(server, token, empty))
            clone.make()
            if clone.bring(say):
                return Fetched(pull, clone.path)
    raise RetryLater("The pull request is being pushed to faster than it can be fetched", 60)


def _place(home: Path, server: Server, pull: Pull) -> Path:
    owner, _, name = pull.repository.partition("/")
    return home / "cache" / "repos" / server.host.replace(":", "_") / owner / f"{name}.git"


@dataclass(frozen=True)
class _Clone:
    """The bare repository at `path`, where `pull` shall be."""

    pull: Pull
    server: Server
    with_token: bool
    path: Path
    env: dict[str, str]

    @property
    def head_ref(self) -> str:
        return f"refs/rlm/pull/{self.pull.url.number}/head"

    @property
    def base_ref(self) -> str:
        return f"refs/rlm/pull/{self.pull.url.number}/base"

    def make(self) -> None:
        """Create the repository, or complete one whose creation was interrupted."""
        # The lock is ours: a lock file of git's own was left by a process that was killed.
        for stale in (*self.path.rglob("*.lock"), *self.path.glob("objects/pack/tmp_*")):
            stale.unlink(missing_ok=True)
        code, _, err = run(
            ["init", "--quiet", "--bare", "--template=", "--", str(self.path)], self.env
        )
        if code:
            raise self._failure(err)

    def bring(self, say: Say) -> bool:
        """Fetch until the merge base is certain; False if the head is not what the API said."""
        if not self._has_both():
            say(f"fetching {self.pull.repository}#{self.pull.url.number} from {self.server.host}")
            known = any(self.path.glob("objects/pack/*.pack"))
            # A depth would cut what an earlier run made deeper and another may be reading now.
            self._fetch(*([] if known else [f"--depth={FIRST_DEPTH}"]))
        if not self._has_both():
            return False
        for more in DEEPER:
            if self._certain():
                return True
            say(f"fetching {more} more commits: the branch point lies further back")
            self._fetch(f"--deepen={more}")
        if not self._certain():
            say("fetching the whole history: the branch point lies very far back")
            self._fetch("--unshallow")
        return self._has_both()

    def _has_both(self) -> bool:
        return (
            self._commit(self.head_ref) == self.pull.head
            and self._commit(self.base_ref) == self.pull.base
        )

    def _commit(self, ref: str) -> str:
        code, out, _ = self._git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
        return out.strip() if code == 0 else ""

    def _fetch(self, *depth: str) -> None:
        code, _, err = self._git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--no-write-fetch-head",
            *depth,
            "--end-of-options",
            f"{self.server.web}/{self.pull.repository}.git",
            f"+refs/pull/{self.pull.url.number}/head:{self.head_ref}",
            f"+{self.pull.base}:{self.base_ref}",
            timeout_s=NETWORK_TIMEOUT_S,
        )
        if code:
            raise self._failure(err)

    def _certain(self) -> bool:
        """Is the merge base that git finds here the one that the whole history would give?

        A cut history can hold an old common ancestor and miss the newest one. It is certain when
        neither side, down to what was found, reaches a commit whose parents were cut off.
        """
        shallow = self.path / "shallow"
        cut = set(shallow.read_text().split()) if shallow.exists() else set()
        if not cut:
            return True
        code, out, err = self._git("merge-base", "--all", self.base_ref, self.head_ref)
        if code not in {0, 1}:
            raise GiveUp(f"git merge-base failed: {err.strip()}")
        bases = out.split()
        if not bases:
            return False
        code, out, err = self._git("rev-list", self.base_ref, self.head_ref, "--not", *bases)
        if code:
            raise GiveUp(f"git rev-list failed: {err.strip()}")
        return cut.isdisjoint(out.split())

    def _failure(self, complaint: str) -> RlmError:
        return explain(complaint, self.server, with_token=self.with_token, folder=self.path.parent)

    def _git(self, *arguments: str, timeout_s: float = LOCAL_TIMEOUT_S) -> tuple[int, str, str]:
        return run([f"--git-dir={self.path}", *arguments], self.env, timeout_s)


@contextmanager
def _locked(repo: Path, say: Say) -> Iterator[None]:
    """Hold the lock that stands beside a repository, its folder made if it is missing."""
    try:
        repo.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(repo.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise TellUser(
            f"{repo.parent} cannot be written: {error.strerror}",
            "Set RLM_HOME to a folder of yours with room in it.",
        ) from error
    try:
        _wait_for(lock, say)
        yield
    finally:
        os.close(lock)


def _wait_for(lock: int, say: Say) -> None:
    """Take the lock, waiting for another run that is fetching the same repository."""
    end = time.monotonic() + LOCK_WAIT_S
    told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise RetryLater(
                    "Another run has been fetching this repository too long"
                ) from error
            if not told:
                say("waiting for another run that fetches the same repository")
                told = True
            time.sleep(0.2)
        else:
            return
