"""Where a fetched pull request came from: more of it comes from there, blobs and history."""

import threading
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from app.github.cache import Say, history_place, locked, make_room, place, remove
from app.github.fetch_process import End, Task, work
from app.github.names import listed
from app.github.transport import Denied, Unreached
from app.github.wanted import Wanted
from reviewer.errors import RlmError

Lend = Callable[[], SecretStr | None]
"""Gives a token that may read, None where none is needed. An engine borrows it over a socket."""

LENT_S = 240.0
"""How long a token is used before another one is asked for: what is lent has five minutes left."""

PAUSES_S = (1.0, 4.0)
"""Before another try, where a connection to the server was cut."""

BATCH_LIMIT_S = 120.0
HISTORY_LIMIT_S = 300.0


def wait(seconds: float, stop: Callable[[], bool]) -> None:
    """Sleep, but not on when `stop` says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop():
        time.sleep(0.1)


def silent(_: str) -> None:
    """Say nothing."""


class _Loan:
    """A token that was lent, until another one is asked for. Thread-safe."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._until = 0.0

    def token(self) -> SecretStr | None:
        with self._lock:
            if time.monotonic() > self._until:
                self._token = self._lend()
                self._until = time.monotonic() + LENT_S
            return self._token

    def end(self) -> None:
        with self._lock:
            self._until = 0.0


class Origin:
    """The server's repository that `wanted` is of, its start known. Thread-safe."""

    def __init__(self, wanted: Wanted, home: Path, lend: Lend) -> None:
        self.wanted = wanted
        self._home = home
        self._loan = _Loan(lend)

    @property
    def repo(self) -> Path:
        """The bare repository with the files of both ends."""
        return place(self._home, self.wanted)

    def started(self, start: str) -> "Origin":
        """Return this with the merge base that was found out, and the same token."""
        found = copy(self)
        found.wanted = replace(self.wanted, start=start)
        return found

    def token(self) -> SecretStr | None:
        """Return a token that is valid still, borrowed if need be."""
        return self._loan.token()

    def bring(
        self,
        names: Sequence[str],
        cancelled: Callable[[], bool],
        repo: Path | None = None,
    ) -> list[str]:
        """Fetch the blobs that are not here, in one connection; return those that were refused.

        Raise RetryLater, TellUser, GiveUp, or Stopped within a second of `cancelled`.
        """
        repo = repo or self.repo
        with locked(repo, silent, cancelled, shared=True), listed(names) as file:
            end = work(
                "blobs",
                self.wanted,
                repo,
                self.token(),
                say=silent,
                cancelled=cancelled,
                limit_s=BATCH_LIMIT_S,
                names=file,
            )
        if end.error is not None:
            raise self._refused(end.error)
        return list(end.result["refused"])

    def bring_history(self, cancelled: Callable[[], bool]) -> Path:
        """Fetch the commits before the start, without files; return the repository they are in."""
        repo = history_place(self._home, self.wanted)
        self.sound(repo, "history", silent, cancelled, HISTORY_LIMIT_S)
        return repo

    def sound(
        self,
        repo: Path,
        task: Task,
        say: Say,
        cancelled: Callable[[], bool],
        limit_s: float,
        *,
        of: Callable[[], Wanted] | None = None,
    ) -> dict[str, object]:
        """Do a task that leaves a repository whole. `of` gives what it is done of, this by itself:
        it is asked while the process that does it starts, and each time.

        It is done over again where git finds the repository damaged, and where a connection is cut.
        """
        deadline = time.monotonic() + limit_s

        def attempt() -> End:
            left = deadline - time.monotonic()
            token = self.token()
            return work(
                task,
                self.wanted,
                repo,
                token,
                say=say,
                cancelled=cancelled,
                limit_s=left,
                of=of,
            )

        with locked(repo, say, cancelled):
            end = attempt()
            if end.damaged:
                name = self.wanted.repository
                say(f"what was fetched of {name} before is damaged: fetching it anew")
                remove(repo)
                end = attempt()
            for pause in PAUSES_S:
                if not isinstance(end.error, Unreached) or time.monotonic() + pause > deadline:
                    break
                say(f"{self.wanted.server.host} was not reached by git: trying again")
                wait(pause, cancelled)
                end = attempt()
            if end.error is not None:
                raise self._refused(end.error)
        make_room(self._home)
        return dict(end.result)

    def _refused(self, error: RlmError) -> RlmError:
        if isinstance(error, Denied):
            self._loan.end()
        return error
