"""The journal in the database that servers share: what one has paid for, all of them know.

What `app/journal_file.py` promises of its file holds here too, by other means. Several servers
write at a time, so nothing is serial: the answers, which two may write at once, are written last
and in the order of their digests, so that no two wait for each other.

Whoever opens a run takes its purse, a row that says who pays. A reservation is written by whoever
has it alone, in a transaction that keeps the row as it is. So a server that was cut off, lost its
claim and comes back to go on with the run learns of it before it pays, and whoever has taken the
run up has counted all that the other one reserved. What the other's calls under way bring is still
kept: it is paid. Of a run whose purse is gone, because its installation is, nothing is written any
more.
"""

import secrets
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Select,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from app.journal_file import (
    ELSEWHERE_S,
    KEPT_S,
    LEDGER_S,
    MAX_BYTES,
    SWEEPS,
    SWEPT_AT_ONCE,
    Found,
    Size,
    Whose,
    numbers,
    too_many,
)
from app.store.clock import believed
from app.store.database import Database
from app.store.tables import ANSWERS, PAYMENTS, PURSES
from reviewer.errors import RetryLater
from reviewer.rlm.budget import Amount

SILENT_S = 60.0
"""A server that says nothing for so long has lost its runs: half of how long its claims last."""

RELEASE_S = 10.0
"""How long whoever releases a run waits for a database that does not answer."""

MOST_NAMED = 1_000
"""Runs in one statement: PostgreSQL takes no more than 65,535 values."""


class JournalTables:
    """A Book (`app/journal.py`) in a PostgreSQL database, for one thread at a time and one run.

    Raises RetryLater where the database is busy or away, and TellUser where it refuses.
    """

    moved = False

    def __init__(
        self, database: Database, *, max_bytes: int = MAX_BYTES, kept_s: float = KEPT_S
    ) -> None:
        self._database = database
        self._max_bytes = max_bytes
        self._kept_s = kept_s
        self._holder = secrets.token_hex(16)
        self._db: Connection | None = None
        self._holds: str | None = None
        self._kept: dict[bytes, tuple[int, Whose, bytes]] = {}
        self._used: set[int] = set()
        self._dropped: set[int] = set()

    def close(self) -> None:
        """Nothing is held between transactions."""

    def begin_anew(self, why: Exception) -> None:
        """A database is not moved aside."""
        raise why

    def past(self, whose: Whose) -> tuple[Amount, Amount]:
        """Take the purse of a run. Return what the run paid and reserved before, and how much of
        that has no reply to show for it.
        """
        with self._database.write() as db:
            taken = self._database.insert(PURSES).values(
                run=whose.run,
                tenant=whose.tenant,
                repository=whose.repository or None,
                holder=self._holder,
                since=time.time(),
            )
            new = {name: taken.excluded[name] for name in ("holder", "since", "repository")}
            # From here on whoever had it is refused; what it wrote before is seen below.
            db.execute(taken.on_conflict_do_update(index_elements=["run"], set_=new))
            mine = PAYMENTS.c.run == whose.run
            shown = exists().where(ANSWERS.c.entry == PAYMENTS.c.entry)
            return _sum(db, _sums().where(mine)), _sum(db, _sums().where(mine, ~shown))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read several in one go."""
        with self._database.read() as db, self._at(db):
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that is written inside, or nothing."""
        with self._database.write() as db, self._at(db):
            yield
            self._write_answers(db)

    @contextmanager
    def _at(self, db: Connection) -> Iterator[None]:
        self._db = db
        try:
            yield
        finally:
            self._db = self._holds = None
            for waiting in (self._kept, self._used, self._dropped):
                waiting.clear()

    def find(self, digest: bytes) -> Found | None:
        """Return the reply that is kept under a digest."""
        if (kept := self._kept.get(digest)) is not None:
            row, whose, sealed = kept
            return Found(row, sealed, whose.run, time.time())
        found = select(ANSWERS.c.entry, ANSWERS.c.sealed, ANSWERS.c.run, ANSWERS.c.used).where(
            ANSWERS.c.digest == digest
        )
        row_ = self._open.execute(found).one_or_none()
        return None if row_ is None else Found(*row_)

    def reserve(self, whose: Whose, worst: Amount) -> int | None:
        """Write down the worst case of a call; return its row, None if the purse is another's."""
        return self._insert(whose, worst, None) if self._holder_of(whose) == self._holder else None

    def settle(self, row: int | None, whose: Whose, worst: Amount, cost: Amount) -> int | None:
        """Write down the cost of a call; return its row, None of a run that was forgotten."""
        if not self._holder_of(whose):
            return None
        if row is not None:
            usd, tokens, calls = numbers(cost)
            found = self._open.execute(
                update(PAYMENTS)
                .where(PAYMENTS.c.entry == row, PAYMENTS.c.run == whose.run)
                .values(usd=usd, tokens=tokens, calls=calls)
            )
            if found.rowcount:
                return row
        return self._insert(whose, worst, cost)

    def keep(self, row: int, whose: Whose, digest: bytes, sealed: bytes) -> None:
        """Keep the reply that a row paid for; it takes the place of an older one."""
        self._kept[digest] = row, whose, sealed

    def use(self, row: int) -> None:
        """Write down that a reply was used now."""
        self._used.add(row)

    def drop(self, row: int) -> None:
        """Delete a reply."""
        self._dropped.add(row)

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

        def meant(repository: Column[bytes | None]) -> ColumnElement[bool]:
            if repositories is None:
                return true()
            return or_(repository.is_(None), repository.in_(repositories))

        its_purse = (PURSES.c.tenant == tenant) & meant(PURSES.c.repository)
        its_answer = (ANSWERS.c.tenant == tenant) & meant(ANSWERS.c.repository)
        later = select(PURSES.c.run).where(PURSES.c.tenant == tenant, PURSES.c.since > until)
        with self._database.write() as db:
            found = {*db.scalars(select(PURSES.c.run).where(its_purse))}
            found |= {*db.scalars(select(ANSWERS.c.run).where(its_answer).distinct())}
            gone = sorted(found.difference(spared, db.scalars(later)))
            for at in range(0, len(gone), MOST_NAMED):
                some = gone[at : at + MOST_NAMED]
                # This waits for what is being written for them; nothing is written after it.
                db.execute(delete(PURSES).where(its_purse, PURSES.c.run.in_(some)))
                db.execute(delete(PAYMENTS).where(PAYMENTS.c.run.in_(some)))
                db.execute(delete(ANSWERS).where(its_answer, ANSWERS.c.run.in_(some)))

    def sweep(self, whose: Whose) -> None:
        """Delete what is too old or too much, a bounded part of it; what somebody else is at stays.

        The space is free for other rows once PostgreSQL has vacuumed the table, as it does itself.
        """
        with self._database.write() as db:
            now = believed(self._database, db)
        old = ANSWERS.c.used < now - self._kept_s
        with self._database.write() as db:
            db.execute(_oldest(SWEPT_AT_ONCE * SWEEPS, old))
        before = now - max(LEDGER_S, self._kept_s)
        first = select(PAYMENTS.c.entry, PAYMENTS.c.at, PAYMENTS.c.run)
        first_ = first.order_by(PAYMENTS.c.entry).limit(SWEPT_AT_ONCE).subquery()
        gone = select(first_.c.entry).where(first_.c.at < before, first_.c.run != whose.run)
        purses = select(PURSES.c.run).where(PURSES.c.since < before, PURSES.c.run != whose.run)
        some = purses.limit(SWEPT_AT_ONCE).with_for_update(skip_locked=True)
        with self._database.write() as db:
            db.execute(delete(PAYMENTS).where(PAYMENTS.c.entry.in_(gone)))
            db.execute(delete(PURSES).where(PURSES.c.run.in_(some)))
        self._shrink()

    def _shrink(self) -> None:
        """Delete the replies used least recently while there is too much.

        To add up their sizes takes a look at each, in an index: only where the table is that large.
        """
        with self._database.read() as db:
            if _table_bytes(db) <= self._max_bytes:
                return
        for _ in range(SWEEPS):
            with self._database.write() as db:
                total = select(func.count(), func.coalesce(func.sum(ANSWERS.c.bytes), 0))
                count, bytes_ = db.execute(total.select_from(ANSWERS)).one()
                if not (many := too_many(int(count), int(bytes_), self._max_bytes)):
                    return
                if not db.execute(_oldest(many)).rowcount:
                    return

    # Inside a transaction

    @property
    def _open(self) -> Connection:
        if self._db is None:
            raise ValueError("outside of a transaction")
        return self._db

    def _holder_of(self, whose: Whose) -> str:
        """Return who has the purse, and keep it so until the transaction ends; "": it is gone."""
        if self._holds is None:
            held = select(PURSES.c.holder).where(PURSES.c.run == whose.run)
            self._holds = self._open.scalar(held.with_for_update(read=True)) or ""
        return self._holds

    def _insert(self, whose: Whose, worst: Amount, cost: Amount | None) -> int:
        usd, tokens, calls = numbers(worst)
        real = (None, None, None) if cost is None else numbers(cost)
        new = insert(PAYMENTS).values(
            run=whose.run,
            worst_usd=usd,
            worst_tokens=tokens,
            worst_calls=calls,
            usd=real[0],
            tokens=real[1],
            calls=real[2],
            at=time.time(),
        )
        return int(self._open.execute(new.returning(PAYMENTS.c.entry)).scalar_one())

    def _write_answers(self, db: Connection) -> None:
        if self._kept:
            now = time.time()
            kept = self._database.insert(ANSWERS)
            new = {one.name: kept.excluded[one.name] for one in ANSWERS.c if one.name != "digest"}
            db.execute(
                kept.on_conflict_do_update(index_elements=["digest"], set_=new),
                [
                    {
                        "entry": row,
                        "digest": digest,
                        "run": whose.run,
                        "tenant": whose.tenant,
                        "repository": whose.repository or None,
                        "sealed": sealed,
                        "bytes": len(sealed),
                        "used": now,
                    }
                    for digest, (row, whose, sealed) in sorted(self._kept.items())
                ],
            )
        if self._dropped:
            db.execute(delete(ANSWERS).where(ANSWERS.c.entry.in_(_free(self._dropped))))
        if self._used:
            used = update(ANSWERS).where(ANSWERS.c.entry.in_(_free(self._used)))
            db.execute(used.values(used=time.time()))


class HeldRun:
    """The right to write for a run. It goes with the process, or with its connection.

    Something is said over the connection now and then, so that the server can tell a machine that
    was cut off from one that works, also where a proxy between keeps its connection open: after
    `silent_s` seconds another one may have the run.
    """

    def __init__(self, database: Database, run: bytes, silent_s: float = SILENT_S) -> None:
        self._database = database
        held = database.hold(int.from_bytes(run[:8], "big", signed=True), silent_s)
        if held is None:
            raise RetryLater("Another process is at this run", ELSEWHERE_S)
        self._released = threading.Event()
        # The connection is this thread's alone: a driver's connection is for one at a time.
        self._holder = threading.Thread(
            target=self._hold, args=(held, silent_s / 4), name="held run", daemon=True
        )
        self._holder.start()

    def _hold(self, held: Connection, every_s: float) -> None:
        with suppress(SQLAlchemyError):  # one that is gone has taken the right along
            while not self._released.wait(every_s):
                held.execute(text("SELECT 1"))
        self._database.let_go(held)

    def release(self) -> None:
        """Let another process open the run."""
        self._released.set()
        self._holder.join(RELEASE_S)


def size_in(database: Database) -> Size:
    """Return the size of the journal that servers share."""
    with database.read() as db:
        replies = db.scalar(select(func.count()).select_from(ANSWERS)) or 0
        return Size(replies, _table_bytes(db))


def _sums() -> Select[Any]:
    """Return a query for what payments come to; what was not settled counts at its worst."""
    return select(
        *(
            func.coalesce(func.sum(func.coalesce(PAYMENTS.c[real], PAYMENTS.c[worst])), 0)
            for real, worst in (
                ("usd", "worst_usd"), ("tokens", "worst_tokens"), ("calls", "worst_calls"),
            )
        )
    )  # fmt: skip


def _sum(db: Connection, query: Select[Any]) -> Amount:
    usd, tokens, calls = db.execute(query).one()
    return Amount(float(usd), int(tokens), int(calls))


def _free(rows: Collection[int]) -> Select[tuple[int]]:
    """Return those of some answers that nobody else is at: nobody waits for what can wait."""
    which = select(ANSWERS.c.entry).where(ANSWERS.c.entry.in_(rows))
    return which.with_for_update(skip_locked=True)


def _oldest(most: int, *which: ColumnElement[bool]) -> Delete:
    """Delete the answers used least recently that nobody else is at."""
    some = select(ANSWERS.c.entry).where(*which).order_by(ANSWERS.c.used).limit(most)
    return delete(ANSWERS).where(ANSWERS.c.entry.in_(some.with_for_update(skip_locked=True)))


def _table_bytes(db: Connection) -> int:
    """Return the bytes of the answers' table, with what is deleted and not used again yet."""
    return int(db.scalar(select(func.pg_table_size(ANSWERS.name))) or 0)
