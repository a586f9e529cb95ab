"""The connection, its schema, and transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.migrations import MIGRATIONS


def connect(path: str = ":memory:") -> sqlite3.Connection:
    """Open a database and bring its schema up to date."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    migrate(db)
    return db


def migrate(db: sqlite3.Connection) -> None:
    """Run the migrations that this database has not seen."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        with transaction(db):
            db.execute(step)
            db.execute(f"PRAGMA user_version = {number}")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block did, or nothing of it. Blocks may be nested."""
    if db.in_transaction:
        yield
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
