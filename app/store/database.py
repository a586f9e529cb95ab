"""The database behind the store: a SQLite file, or PostgreSQL by its URL; and its errors in words.

Every transaction that writes is serial on SQLite. On PostgreSQL it is READ COMMITTED, and one that
must see what its peers are about to write names what it shares with them (`alone`).
"""

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, literal, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.store.schema import REVISION, bring_up_to_date
from app.store.tables import METADATA
from reviewer.errors import NoRoom, RetryLater, RlmError, TellUser

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite
from reviewer.text import printable

BUSY_S = 10.0
"""How long a writer waits for another process; a transaction here takes milliseconds."""

POSTGRESQL = "postgresql+psycopg"

CONNECT_S = 10

_AWAY_WORDS = (
    "connection failed", "connection refused", "timeout expired", "closed",
    "failed to resolve host", "name resolution", "connection is bad",
)  # fmt: skip

_CUT = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_CUT_MS = 20_000
"""A connection over which nothing comes any more ends after this long, here and at the server:
what a machine that was cut off holds must not keep the others from their work for hours."""

_SESSION = {
    "statement_timeout": 30_000,
    "lock_timeout": 10_000,
    "idle_in_transaction_session_timeout": _CUT_MS,
    "tcp_user_timeout": _CUT_MS,
    **{f"tcp_{name}": value for name, value in _CUT.items()},
}
"""In milliseconds, but for the keepalives: these are in seconds."""

_ENDS_SILENT = (14,)
"""The first PostgreSQL that ends a session which only waits, where it is told to."""

_AWAY = ("08", "53", "57", "40", "55", "25")
"""Classes of SQLSTATE: no connection, no resources, shut down, a lost race, a lock not had, and
read only, as the other one is while a server fails over."""

_NOT_ALLOWED = "42501"
"""SQLSTATE of who is no owner, or has not the right."""


class Database:
    """The tables, up to date. Threads may share one; each process opens its own.

    `name` is how it is spoken of, without its password; who waits for somebody to write holds
    `looking`. Raises TellUser where it cannot be used and RetryLater where it is busy or away.
    """

    def __init__(self, where: Path | str) -> None:
        self.looking = threading.Lock()
        self._writing = threading.Lock()
        self._closed = False
        if isinstance(where, Path):
            self.name = str(where)
            self._explain: Callable[[DBAPIError], RlmError] = self._of_sqlite
            with self.explained():
                where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                where.touch(mode=0o600)
                self.engine = _sqlite(where)
        else:
            url = _url(where)
            self.name = url.render_as_string(hide_password=True)
            self._explain = self._of_postgresql
            self.engine = _postgresql(url)
        self.is_file = isinstance(where, Path)
        self._log = f"{where}-wal" if self.is_file else ""
        try:
            if self.is_file:
                self._use_wal()
            with self.write(alone="schema") as db:
                bring_up_to_date(db, self.name)
        except BaseException:
            self.engine.dispose()
            raise

    @property
    def shared(self) -> "Database | None":
        """This database, if several servers may use it: no file."""
        return None if self.is_file else self

    def close(self) -> None:
        """Close all connections, once whoever writes has done so."""
        with self._writing:
            self._closed = True
            self.engine.dispose()

    def stamp(self) -> tuple[int, int] | None:
        """Return what is another one when somebody has written since; None where nothing tells.

        A look at a file's time and size, so a hint: two writes of one moment may leave it the same.
        """
        try:
            log = os.stat(self._log)  # noqa: PTH116 - it is asked fifty times a second
        except OSError:
            return None
        return log.st_mtime_ns, log.st_size

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read: all statements of the block see a committed state, and write nothing."""
        with self.explained(), self.engine.connect() as db, db.begin():
            yield db

    @contextmanager
    def write(self, alone: str = "") -> Iterator[Connection]:
        """Hold a transaction: everything inside is stored, or nothing.

        Of the transactions that are `alone` under one name, one runs at a time, in all processes.
        """
        if self.is_file:
            writing = self.engine.execution_options(**{_WRITES: True})
            with self._writing, self.explained(), writing.begin() as db:
                yield db
        else:
            with self.explained(), self.engine.begin() as db:
                if alone:
                    key = zlib.crc32(f"rlm:{alone}".encode())
                    db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
                yield db

    def hold(self, key: int, silent_s: float) -> Connection | None:
        """Take a lock that goes with this process, by a number of 64 bits; None if somebody has it.

        PostgreSQL alone. The lock is its connection's: `let_go` gives both back. The server ends a
        connection over which nothing came for `silent_s` seconds (from PostgreSQL 14 on, that is;
        older ones have what `_SESSION` says): a proxy between keeps it open, whoever is cut off.
        """
        with self.explained():
            db = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                if (db.dialect.server_version_info or (0,)) >= _ENDS_SILENT:
                    # For this session alone: `let_go` does not give it back to the pool.
                    ends = text("SELECT set_config('idle_session_timeout', :ms, false)")
                    db.execute(ends, {"ms": f"{silent_s * 1_000:.0f}"})
                if db.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
                    return db
            except BaseException:
                self.let_go(db)
                raise
            self.let_go(db)
            return None

    @staticmethod
    def let_go(held: Connection) -> None:
        """Give a lock back that `hold` took."""
        with suppress(SQLAlchemyError):  # a connection that is gone has taken it along
            held.execute(text("SELECT pg_advisory_unlock_all()"))
        with suppress(SQLAlchemyError):
            held.invalidate()
        held.close()

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """Begin an INSERT that can say ON CONFLICT, in this database's dialect."""
        if self.is_file:
            from sqlalchemy.dialects.sqlite import insert as of_sqlite  # noqa: PLC0415

            return of_sqlite(table)
        # A tenth of a second at each start of each process, for servers that have it.
        from sqlalchemy.dialects.postgresql import insert as of_postgresql  # noqa: PLC0415

        return of_postgresql(table)

    def insert_new(self, db: Connection, table: Table, **values: Any) -> bool:
        """Insert a row; False, and nothing, if one with such a key is there."""
        row = self.insert(table).values(**values).on_conflict_do_nothing()
        # What a driver counts as rows of an INSERT differs; what it returns does not.
        return db.execute(row.returning(literal(1))).first() is not None

    def _use_wal(self) -> None:
        """Let readers and a writer not wait for each other; the file remembers it.

        SQLite does not wait for the lock that this change takes, however long its timeout is:
        processes that start together would refuse one another.
        """
        until = time.monotonic() + BUSY_S
        while True:
            with self.explained():
                raw = self.engine.raw_connection()
                try:
                    raw.cursor().execute("PRAGMA journal_mode = WAL")
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() > until:
                        raise
                else:
                    return
                finally:
                    raw.close()
            time.sleep(0.01)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the database and the disk refuse into words."""
        if self._closed:
            raise TellUser(f"The store {self.name} is closed")
        try:
            yield
        except DBAPIError as error:
            raise self._explain(error) from error
        except sqlite3.Error as error:  # while a connection is prepared
            raise self._of_sqlite_error(error) from error
        except PoolTimeoutError as error:
            raise RetryLater(f"The store {self.name} is busy", 1) from error
        except SQLAlchemyError as error:
            raise TellUser(f"The store {self.name} cannot be used: {error}") from error
        except OSError as error:
            raise TellUser(
                f"The store {self.name} cannot be opened: {error.strerror}",
                "Set RLM_HOME to a folder of yours with room in it.",
            ) from error

    def _of_sqlite(self, error: DBAPIError) -> RlmError:
        cause = error.orig
        if isinstance(cause, sqlite3.Error):
            return self._of_sqlite_error(cause)
        return TellUser(f"The store {self.name} cannot be used: {cause}")

    def _of_sqlite_error(self, error: sqlite3.Error) -> RlmError:
        said = str(error)
        if not isinstance(error, sqlite3.OperationalError):
            return TellUser(
                f"The store {self.name} is damaged: {said}",
                "Restore it from a backup, or move it away to begin anew.",
            )
        if _is_busy(error):
            return RetryLater(f"The store {self.name} is busy: {said}", 1)
        if "full" in said:
            return NoRoom(f"The disk of {self.name} is full", "Make room on it.")
        return TellUser(
            f"The store {self.name} cannot be used: {said}",
            "Check the folder and its permissions.",
        )

    def _of_postgresql(self, error: DBAPIError) -> RlmError:
        cause = error.orig
        state = getattr(cause, "sqlstate", None) or ""
        said = " ".join(str(cause).split())
        if state == "53100":
            return NoRoom(f"The disk of {self.name} is full", "Make room on it.")
        if state.startswith(_AWAY) or error.connection_invalidated or _is_away(said):
            return RetryLater(f"The database {self.name} does not answer: {said}", 2)
        if state == _NOT_ALLOWED:
            return TellUser(
                f"The database {self.name} refuses: {said}",
                "`rlm doctor --online` says which tables are whose, and what to do.",
            )
        return TellUser(
            f"The database {self.name} refuses: {said}",
            "Check DATABASE_URL, and what that user may do: it creates and changes tables.",
        )


_WRITES = "rlm_writes"


def _sqlite(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
        pool_size=5,
        max_overflow=15,
        pool_timeout=BUSY_S,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        # Python's own idea of when a transaction begins would let two writers both read first.
        connection.isolation_level = None
        # Every commit reaches the disk: what a webhook was told is stored survives a power cut.
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(db: Connection) -> None:
        writes = db.get_execution_options().get(_WRITES)
        db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _url(given: str) -> URL:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        raise TellUser(
            "DATABASE_URL is no address of a PostgreSQL database",
            "It has the form postgresql://user:password@host:5432/name; without it a file under "
            "RLM_HOME is used.",
        )
    return url.set(drivername=POSTGRESQL)


@dataclass(frozen=True, slots=True)
class Foreign:
    """Tables of ours that belong to another role, `owner`; `shut`: some right on them is missing.

    Names are quoted as SQL wants them.
    """

    owner: str
    tables: tuple[str, ...]
    shut: bool


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What is seen of a PostgreSQL database, without its password in `name`.

    `version` is that of its tables, "" for none yet; `forgotten` are the rows of this version's
    that say what is to be removed; `user` is who we are there, as SQL wants it quoted.
    """

    name: str
    user: str
    version: str = ""
    forgotten: tuple[str, ...] = ()
    foreign: tuple[Foreign, ...] = ()


def look_at(where: str) -> LookedAt:
    """Look at a PostgreSQL database, and change nothing.

    TellUser where it cannot be had, or where its user may not make tables.
    """
    url = _url(where)
    name, engine = url.render_as_string(hide_password=True), _postgresql(url)
    hint = "Check DATABASE_URL, that the server runs, and what that user may do."
    try:
        with engine.connect() as db:
            user = str(db.exec_driver_sql("SELECT quote_ident(current_user)").scalar_one())
            may = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
            if not db.exec_driver_sql(may).scalar_one():
                raise TellUser(f"The user of {name} may not make tables there", hint)
            if db.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on":
                raise TellUser(f"{name} can only be read: it may be a copy of another one", hint)
            foreign = _foreign(db)
            if any(one.shut for one in foreign) or not inspect(db).has_table("alembic_version"):
                return LookedAt(name, user, foreign=foreign)
            found = db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            version = str(found or "")
            if version != REVISION:
                return LookedAt(name, user, version, foreign=foreign)
            rows = db.exec_driver_sql("SELECT id FROM forgotten").scalars()
            return LookedAt(name, user, version, tuple(map(str, rows)), foreign)
    except DBAPIError as error:
        raise TellUser(f"{name} cannot be used: {_first_line(error)}", hint) from error
    finally:
        engine.dispose()


_FOREIGN = """
WITH ours AS (
    SELECT oid, relname, relowner FROM pg_class
    WHERE relnamespace = to_regnamespace(quote_ident(current_schema()))
    AND relkind IN ('r', 'p') AND relname = ANY(:names)
), counters AS (
    SELECT d.refobjid AS of,
        CASE WHEN s.relkind = 'S' THEN has_sequence_privilege(s.oid, 'USAGE') ELSE true END AS mine
    FROM pg_depend d JOIN pg_class s ON s.oid = d.objid WHERE d.deptype IN ('a', 'i')
)
SELECT quote_ident(pg_get_userbyid(relowner)), quote_ident(relname),
    pg_has_role(relowner, 'USAGE'),
    has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
    AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')
    AND NOT EXISTS (SELECT 1 FROM counters WHERE counters.of = ours.oid AND NOT counters.mine)
FROM ours ORDER BY 1, 2
"""
"""Who owns each table, and may we do what an owner may, and read and write it with its numbers?

A CASE, for the planner may ask the function before a WHERE, and it fails on what is no sequence.
"""


def _foreign(db: Connection) -> tuple[Foreign, ...]:
    names = [*METADATA.tables, "alembic_version"]
    of: dict[tuple[str, bool], list[str]] = {}
    for owner, table, owned, usable in db.execute(text(_FOREIGN), {"names": names}):
        if not (owned and usable):
            of.setdefault((str(owner), not usable), []).append(str(table))
    return tuple(Foreign(owner, tuple(tables), shut) for (owner, shut), tables in of.items())


def _first_line(error: DBAPIError) -> str:
    return printable((str(error.orig).strip().splitlines() or ["no reason given"])[0])[:300]


def _postgresql(url: URL) -> Engine:
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_S,
        "application_name": "rlm",
        "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
        "tcp_user_timeout": _CUT_MS,
        **_CUT,
    }
    return create_engine(
        url,
        connect_args=arguments | dict(url.query),
        pool_size=5,
        max_overflow=15,
        pool_timeout=BUSY_S,
        # A database that went away and came back costs a question, not an error.
        pool_pre_ping=True,
        pool_recycle=1_800,
    )


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _is_away(said: str) -> bool:
    """Is it a server that is not there? Such an error has no SQLSTATE."""
    return any(words in said for words in _AWAY_WORDS) and not any(
        words in said for words in ("authentication failed", "does not exist")
    )
