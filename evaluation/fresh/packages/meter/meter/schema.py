"""The schema, step by step, and the connection."""

import sqlite3

STEPS = [
    """
    CREATE TABLE meters (
        id INTEGER PRIMARY KEY,
        street TEXT NOT NULL,
        tariff TEXT NOT NULL DEFAULT 'basic'
    )
    """,
    """
    CREATE TABLE readings (
        meter_id INTEGER NOT NULL REFERENCES meters (id),
        day TEXT NOT NULL,
        counter_wh INTEGER NOT NULL,
        PRIMARY KEY (meter_id, day)
    )
    """,
]


def connect(path: str = ":memory:") -> sqlite3.Connection:
    """Open a database and bring its schema up to date."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    (seen,) = db.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(STEPS[seen:], seen + 1):
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute(step)
            db.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    return db
