"""Blobs in batches: what several threads want at a time comes in one connection.

There are two lanes. Who wants a few blobs, to read them now, does not wait for the thousands that
come in the background: those go in batches of a bounded size, and the lanes do not wait for each
other.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from app.github.cache import Stopped
from app.github.origin import PAUSES_S, Origin, wait
from app.github.transport import Denied, Moved
from reviewer.errors import GiveUp, RetryLater, RlmError
from reviewer.ports import MissingBlob
from reviewer.text import printable

FEW = 500
"""Blobs that are wanted at once to be read at once."""

BATCH = 4_000
"""Blobs in one connection: two to four seconds of the server's time."""

MAX_NAMES = 300_000
"""Of one call. The names alone take 25 MB."""

REFUSED = "the server does not have it any more"


class RemoteBlobs:
    """Brings the blobs of one repository of ours. Thread-safe; `close` ends what is under way."""

    def __init__(
        self, origin: Origin, cancelled: Callable[[], bool], repo: Path | None = None
    ) -> None:
        self._closed = threading.Event()

        def stop() -> bool:
            return self._closed.is_set() or cancelled()

        def fetch(names: Sequence[str]) -> list[str]:
            return _fetched(origin, names, stop, repo)

        self._few, self._many = _Lane(fetch, stop), _Lane(fetch, stop)

    def bring(self, names: Sequence[str]) -> None:
        """Fetch blobs that are not here.

        Raise MissingBlob if some cannot be had, after the others came; Stopped when `cancelled`
        says so or this is closed; GiveUp for more than MAX_NAMES.
        """
        if len(names) > MAX_NAMES:
            raise GiveUp(f"More than {MAX_NAMES:,} files are too many to fetch.")
        (self._few if len(names) <= FEW else self._many).bring(names)

    def close(self) -> None:
        """Stop; whoever waits for blobs is told so."""
        self._closed.set()


class _Lane:
    """Fetches one batch at a time: whoever has the turn takes along what others wait for."""

    def __init__(
        self, fetch: Callable[[Sequence[str]], list[str]], stop: Callable[[], bool]
    ) -> None:
        self._fetch = fetch
        self._stop = stop
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._under_way: frozenset[str] = frozenset()
        self._failed: dict[str, str] = {}

    def bring(self, names: Sequence[str]) -> None:
        self._enqueue(names)
        # The turn is taken at least once: what is under way has come when it is free.
        while True:
            with self._turn:
                batch = self._next(names)
                if not batch:
                    break
                self._try(batch)
            if self._stop():
                break
        self._check(names)

    def _enqueue(self, names: Sequence[str]) -> None:
        with self._guard:
            for name in names:
                if self._failed.get(name) == REFUSED or name in self._under_way:
                    continue
                self._failed.pop(name, None)
                self._waiting[name] = None

    def _next(self, names: Sequence[str]) -> list[str]:
        """Return the next batch of all that is waited for; nothing if that is nothing of ours."""
        with self._guard:
            if self._stop() or self._waiting.keys().isdisjoint(names):
                return []
            batch = list(islice(self._waiting, BATCH))
            for name in batch:
                del self._waiting[name]
            self._under_way = frozenset(batch)
            return batch

    def _try(self, batch: Sequence[str]) -> None:
        why = "the fetch was interrupted"
        failed: Sequence[str] = batch
        try:
            failed, why = self._fetch(batch), REFUSED
        except RlmError as error:
            why = str(error)
        finally:
            with self._guard:
                self._failed.update(dict.fromkeys(failed, why))
                self._under_way = frozenset()

    def _check(self, names: Sequence[str]) -> None:
        with self._guard:
            failed = [(name, self._failed[name]) for name in names if name in self._failed]
            if self._stop():
                for name in names:
                    self._waiting.pop(name, None)
        if self._stop():
            raise Stopped("Stopped while files were fetched")
        if failed:
            name, why = failed[0]
            others = f" and {len(failed) - 1} others" if len(failed) > 1 else ""
            raise MissingBlob(f"{name[:12]}{others} could not be fetched: {printable(why)}")


def _fetched(
    origin: Origin, names: Sequence[str], stop: Callable[[], bool], repo: Path | None
) -> list[str]:
    """Fetch one batch, patiently; return what the server refuses."""
    for pause in (*PAUSES_S, None):
        try:
            return origin.bring(names, stop, repo)
        except Moved as error:
            raise GiveUp("the server does not have some of them any more") from error
        except (RetryLater, Denied):  # another token may do
            if pause is None:
                raise
            wait(pause, stop)
    raise AssertionError("the last attempt returns or raises")
