"""The schema in numbered steps, and the connection."""

import sqlite3
from pathlib import Path

STEPS = sorted((Path(__file__).parent / "migrations").glob("*.sql"))


def connect(path: str = ":memory:", upto: int = len(STEPS)) -> sqlite3.Connection:
    """Open a database and take the steps that it has not seen, up to a number."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    migrate(db, upto)
    return db


def migrate(db: sqlite3.Connection, upto: int = len(STEPS)) -> None:
    """Take the steps that a database has not seen, up to a number, each wholly or not at all."""
    (seen,) = db.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(STEPS[seen:upto], seen + 1):
        sql = step.read_text(encoding="utf-8")
        try:
            db.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
