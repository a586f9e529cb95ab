"""Readings: the counter of a meter at the end of a day."""

import sqlite3
from datetime import date, timedelta


def store(db: sqlite3.Connection, meter_id: int, day: date, counter_wh: int) -> None:
    """Store a reading; one for the same day is replaced."""
    db.execute(
        "INSERT INTO readings VALUES (?, ?, ?)"
        " ON CONFLICT (meter_id, day) DO UPDATE SET counter_wh = excluded.counter_wh",
        (meter_id, day.isoformat(), counter_wh),
    )


def counter_at(db: sqlite3.Connection, meter_id: int, day: date) -> int | None:
    """Return the last counter that was read up to a day, in watt-hours; None before the first."""
    row = db.execute(
        "SELECT counter_wh FROM readings WHERE meter_id = ? AND day <= ?"
        " ORDER BY day DESC LIMIT 1",
        (meter_id, day.isoformat()),
    ).fetchone()
    return None if row is None else row["counter_wh"]


def used(db: sqlite3.Connection, meter_id: int, first: date, last: date) -> int:
    """Return what was used from a day to another, both included, in watt-hours.

    Without a reading before the first day nothing is known to be used: 0.
    """
    start = counter_at(db, meter_id, first - timedelta(days=1))
    end = counter_at(db, meter_id, last)
    if start is None or end is None:
        return 0
    return end - start
