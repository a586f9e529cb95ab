"""The file of the journal: sealed replies, and what each run reserved and paid, in SQLite.

Three tables. `ledger` has a row for each call that was made, with its worst case and, once it is
known, its cost. `replies` has the sealed reply of a row, found by the digest of its request.
`purses` has a row for each run that was opened: of one whose purse is gone, because what it is
about was forgotten, nothing is written any more. A run stands in them as a digest of its name, and
so do its tenant and its repository, so the file names nobody and quotes nothing.

Every transaction reaches the disk before it counts as written (synchronous=FULL): a reservation
that a power cut takes back would be a call that nobody remembers. With NORMAL a call costs 0.07 ms
of CPU in place of 0.08 where 64 are in flight, and 0.2 in place of 0.5 where there is one: not
worth it beside seconds of waiting for a model.
"""

import logging
import os
import sqlite3
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from app.clock import believed_in
from app.locks import taken
from reviewer.errors import FULL, NoRoom, RetryLater, RlmError
from reviewer.rlm.budget import Amount

log = logging.getLogger(__name__)

APPLICATION = 0x726C6D6A
SCHEMA_VERSION = 3
"""A file of another version or another program is moved aside, and a new one begun."""

BUSY_S = 20.0
"""How long a writer waits for other processes; a transaction here takes milliseconds."""

KEPT_S = 30 * 86_400.0
"""A reply that was not used for so long goes: a pull request is pushed to or forgotten by then."""

LEDGER_S = 90 * 86_400.0
"""What a run paid is needed for as long as the run may be taken up again."""

MAX_BYTES = 2 << 30
"""Some 400,000 replies; beyond it those that were used least recently go."""

ELSEWHERE_S = 30.0
"""After so long a run that another process has open is tried again."""

USED_S = 86_400.0
"""How exactly it is known when a reply was used: a read that writes costs a flush."""

SWEPT_AT_ONCE = 500
SWEEPS = 20
_SHRUNK = 0.9
_FREED_PAGES = 4_096
_WAL_BYTES = 16 << 20
_POLL_S = 0.01
_MOST = 1 << 53
_ALL_PAGES = (1 << 31) - 1

_TENANT = "tenant BLOB NOT NULL DEFAULT x''"
_REPOSITORY = "repository BLOB NOT NULL DEFAULT x''"
_BY_TENANT = "CREATE INDEX replies_by_tenant ON replies (tenant, run)"
_PURSES = (
    "CREATE TABLE purses (run BLOB PRIMARY KEY, tenant BLOB NOT NULL, repository BLOB NOT NULL, "
    "since REAL NOT NULL) WITHOUT ROWID",
    "CREATE INDEX purses_by_age ON purses (since)",
)
_SCHEMA = (
    "CREATE TABLE ledger (entry INTEGER PRIMARY KEY AUTOINCREMENT, run BLOB NOT NULL, "
    "worst_usd REAL NOT NULL, worst_tokens INTEGER NOT NULL, worst_calls INTEGER NOT NULL, "
    f"usd REAL, tokens INTEGER, calls INTEGER, at REAL NOT NULL, {_TENANT}, {_REPOSITORY})",
    "CREATE INDEX ledger_by_run ON ledger (run)",
    "CREATE TABLE replies (entry INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, "
    f"run BLOB NOT NULL, sealed BLOB NOT NULL, used REAL NOT NULL, {_TENANT}, {_REPOSITORY})",
    "CREATE INDEX replies_by_use ON replies (used)",
    _BY_TENANT,
    *_PURSES,
)
_FROM_SECOND = (
    f"ALTER TABLE ledger ADD COLUMN {_REPOSITORY}",
    f"ALTER TABLE replies ADD COLUMN {_REPOSITORY}",
    *_PURSES,
)
"""What was kept by version 2 has no repository: it goes with any of its tenant's, or with age."""

_FROM_FIRST = (
    f"ALTER TABLE ledger ADD COLUMN {_TENANT}",
    f"ALTER TABLE replies ADD COLUMN {_TENANT}",
    _BY_TENANT,
    *_FROM_SECOND,
)
"""What was kept by version 1 has no tenant either: it goes with anybody's, or with age."""

_NOTHING: tuple[int, int, tuple[str, ...]] = (0, 0, ())
_SECOND = tuple(one.replace(f", {_REPOSITORY}", "") for one in _SCHEMA if one not in _PURSES)
_FIRST = tuple(one.replace(f", {_TENANT}", "") for one in _SECOND if one != _BY_TENANT)
_OURS = (APPLICATION, SCHEMA_VERSION, tuple(sorted(_SCHEMA)))
_TO_OURS = {
    _NOTHING: _SCHEMA,
    (APPLICATION, 1, tuple(sorted(_FIRST))): _FROM_FIRST,
    (APPLICATION, 2, tuple(sorted(_SECOND))): _FROM_SECOND,
    _OURS: (),
}
"""What makes a file one of this version, by what it is now."""

_SUMS = (
    "SELECT total(coalesce(usd, worst_usd)), coalesce(sum(coalesce(tokens, worst_tokens)), 0), "
    "coalesce(sum(coalesce(calls, worst_calls)), 0) FROM ledger WHERE run = ?"
)
_LOST = _SUMS + (  # noqa: S608 - our own words
    " AND NOT EXISTS (SELECT 1 FROM replies WHERE replies.entry = ledger.entry)"
)


@dataclass(frozen=True, slots=True)
class Whose:
    """A run, its tenant and its repository, as the journal calls them: digests of their names.

    `repository` is b"" where nobody has to know it.
    """

    run: bytes
    tenant: bytes
    repository: bytes = b""


@dataclass(frozen=True, slots=True)
class Found:
    """A sealed reply as it was kept: nothing of it was checked yet."""

    row: int
    sealed: object
    run: object
    used: float


@dataclass(frozen=True, slots=True)
class Size:
    """How many replies there are, and how many bytes the files have."""

    replies: int
    bytes: int


class Broken(Exception):
    """The file is no journal, or not this version's."""


class JournalFile:
    """The file, opened; for one thread at a time. Errors are those of sqlite3, OSError, Broken.

    A Book (`app/journal.py`).

    What is damaged is moved aside and begun anew by `begin_anew`, never by itself.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = MAX_BYTES,
        kept_s: float = KEPT_S,
        busy_s: float = BUSY_S,
    ) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._kept_s = kept_s
        self._busy_s = busy_s
        self._purses: set[bytes] = set()  # of runs that were opened here: they have one until the
        # runs are forgotten
        with self._alone():
            try:
                self._open()
            except (Broken, sqlite3.DatabaseError) as error:
                if not is_broken(error):
                    raise
                self._move_aside(error)
                self._open()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def begin_anew(self, why: Exception) -> None:
        """Move a damaged file aside, unless somebody did so already, and open a new one."""
        with suppress(sqlite3.Error):
            self._db.close()
        with self._alone():
            if not self.moved:
                self._move_aside(why)
            self._open()
        self._purses.clear()

    @property
    def moved(self) -> bool:
        """Is the file no longer the one with its name?"""
        try:
            return _inode(self._path) != self._inode
        except OSError:
            return True

    # What is in it

    def past(self, whose: Whose) -> tuple[Amount, Amount]:
        """Take the purse of a run. Return what the run paid and reserved, and how much of that has
        no reply to show for it.
        """
        try:
            with self.transaction():
                self._take_purse(whose)
        except sqlite3.OperationalError as error:
            if is_broken(error):
                raise
            # What can be read can be used: whoever writes first takes it, or says why not.
        used = self._db.execute(_SUMS, (whose.run,)).fetchone()
        lost = self._db.execute(_LOST, (whose.run,)).fetchone()
        return Amount(*used), Amount(*lost)

    def find(self, digest: bytes) -> Found | None:
        """Return the reply that is kept under a digest."""
        row = self._db.execute(
            "SELECT entry, sealed, run, used FROM replies WHERE digest = ?", (digest,)
        ).fetchone()
        return None if row is None else Found(*row)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold nothing: a reader waits for nobody here."""
        yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the only writer's place: all that is written inside is on the disk, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        purses = set(self._purses)
        try:
            yield
            self._db.execute("COMMIT")  # if it fails, the transaction may still be open
        except BaseException:
            self._purses = purses
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def reserve(self, whose: Whose, worst: Amount) -> int | None:
        """Write down the worst case of a call; return its row, None of a run that was forgotten."""
        return self._insert(whose, worst, None) if self._has_purse(whose) else None

    def settle(self, row: int | None, whose: Whose, worst: Amount, cost: Amount) -> int | None:
        """Write down the cost of a call; return its row, None of a run that was forgotten."""
        if row is not None:
            found = self._db.execute(
                "UPDATE ledger SET usd = ?, tokens = ?, calls = ? WHERE entry = ? AND run = ?",
                (*numbers(cost), row, whose.run),
            )
            return row if found.rowcount else None
        return self._insert(whose, worst, cost) if self._has_purse(whose) else None

    def keep(self, row: int, whose: Whose, digest: bytes, sealed: bytes) -> None:
        """Keep the reply that a row paid for; it takes the place of an older one."""
        self._db.execute(
            "INSERT OR REPLACE INTO replies (entry, digest, run, sealed, used, tenant, repository) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (row, digest, whose.run, sealed, time.time(), whose.tenant, whose.repository),
        )

    def forget(
        self,
        tenant: bytes,
        repositories: Collection[bytes] | None,
        spared: Collection[bytes],
        until: float,
    ) -> None:
        """Remove what was paid and answered for repositories of a tenant, None: for all of them.

        What runs brought that are `spared`, or were opened later than `until`, stays. What nobody
        noted the repository of goes, too.
        """
        with self.transaction():
            later = "SELECT run FROM purses WHERE tenant = ? AND since > ?"
            kept = {*spared, *(run for (run,) in self._db.execute(later, (tenant, until)))}
            for table in ("purses", "replies", "ledger"):
                every = f"SELECT DISTINCT tenant, repository, run FROM {table}"  # noqa: S608 ours
                rows = self._db.execute(f"{every} WHERE tenant IN (?, x'')", (tenant,)).fetchall()
                for its_tenant, repository, run in rows:
                    meant = repositories is None or not repository or repository in repositories
                    if meant and run not in kept:
                        self._db.execute(
                            f"DELETE FROM {table} WHERE run = ? AND tenant = ? AND repository = ?",  # noqa: S608 ours
                            (run, its_tenant, repository),
                        )

    def use(self, row: int) -> None:
        """Write down that a reply was used now."""
        self._db.execute("UPDATE replies SET used = ? WHERE entry = ?", (time.time(), row))

    def drop(self, row: int) -> None:
        """Delete a reply."""
        self._db.execute("DELETE FROM replies WHERE entry = ?", (row,))

    def sweep(self, whose: Whose) -> None:
        """Delete what is too old or too much, a bounded part of it, and give its space back.

        Nothing here looks at every row: what goes is at the beginning of an index.
        """
        now = believed_in(self._path.parent)
        with self.transaction():
            self._db.execute(
                "DELETE FROM replies WHERE entry IN "
                "(SELECT entry FROM replies WHERE used < ? ORDER BY used LIMIT ?)",
                (now - self._kept_s, SWEPT_AT_ONCE * SWEEPS),
            )
            self._db.execute(
                "DELETE FROM ledger WHERE at < ? AND run != ? AND entry IN "
                "(SELECT entry FROM ledger ORDER BY entry LIMIT ?)",
                (now - max(LEDGER_S, self._kept_s), whose.run, SWEPT_AT_ONCE),
            )
            self._db.execute(
                "DELETE FROM purses WHERE since < ? AND run != ? AND run IN "
                "(SELECT run FROM purses ORDER BY since LIMIT ?)",
                (now - max(LEDGER_S, self._kept_s), whose.run, SWEPT_AT_ONCE),
            )
        self._shrink()
        _give_back(self._db, _FREED_PAGES)

    def _shrink(self) -> None:
        """Delete the replies used least recently while there is too much."""
        for _ in range(SWEEPS):
            bytes_ = self._bytes_used()
            if bytes_ <= self._max_bytes:
                return
            (count,) = self._db.execute("SELECT count(*) FROM replies").fetchone()
            if not (many := too_many(count, bytes_, self._max_bytes)):
                return
            with self.transaction():
                self._db.execute(
                    "DELETE FROM replies WHERE entry IN "
                    "(SELECT entry FROM replies ORDER BY used LIMIT ?)",
                    (many,),
                )

    def _insert(self, whose: Whose, worst: Amount, cost: Amount | None) -> int:
        real = (None, None, None) if cost is None else numbers(cost)
        row = self._db.execute(
            "INSERT INTO ledger "
            "(run, worst_usd, worst_tokens, worst_calls, usd, tokens, calls, at, tenant, "
            "repository) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (whose.run, *numbers(worst), *real, time.time(), whose.tenant, whose.repository),
        ).lastrowid
        assert row is not None  # noqa: S101 - an INSERT has one
        return row

    def _has_purse(self, whose: Whose) -> bool:
        """Has a run its purse still? One that could not be taken before is taken now."""
        if whose.run not in self._purses:
            self._take_purse(whose)
        row = self._db.execute("SELECT 1 FROM purses WHERE run = ?", (whose.run,))
        return row.fetchone() is not None

    def _take_purse(self, whose: Whose) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO purses (run, tenant, repository, since) VALUES (?, ?, ?, ?)",
            (whose.run, whose.tenant, whose.repository, time.time()),
        )
        self._purses.add(whose.run)

    def _bytes_used(self) -> int:
        (pages,), (free,), (bytes_,) = (
            self._db.execute(f"PRAGMA {what}").fetchone()
            for what in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * bytes_)

    # The file

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time decide whether the file is sound, and begin it anew."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(beside(self._path, ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + self._busy_s
            while not taken(lock):
                if time.monotonic() > until:
                    raise OSError("another process has been opening it for too long")
                time.sleep(_POLL_S)
            yield
        finally:
            os.close(lock)

    def _open(self) -> None:
        self._path.touch(mode=0o600)
        if stat.S_IMODE(self._path.stat().st_mode) != 0o600:
            self._path.chmod(0o600)
        self._db = connected(self._path, self._busy_s)
        try:
            self._prepare()
            self._inode = _inode(self._path)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        found = _schema_of(self._db)
        if found == _NOTHING:
            self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before anything is in it
        elif found not in _TO_OURS:
            raise Broken("it is of another version or another program")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        if found != _OURS:
            with self.transaction():
                for statement in _TO_OURS[found]:
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _move_aside(self, why: Exception) -> None:
        log.warning(
            "the journal %s is damaged: it is moved aside and begun anew",
            self._path,
            extra={"why": why},
        )
        for suffix in ("-wal", ""):
            with suppress(FileNotFoundError):
                beside(self._path, suffix).replace(beside(self._path, f".broken{suffix}"))
        beside(self._path, "-shm").unlink(missing_ok=True)


def size(path: Path) -> Size:
    """Return the size of a journal, without changing it; raise sqlite3.Error or OSError."""
    if not path.exists():
        return Size(0, 0)
    with closing(connected(path, BUSY_S)) as db:
        (replies,) = db.execute("SELECT count(*) FROM replies").fetchone()
    files = (beside(path, suffix) for suffix in ("", "-wal"))
    return Size(replies, sum(file.stat().st_size for file in files if file.exists()))


def clear(path: Path) -> int:
    """Delete every reply and give the space back; return how many there were.

    What runs paid stays: a run that is taken up again has paid it all the same.
    """
    if not path.exists():
        return 0
    with closing(connected(path, BUSY_S)) as db:
        deleted = db.execute("DELETE FROM replies").rowcount
        _give_back(db, _ALL_PAGES)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return deleted


def connected(path: Path, busy_s: float) -> sqlite3.Connection:
    """Open a file for any one thread at a time, without transactions that begin by themselves."""
    return sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a file that belongs to the journal."""
    return path.with_name(path.name + suffix)


def too_many(replies: int, bytes_: int, max_bytes: int) -> int:
    """Return how many replies go where so many have so many bytes: enough to have room again."""
    if bytes_ <= max_bytes or not replies:
        return 0
    return max(1, int(replies * (1 - _SHRUNK * max_bytes / bytes_)))


def is_broken(error: Exception) -> bool:
    """Is the file at fault? Not where it is locked, read-only or the disk full."""
    return isinstance(error, Broken) or _code(error) in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
    )


def explained(error: Exception) -> str:
    """Say in a few words why the file cannot be used."""
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return "the disk is full"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another process has held it for too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def passing(error: Exception) -> RlmError | None:
    """Return what to wait for where nobody has to change a setting: somebody else, or room."""
    if isinstance(error, RetryLater | NoRoom):
        return error
    code = _code(error)
    if code == sqlite3.SQLITE_FULL or (isinstance(error, OSError) and error.errno in FULL):
        return NoRoom("The disk of the journal is full", "Make room on it.")
    # A quota that is used up is no full disk to SQLite, but a write that failed.
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR):
        return RetryLater(f"The journal cannot be written: {explained(error)}", 1.0)
    return None


def _code(error: Exception) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _schema_of(db: sqlite3.Connection) -> tuple[int, int, tuple[str, ...]]:
    """Return what says which program made a file, and how."""
    ((application,),) = db.execute("PRAGMA application_id")
    ((version,),) = db.execute("PRAGMA user_version")
    made = db.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return application, version, tuple(sorted(str(sql) for (sql,) in made))


def _give_back(db: sqlite3.Connection, pages: int) -> None:
    """Make the file smaller. Each step of the statement frees a page; `execute` would do one."""
    db.executescript(f"PRAGMA incremental_vacuum({pages})")


def numbers(amount: Amount) -> tuple[float, int, int]:
    """Return what a database can hold: a service may claim to have used any number of tokens."""
    return amount.usd, min(amount.tokens, _MOST), min(amount.calls, _MOST)


def _inode(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
