"""Warnings about meters that count more than they use to."""

import sqlite3
from datetime import date, timedelta

from meter import meters, readings

WEEK = timedelta(days=7)
LEAST_WH = 20_000
"""Below this in a week nobody is warned, however little it was before."""


def unusual(db: sqlite3.Connection, today: date) -> list[int]:
    """Return the meters that used over twice as much in the last 7 days as in the 7 before."""
    return [one for one in meters.all_ids(db) if _is_unusual(db, one, today)]


def _is_unusual(db: sqlite3.Connection, meter_id: int, today: date) -> bool:
    now = readings.used(db, meter_id, today - WEEK + timedelta(days=1), today)
    before = readings.used(db, meter_id, today - 2 * WEEK + timedelta(days=1), today - WEEK)
    return now >= LEAST_WH and now > 2 * before
