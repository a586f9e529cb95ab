"""The journal: one for all runs of all tenants, in as many processes as there are.

It is a file (`app/journal_file.py`), or lies in the database that servers share
(`app/journal_tables.py`).

One thread of each process writes. What queues up while it writes one transaction goes into the next
one together, so 64 calls do not wait for 64 flushes of the disk, and the event loop for none. The
queue keeps its order: whoever was cancelled while it waited has its settlement written all the
same, before anything that is asked later.

A process that is killed at any point, or a machine that loses power, leaves each call either
settled with its reply kept, or reserved in the amount of its worst case. Only one process at a time
has a run open: what another one still has in flight would look lost here. The lock on a run goes
with its process, however that ends.

Trouble with it takes no review down. A file that is damaged is moved aside (`.broken`) and begun
anew, with what this run has spent carried over. A database that is busy or away is waited for.
Where it cannot be used (a full disk, a folder without write permission, a lock held for too long),
nothing is found, a run without a cap goes on unrecorded, and one with a cap makes no further call:
after a crash its cap could not be kept. A server makes such a run again where the reason passes
(`refused`).
"""

import asyncio
import hashlib
import json
import logging
import math
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.journal_file import (
    BUSY_S,
    ELSEWHERE_S,
    KEPT_S,
    MAX_BYTES,
    USED_S,
    Broken,
    Found,
    JournalFile,
    Whose,
    beside,
    explained,
    is_broken,
    passing,
)
from app.locks import is_at, taken
from reviewer.errors import RetryLater, RlmError, TellUser
from reviewer.model.base import Reply
from reviewer.rlm.budget import Amount, Limit
from reviewer.rlm.journal import Kept, Key, Ledger
from reviewer.rlm.sealed import seal, unseal

if TYPE_CHECKING:
    from app.store.database import Database

log = logging.getLogger(__name__)

FILE = "journal.sqlite"
"""Under RLM_HOME."""

SWEPT_EVERY = 500
"""Settled calls between two looks for what is too old or too much."""

MOST_OWED = 100
"""Settlements that are held until the disk takes them; the rest stay at their worst case."""

LOCK_KEPT_S = 86_400.0

AGAIN_S = 0.5
"""Between two tries to write into a database that is busy or away."""

OTHERS = "another server has taken this run up, or what it is about was uninstalled"

_LOCKS = ".runs"
_RUN_BYTES = 16
_NO_ROW = 0

_Told = TypeVar("_Told")

_TROUBLE = (sqlite3.Error, OSError, Broken, RlmError)
"""What a book can meet: the file the first three, the database the last."""


class Book(Protocol):
    """What the journal is written into, by one thread at a time: a file, or tables of a database.

    All that writes is called within `transaction`, but for `past` and `sweep`.
    """

    @property
    def moved(self) -> bool:
        """Is it no longer the one with its name?"""
        ...

    def close(self) -> None: ...

    def begin_anew(self, why: Exception) -> None:
        """Put a damaged one aside, and open a new one."""
        ...

    def past(self, whose: Whose) -> tuple[Amount, Amount]:
        """Open a run: return what it paid and reserved, and how much of that has no reply."""
        ...

    def reading(self) -> AbstractContextManager[None]: ...

    def transaction(self) -> AbstractContextManager[None]: ...

    def find(self, digest: bytes) -> Found | None: ...

    def reserve(self, whose: Whose, worst: Amount) -> int | None:
        """Write down the worst case of a call; return its row, None if the run is not ours now."""
        ...

    def settle(self, row: int | None, whose: Whose, worst: Amount, cost: Amount) -> int | None:
        """Write down a cost; return its row, None where nothing of this run is kept any more."""
        ...

    def keep(self, row: int, whose: Whose, digest: bytes, sealed: bytes) -> None: ...

    def use(self, row: int) -> None: ...

    def drop(self, row: int) -> None: ...

    def forget(
        self,
        tenant: bytes,
        repositories: Collection[bytes] | None,
        spared: Collection[bytes],
        until: float,
    ) -> None: ...

    def sweep(self, whose: Whose) -> None: ...


class Lock(Protocol):
    """The right to write for a run; it goes with the process at the latest."""

    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Find:
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Reserve:
    entry: int
    worst: Amount


@dataclass(frozen=True, slots=True)
class _Settle:
    entry: int
    worst: Amount
    cost: Amount
    digest: bytes
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class _Release:
    """Nobody made the call that was reserved."""

    entry: int


@dataclass(frozen=True, slots=True)
class _Drop:
    row: int


_Work = _Find | _Reserve | _Settle | _Release | _Drop


@dataclass(slots=True)
class _Job:
    """What the event loop asked the thread for. `future`: who waits for it, if anybody does."""

    work: _Work
    future: "asyncio.Future[Any] | None" = None


class StoredJournal:
    """A Journal (`reviewer.rlm.journal`) that outlives its process, for one run; close it after.

    `where` is a file, or a database that servers share. `run` names the run among those of its
    tenant, and is the same when the run is taken up again; `repository` is what the tenant may take
    out, "" for nothing. Lives on one event loop. Raise RetryLater where another process has the run
    open, or the database is away.
    """

    def __init__(
        self,
        where: "Path | Database",
        run: str,
        caps: Limit,
        tenant: str = "",
        *,
        repository: str = "",
        max_bytes: int = MAX_BYTES,
        kept_s: float = KEPT_S,
        busy_s: float = BUSY_S,
    ) -> None:
        self._name = named(where)
        self._run = run_digest(tenant, run)
        self._lock: Lock | None = None
        whose = Whose(self._run, tenant_digest(tenant), repository_digest(tenant, repository))
        self._writer = _Writer(where, whose, max_bytes=max_bytes, kept_s=kept_s, busy_s=busy_s)
        try:
            self._lock = _locked(where, self._run)
            self._writer.open()
        except RetryLater:
            self._release()
            raise
        except _TROUBLE as error:
            self._writer.fail(error)
        self._ledger = Ledger(caps, self._writer.used)
        self.refused: RlmError | None = None
        """Why a call was not allowed, where that passes by itself: the review that ends early by it
        can be made whole later."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def __enter__(self) -> "StoredJournal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what was asked for and close the file. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
        self._lock = None

    @property
    def lost(self) -> Amount:
        """See `Journal`."""
        return self._writer.lost

    @property
    def paid(self) -> Amount:
        """What the run had settled or lost when it was opened: nothing, where it is new."""
        return self._writer.used

    async def find(self, key: Key) -> Kept | None:
        """See `Journal`."""
        found: Found | None = await self._ask(_Find(key.digest))
        if found is None:
            return None
        opened = unseal(key, found.sealed, found.run)
        if opened is None:
            log.warning("an entry of the journal is damaged: it is dropped")
            self._post(_Drop(found.row))
            return None
        reply, cost = opened
        return Kept(reply, cost, own=found.run == self._run)

    async def reserve(self, key: Key, worst: Amount) -> int:
        """See `Journal`."""
        if not math.isfinite(worst.usd):
            raise ValueError(f"not an amount of dollars: {worst.usd}")
        entry = self._ledger.reserve(worst)
        try:
            why: str = await self._ask(_Reserve(entry, worst))
        except BaseException:
            self._ledger.settle(entry, Amount())
            if not self._closed:
                self._post(_Release(entry))
            raise
        if why == OTHERS:
            self._ledger.settle(entry, Amount())
            raise TellUser(f"The run is not this process's any more: {why}.")
        if why and self._ledger.capped:
            self._ledger.settle(entry, Amount())
            self.refused = self._writer.passing
            raise TellUser(
                f"The journal {self._name} cannot be written: {why}. Without it a cap on what the "
                "run may cost could not be kept after a crash.",
                "Make it writable or set RLM_HOME to a folder with room, or set no cap.",
            )
        return entry

    async def settle(self, entry: int, key: Key, cost: Amount, reply: Reply | None) -> None:
        """See `Journal`."""
        sealed = None if reply is None else self._sealed(key, cost, reply)
        worst = self._ledger.settle(entry, cost)
        await self._ask(_Settle(entry, worst, cost, key.digest, sealed))

    def _sealed(self, key: Key, cost: Amount, reply: Reply) -> bytes | None:
        try:
            return seal(key, reply, cost, self._run)
        except (TypeError, ValueError, RecursionError) as error:
            log.warning("a reply cannot be kept in the journal", extra={"why": error})
            return None

    # Between the event loop and the thread

    async def _ask(self, work: _Work) -> Any:
        """Have the thread do something, and wait for it; who is cancelled only waits no more."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._post(work, future)
        return await future

    def _post(self, work: _Work, future: "asyncio.Future[Any] | None" = None) -> None:
        if self._closed:
            raise ValueError("the journal is closed")
        self._jobs.put(_Job(work, future))

    def _write(self) -> None:
        """The thread: do all that has queued up, together, and tell who waits for it."""
        last = False
        self._tidy(last=False)
        while not last:
            batch = [self._jobs.get()]
            with suppress(queue.Empty):
                while True:
                    batch.append(self._jobs.get_nowait())
            jobs = [job for job in batch if job is not None]
            last = len(jobs) < len(batch)
            answers: Sequence[Any]
            try:
                answers = self._writer.do([job.work for job in jobs])
            except Exception as error:  # a bug: whoever waits must not wait for ever
                answers = [error] * len(jobs)
            _tell(jobs, answers)
            self._tidy(last=last)
        self._writer.close()

    def _tidy(self, *, last: bool) -> None:
        try:
            self._writer.tidy(last=last)
        except Exception:
            log.exception("this is a bug: the journal goes on without tidying up")


class _Writer:
    """What the thread does with the book; it knows the run's open entries by their rows there."""

    def __init__(self, where: "Path | Database", whose: Whose, **bounds: Any) -> None:
        self._where = where
        self._whose = whose
        self._bounds = bounds
        self._book: Book | None = None
        self._why = ""
        self.passing: RlmError | None = None
        """What is waited for until it can be written again, where nobody has to change a thing."""
        self._open: dict[int, tuple[int, Amount]] = {}
        self._owed: list[_Settle] = []
        self._touched: set[int] = set()
        self._settled = SWEPT_EVERY
        self._used_s = min(USED_S, bounds["kept_s"] / 30)
        self.used = Amount()
        """What the run has settled, and what earlier processes of it left reserved."""
        self.lost = Amount()

    def open(self) -> None:
        """Open the book and look up what the run paid before; raise what it meets."""
        self._book = book_at(self._where, **self._bounds)
        try:
            self.used, self.lost = self._book.past(self._whose)
        except sqlite3.DatabaseError as error:
            if not is_broken(error):
                raise
            self._book.begin_anew(error)

    def fail(self, error: Exception) -> None:
        """Use no book from now on."""
        self.close()
        self._complain(error)

    def close(self) -> None:
        """Close the book."""
        if self._book is not None:
            with suppress(sqlite3.Error):
                self._book.close()
        self._book = None

    def do(self, works: Sequence[_Work]) -> list[Any]:
        """Do all in one transaction; return for each what whoever waits for it is told.

        That is what was found, or why a reservation was not written down. A settlement that was
        not is tried again with whatever is written next.
        """
        if all(isinstance(work, _Find) for work in works):
            return self._found(works)
        settled = [work for work in works if isinstance(work, _Settle)]
        try:
            told = self._written([*self._owed, *works])[len(self._owed) :]
        except _TROUBLE as error:
            self._complain(error)
            self._owed = [*self._owed, *settled][-MOST_OWED:]
            return [self._refused(work) for work in works]
        self._owed = []
        self._settled += len(settled)
        if self._book is not None:
            self._why, self.passing = "", None
        return told

    def tidy(self, *, last: bool) -> None:
        """Do what can wait: the rest before the end, and now and then what is too old."""
        if last and (self._owed or self._touched) and self._book is not None:
            try:
                self._written(self._owed)
            except _TROUBLE as error:
                self._complain(error)
        if self._settled >= SWEPT_EVERY:
            self._settled = 0
            self._sweep()

    def _written(self, works: Sequence[_Work]) -> list[Any]:
        """Do all or nothing; begin a damaged file anew and try again, once.

        Where a database's answer to a commit was lost, what is done again may count twice: it is
        on the safe side.
        """
        try:
            return self._patiently(lambda: self._transacted(works))
        except RlmError:
            raise
        except _TROUBLE as error:
            if not self._mended(error):
                raise
        return self._transacted(works)

    def _patiently(self, do: Callable[[], _Told]) -> _Told:
        """Do something, again where the database is busy or away, for as long as others wait."""
        until = time.monotonic() + self._bounds["busy_s"]
        while True:
            try:
                return do()
            except RetryLater:
                if time.monotonic() > until:
                    raise
                time.sleep(AGAIN_S)

    def _transacted(self, works: Sequence[_Work]) -> list[Any]:
        book, whose = self._book, self._whose
        if book is None:
            raise OSError(self._why)
        if book.moved:
            raise OSError("it was moved away")
        rows, used, told = dict(self._open), self.used, []
        with book.transaction():
            for work in works:
                answer: Any = None
                match work:
                    case _Find(digest):
                        answer = self._looked_up(book, digest)
                    case _Reserve(entry, worst):
                        reserved = book.reserve(whose, worst)
                        answer = OTHERS if reserved is None else ""
                        if reserved is not None:
                            rows[entry] = reserved, worst
                    case _Settle(entry, worst, cost, digest, sealed):
                        reserved, _ = rows.pop(entry, (None, worst))
                        row = book.settle(reserved, whose, worst, cost)
                        if row is not None and sealed is not None:
                            book.keep(row, whose, digest, sealed)
                        used += cost
                    case _Release(entry):
                        reserved, worst = rows.pop(entry, (None, Amount()))
                        if reserved is not None:
                            book.settle(reserved, whose, worst, Amount())
                    case _Drop(row):
                        book.drop(row)
                told.append(answer)
            for row in self._touched:
                book.use(row)
        self._open, self.used = rows, used
        self._touched.clear()
        return told

    def _found(self, works: Sequence[_Work]) -> list[Any]:
        """Look up all, in one go."""
        if (book := self._book) is None:
            return [self._owed_reply(work) for work in works]

        def look() -> list[Any]:
            with book.reading():
                return [self._find(work) for work in works]

        try:
            return self._patiently(look)
        except RlmError as error:
            self._complain(error)
            return [self._owed_reply(work) for work in works]

    def _find(self, work: _Work) -> Found | None:
        if (owed := self._owed_reply(work)) is not None or self._book is None:
            return owed
        if not isinstance(work, _Find):
            return None
        try:
            return self._looked_up(self._book, work.digest)
        except (sqlite3.Error, OSError) as error:
            if not self._mended(error):
                self._complain(error)
            return None

    def _owed_reply(self, work: _Work) -> Found | None:
        """Return a reply that could not be written yet."""
        for owed in self._owed:
            if isinstance(work, _Find) and owed.digest == work.digest and owed.sealed is not None:
                return Found(_NO_ROW, owed.sealed, self._whose.run, time.time())
        return None

    def _looked_up(self, book: Book, digest: bytes) -> Found | None:
        found = book.find(digest)
        if found is not None and time.time() - found.used > self._used_s:
            self._touched.add(found.row)
        return found

    def _refused(self, work: _Work) -> Any:
        """Answer without writing."""
        if not isinstance(work, _Find):
            return self._why
        return self._find(work) if isinstance(self._book, JournalFile) else self._owed_reply(work)

    def _mended(self, error: Exception) -> bool:
        """Begin a damaged file anew, with what this run spent and has in flight; False: it stays.

        What was spent is one row there, and has no reply any more.
        """
        if self._book is None or not (is_broken(error) or self._book.moved):
            return False
        self._touched.clear()
        try:
            self._book.begin_anew(error)
            with self._book.transaction():
                if self.used != Amount():
                    self._book.settle(None, self._whose, self.used, self.used)
                carried = {
                    entry: (self._book.reserve(self._whose, worst), worst)
                    for entry, (_, worst) in self._open.items()
                }
        except _TROUBLE as again:
            self.fail(again)
            return False
        self._open = {
            entry: (row, worst) for entry, (row, worst) in carried.items() if row is not None
        }
        return True

    def _sweep(self) -> None:
        if self._book is None:
            return
        try:
            self._book.sweep(self._whose)
        except _TROUBLE as error:
            if not self._mended(error):
                self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Say why the file cannot be used, once for each reason."""
        why = explained(error)
        if why != self._why:
            log.warning("the journal %s cannot be used: %s", named(self._where), why)
        # Without a book it is still for the reason that it could not be opened.
        before = self.passing if self._book is None else None
        self._why, self.passing = why, passing(error) or before


class _RunLock:
    """The right to write for a run. It goes with the process, and its file with `release`."""

    def __init__(self, path: Path, run: bytes) -> None:
        folder = beside(path, _LOCKS)
        for place in (path.parent, folder):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_unused(folder)
        self._path = folder / run.hex()
        while True:
            self._file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            if not taken(self._file):
                os.close(self._file)
                raise RetryLater("Another process is at this run", ELSEWHERE_S)
            if is_at(self._file, self._path):
                return
            os.close(self._file)  # whoever had it before has removed it

    def release(self) -> None:
        """Let another process open the run."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def book_at(where: "Path | Database", **bounds: Any) -> Book:
    """Open the file, or the database's tables."""
    if isinstance(where, Path):
        return JournalFile(where, **bounds)
    from app.journal_tables import JournalTables  # noqa: PLC0415 a terminal has no use for it

    bounds.pop("busy_s", None)
    return JournalTables(where, **bounds)


def _locked(where: "Path | Database", run: bytes) -> Lock:
    """Have a run alone, or raise RetryLater."""
    if isinstance(where, Path):
        return _RunLock(where, run)
    from app.journal_tables import HeldRun  # noqa: PLC0415

    return HeldRun(where, run)


def named(where: "Path | Database") -> str:
    """Return what the journal is called where people read of it."""
    return str(where) if isinstance(where, Path) else f"in {where.name}"


def forget_paid(
    where: "Path | Database",
    tenant: str,
    repositories: Collection[str] | None = None,
    spared: Collection[str] = (),
    until: float = math.inf,
) -> None:
    """Remove from the journal, if there is one, what was paid and answered for repositories of a
    tenant, None: for all of them, but what the runs `spared` brought, and runs that were opened
    later than `until`.

    What an earlier version kept without its repository goes with any of the tenant's. Raise
    RetryLater where that cannot be done now.
    """
    if isinstance(where, Path) and not where.exists():
        return
    of = None
    if repositories is not None:
        of = frozenset(repository_digest(tenant, one) for one in repositories)
    try:
        book = book_at(where)
        try:
            runs = frozenset(run_digest(tenant, run) for run in spared)
            book.forget(tenant_digest(tenant), of, runs, until)
        finally:
            book.close()
    except (sqlite3.Error, OSError, Broken) as error:
        raise RetryLater(f"The journal cannot be written: {explained(error)}", BUSY_S) from error


def run_digest(tenant: str, run: str) -> bytes:
    """Return what a run is called in the journal."""
    return _digest([tenant, run])


def tenant_digest(tenant: str) -> bytes:
    """Return what a tenant is called in the journal."""
    return _digest([tenant])


def repository_digest(tenant: str, repository: str) -> bytes:
    """Return what a repository of a tenant is called in the journal, b"" where it has no name."""
    return _digest([tenant, "repository", repository]) if repository else b""


def _digest(names: list[str]) -> bytes:
    return hashlib.sha256(json.dumps(names).encode()).digest()[:_RUN_BYTES]


def _remove_unused(folder: Path) -> None:
    """Remove the locks of runs whose process was killed, once they are old."""
    for path in folder.iterdir():
        with suppress(OSError):
            if time.time() - path.stat().st_mtime < LOCK_KEPT_S:
                continue
            lock = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                if taken(lock):
                    path.unlink()
            finally:
                os.close(lock)


def _tell(jobs: Sequence[_Job], answers: Sequence[Any]) -> None:
    """Give each event loop the answers that it waits for, all at once: each time wakes it up."""
    waiting: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for job, answer in zip(jobs, answers, strict=True):
        if job.future is not None:
            waiting.setdefault(job.future.get_loop(), []).append((job.future, answer))
    for loop, answered in waiting.items():
        with suppress(RuntimeError):  # it is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve, answered)


def _resolve(answered: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, answer in answered:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
