"""Meters and where they hang."""

import sqlite3


def add(db: sqlite3.Connection, street: str, tariff: str = "basic") -> int:
    """Store a meter and return its id."""
    row = db.execute(
        "INSERT INTO meters (street, tariff) VALUES (?, ?) RETURNING id", (street, tariff)
    ).fetchone()
    return row["id"]


def get(db: sqlite3.Connection, meter_id: int) -> sqlite3.Row:
    """Return a meter; KeyError if there is none."""
    row = db.execute("SELECT * FROM meters WHERE id = ?", (meter_id,)).fetchone()
    if row is None:
        raise KeyError(meter_id)
    return row


def all_ids(db: sqlite3.Connection) -> list[int]:
    return [row["id"] for row in db.execute("SELECT id FROM meters ORDER BY id")]
